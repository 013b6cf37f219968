"""The two engines: each keeps the tokens of a document and turns a question's parts into its own query."""

import re
from collections.abc import Sequence
from typing import Protocol

from mumian.foundation.search.rules import Part, Tokens
from mumian.kernel.unit_of_work import Session

Alternatives = Sequence[Sequence[Part]]


class SearchEngine(Protocol):
    """How one engine keeps tokens and finds them."""

    def prepare(self, session: Session) -> None:
        """Make what the engine needs, if it is not there."""
        ...

    def keep(self, session: Session, number: int, title: Tokens, body: Tokens) -> None:
        """Keep the tokens of a document in the place of those it had."""
        ...

    def forget(self, session: Session, number: int) -> None:
        """Forget the tokens of a document."""
        ...

    def selection(self) -> str:
        """SQL for key and score of the documents in `:scope` that match `:match`."""
        ...

    def numbers(self) -> str:
        """SQL for the numbers of the documents of all scopes that match `:match`, as one text with commas."""
        ...

    def in_title(self, match: str) -> str:
        """A value of `:match` for what has the same words in the title."""
        ...

    def match(self, wanted: Alternatives, every: bool) -> str:
        """The value of `:match`: all parts (`every`) or at least one, each itself or one of its alternatives."""
        ...


class Fts5:
    """SQLite's FTS5."""

    def prepare(self, session: Session) -> None:
        """Make the table of tokens; they are split at spaces alone."""
        session.execute(
            "CREATE VIRTUAL TABLE IF NOT EXISTS search_text USING fts5 "
            "(title, body, singles, tokenize = 'unicode61 remove_diacritics 0')"
        )

    def keep(self, session: Session, number: int, title: Tokens, body: Tokens) -> None:
        """One row for each document, by its number."""
        self.forget(session, number)
        session.execute(
            "INSERT INTO search_text (rowid, title, body, singles) VALUES (:number, :title, :body, :singles)",
            number=number,
            title=" ".join(title.stream),
            body=" ".join(body.stream),
            singles=" ".join({*title.singles, *body.singles}),
        )

    def forget(self, session: Session, number: int) -> None:
        """Drop the row."""
        session.execute("DELETE FROM search_text WHERE rowid = :number", number=number)

    def selection(self) -> str:
        """A word in the title counts for eight in the body."""
        return (
            "SELECT d.key AS key, -bm25(search_text, 8.0, 1.0, 0.5) AS score FROM search_text "
            "CROSS JOIN search_document d ON d.id = search_text.rowid WHERE search_text MATCH :match AND d.scope = :scope"
        )  # CROSS: or the planner may walk through all documents and ask for each whether it matches

    def numbers(self) -> str:
        """One text for all rows."""
        return "SELECT group_concat(rowid) FROM search_text WHERE search_text MATCH :match"

    def in_title(self, match: str) -> str:
        """A filter of columns holds for all within it."""
        return f"{{title}} : ({match})"

    def match(self, wanted: Alternatives, every: bool) -> str:
        """FTS5's query language; every token is a quoted string."""
        joined = (" AND " if every else " OR ").join
        return joined(f"({' OR '.join(self._part(part) for part in options)})" for options in wanted)

    @staticmethod
    def _part(part: Part) -> str:
        quoted = '"' + " ".join(part.tokens) + '"'
        if part.single:
            return f"singles : {quoted}"
        return f"{{title body}} : {quoted}{' *' if part.prefix else ''}"


class PostgresqlText:
    """PostgreSQL's text search on vectors that are written out, so that no dictionary of the server has a say."""

    def prepare(self, session: Session) -> None:
        """Make the table of vectors and its index."""
        session.execute("CREATE TABLE IF NOT EXISTS search_text (id BIGINT PRIMARY KEY, tokens tsvector NOT NULL)")
        session.execute("CREATE INDEX IF NOT EXISTS search_text_tokens ON search_text USING gin (tokens)")

    def keep(self, session: Session, number: int, title: Tokens, body: Tokens) -> None:
        """One vector: title tokens with weight A, the body's with C, single characters with D."""
        singles = [f"1{c}" for c in {*title.singles, *body.singles}]
        told = [(token, "A") for token in title.stream] + [(token, "C") for token in body.stream] + [(s, "D") for s in singles]
        places: dict[str, list[str]] = {}
        for place, (token, weight) in enumerate(told[:16_000], 1):
            held = places.setdefault(token, [])
            if len(held) < 255:
                held.append(f"{place}{weight}")
        vector = " ".join(f"{_quoted(token)}:{','.join(at)}" for token, at in places.items())
        session.execute(
            "INSERT INTO search_text (id, tokens) VALUES (:number, CAST(:vector AS tsvector)) "
            "ON CONFLICT (id) DO UPDATE SET tokens = excluded.tokens",
            number=number,
            vector=vector,
        )

    def forget(self, session: Session, number: int) -> None:
        """Drop the vector."""
        session.execute("DELETE FROM search_text WHERE id = :number", number=number)

    def selection(self) -> str:
        """The same weights as on the other engine."""
        return (
            "SELECT d.key AS key, ts_rank('{0.05, 0.125, 0.125, 1.0}', t.tokens, CAST(:match AS tsquery)) AS score "
            "FROM search_text t JOIN search_document d ON d.id = t.id "
            "WHERE t.tokens @@ CAST(:match AS tsquery) AND d.scope = :scope"
        )

    def numbers(self) -> str:
        """One text for all rows."""
        return "SELECT string_agg(CAST(id AS TEXT), ',') FROM search_text WHERE tokens @@ CAST(:match AS tsquery)"

    def in_title(self, match: str) -> str:
        """Each lexeme with the weight of the title; single characters have none of their own."""
        return re.sub(r"('(?:[^'\\]|\\.|'')*')(:\*)?", lambda found: f"{found[1]}:{'*' if found[2] else ''}A", match)

    def match(self, wanted: Alternatives, every: bool) -> str:
        """The language of tsquery; every token is quoted."""
        joined = (" & " if every else " | ").join
        return joined(f"({' | '.join(self._part(part) for part in options)})" for options in wanted)

    @staticmethod
    def _part(part: Part) -> str:
        if part.single:
            return _quoted(f"1{part.text}")
        return "(" + " <-> ".join(_quoted(token) + (":*" if part.prefix else "") for token in part.tokens) + ")"


def _quoted(token: str) -> str:
    return "'" + token.replace("\\", "\\\\").replace("'", "''") + "'"


def engine_for(name: str) -> SearchEngine:
    """The engine that goes with the records' one."""
    return PostgresqlText() if name == "postgresql" else Fts5()
