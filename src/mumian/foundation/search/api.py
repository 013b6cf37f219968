"""Search for other components: `platform.get(Search)` keeps texts by scope and key, and finds them by words in any language."""

import msgspec

from mumian.foundation.search import rules
from mumian.foundation.search.contracts import Found, Selection
from mumian.foundation.search.service.engines import engine_for
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Session, Transaction, next_value

__all__ = ["Found", "Search", "Selection"]


class Search:
    """Texts are kept in the transaction that changes what they describe; a `scope` is named by its component."""

    def __init__(self, platform: Platform) -> None:
        self._declarations = platform.declarations
        self._engine = engine_for(platform.records.engine)
        self._synonyms: tuple[int, dict[str, list[str]]] = (-1, {})

    def prepare(self, session: Session) -> None:
        """Make what the engine needs; called once, when the component registers."""
        self._engine.prepare(session)

    def put(self, tx: Transaction, scope: str, key: str, title: str, body: str = "") -> int:
        """Keep the text of what `key` names, in the place of what it was; words of the title weigh more.

        Returns the number by which `numbers` knows it.
        """
        number = self._number(tx.session, scope, key)
        if number is None:
            number = next_value(tx.session, "search.document")
            tx.session.execute(
                "INSERT INTO search_document (id, scope, key) VALUES (:id, :scope, :key)", id=number, scope=scope, key=key
            )
        told = rules.tokens(title), rules.tokens(body)
        self._engine.keep(tx.session, number, *told)
        words = [{"scope": scope, "term": word} for word in sorted(told[0].words() | told[1].words())]
        if words:
            tx.session.execute_many(
                "INSERT INTO search_term (scope, term) VALUES (:scope, :term) ON CONFLICT (scope, term) DO NOTHING", words
            )
        return number

    def remove(self, tx: Transaction, scope: str, key: str) -> None:
        """Forget a text; forgetting what is not there is no error."""
        number = self._number(tx.session, scope, key)
        if number is not None:
            self._engine.forget(tx.session, number)
            tx.session.execute("DELETE FROM search_document WHERE id = :id", id=number)

    def select(self, session: Session, scope: str, query: str) -> Selection | None:
        """What a question selects: documents with all its parts; if there are none, with mistyped words read as the nearest
        known ones; if there still are none, with at least one part. None for a question without a word.
        """
        asked = rules.parts(query)
        if not asked:
            return None
        exact = self._selection(scope, asked, every=True)
        if self._any(session, exact):
            return exact
        read = tuple(self._corrected(session, scope, part) for part in asked)
        if read != asked:
            corrected = self._selection(scope, read, every=True, read_as=" ".join(part.text for part in read))
            if self._any(session, corrected):
                return corrected
        loose = [rules.Part(token, (token,)) for part in read for token in part.tokens if not part.single]
        return self._selection(scope, tuple(loose or read), every=False, relaxed=True)

    def numbers(self, session: Session, selection: Selection) -> list[int]:
        """The numbers of all that a selection selects, in no order and with those of other scopes: quick where there are many."""
        found = session.value(self._engine.numbers(), match=selection.params["match"])
        return [] if not found else msgspec.json.decode(f"[{found}]", type=list[int])

    def in_title(self, selection: Selection) -> Selection:
        """Of a selection what has it all in the title."""
        match = self._engine.in_title(selection.params["match"])
        return Selection(selection.sql, selection.params | {"match": match}, selection.read_as, selection.relaxed)

    def find(self, session: Session, scope: str, query: str, limit: int = 50, offset: int = 0) -> Found:
        """One page of what a question finds, best first; ties by key."""
        selected = self.select(session, scope, query)
        if selected is None:
            return Found((), 0, None, False)
        rows = session.rows(
            f"SELECT key, score, COUNT(*) OVER () AS total FROM ({selected.sql}) AS found "
            "ORDER BY score DESC, key LIMIT :limit OFFSET :offset",
            limit=limit,
            offset=offset,
            **selected.params,
        )
        hits = tuple((row["key"], float(row["score"])) for row in rows)
        total = int(rows[0]["total"]) if rows else self._count(session, selected) if offset else 0
        return Found(hits, total, selected.read_as, selected.relaxed)

    def _selection(
        self, scope: str, asked: tuple[rules.Part, ...], every: bool, read_as: str | None = None, relaxed: bool = False
    ) -> Selection:
        match = self._engine.match(rules.alternatives(asked, self._same()), every)
        return Selection(self._engine.selection(), {"scope": scope, "match": match}, read_as, relaxed)

    @staticmethod
    def _any(session: Session, selection: Selection) -> bool:
        return session.value(f"SELECT 1 FROM ({selection.sql} LIMIT 1) AS found", **selection.params) is not None

    @staticmethod
    def _count(session: Session, selection: Selection) -> int:
        return int(session.value(f"SELECT COUNT(*) FROM ({selection.sql}) AS found", **selection.params))

    @staticmethod
    def _number(session: Session, scope: str, key: str) -> int | None:
        found = session.value("SELECT id FROM search_document WHERE scope = :scope AND key = :key", scope=scope, key=key)
        return None if found is None else int(found)

    @staticmethod
    def _corrected(session: Session, scope: str, part: rules.Part) -> rules.Part:
        """The part itself if its word is known, begins a known one, or is like none; else the nearest known word."""
        word, most = part.text, rules.typos_allowed(part.text)
        if most == 0 or len(part.tokens) > 1 or part.tokens[0] != word:
            return part
        begins = {"low": word, "high": f"{word}\U0010ffff"}
        sql = "SELECT 1 FROM search_term WHERE scope = :scope AND term >= :low AND term < :high LIMIT 1"
        if session.value(sql, scope=scope, **begins) is not None:
            return part
        rows = session.rows(
            "SELECT term FROM search_term WHERE scope = :scope AND length(term) BETWEEN :least AND :most",
            scope=scope,
            least=len(word) - most,
            most=len(word) + most,
        )
        near = rules.nearest(word, (row["term"] for row in rows))
        return part if near is None else rules.Part(near, (near,))

    def _same(self) -> dict[str, list[str]]:
        revision, known = self._synonyms
        if revision != self._declarations.revision:
            revision, known = self._declarations.revision, {}
            for declared in self._declarations.all("Synonyms"):
                words = [rules.plain(word) for word in declared.spec.words]
                for word in words:
                    known.setdefault(word, []).extend(other for other in words if other != word)
            self._synonyms = (revision, known)
        return known
