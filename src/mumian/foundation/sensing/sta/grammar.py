"""Grammar of query expressions: the text of `$filter` and `$orderby`, read into a tree, every fault with its place.

After OData 4.0 as OGC 18-088 takes it over: operators bind in the order or, and, not, comparison, add/sub, mul/div/mod.
"""

import re
from dataclasses import dataclass

from mumian.foundation.sensing.sta.faults import query_fault
from mumian.foundation.sensing.sta.literals import LITERAL, literal
from mumian.foundation.sensing.sta.syntax import Binary, Call, Expression, In, Literal, Not, Path, Quantifier

COMPARISONS = ("eq", "ne", "gt", "ge", "lt", "le")
MOST_TOKENS, MOST_OPERATORS, DEEPEST = 2_000, 200, 40
_TOKEN = re.compile(rf"\s*(?:{LITERAL}|(?P<name>(?:@iot\.|\$)?[^\W\d][\w.\-]*)|(?P<sign>[(),:/\[\]]))")
_SPACE = re.compile(r"\s*")
_WORDS = {"true": ("bool", True), "false": ("bool", False), "null": ("null", None)}


@dataclass(frozen=True)
class Token:
    """A piece of the text: its kind, its text, and the number of its first character (from 1)."""

    kind: str
    text: str
    at: int


def parse_filter(text: str, option: str = "$filter") -> Expression:
    """The condition that a `$filter` says; raises Invalid naming option and character."""
    reader = Reader(text, option)
    found = reader.either()
    reader.end()
    return found


def parse_orderby(text: str, option: str = "$orderby") -> tuple[tuple[Expression, bool], ...]:
    """The keys of an `$orderby`, each with whether it descends; raises Invalid naming option and character."""
    reader = Reader(text, option)
    keys = [reader.key()]
    while reader.sign(","):
        keys.append(reader.key())
    reader.end()
    return tuple(keys)


class Reader:
    """Reads one text by recursive descent."""

    def __init__(self, text: str, option: str) -> None:
        self._text = text
        self._option = option
        self._tokens = list(self._split())
        self._at = 0
        self._depth = 0
        self._operators = 0

    def _split(self) -> list[Token]:
        tokens: list[Token] = []
        at, end = 0, len(self._text.rstrip())
        while at < end:
            matched = _TOKEN.match(self._text, at)
            if matched is None or matched.lastgroup is None:
                start = _SPACE.match(self._text, at)
                place = start.end() if start else at
                raise query_fault(self._option, "character", place + 1, given=self._text[place : place + 20])
            kind = matched.lastgroup
            tokens.append(Token(kind, matched.group(kind), matched.start(kind) + 1))
            if len(tokens) > MOST_TOKENS:
                raise query_fault(self._option, "long", tokens[-1].at, limit=MOST_TOKENS)
            at = matched.end()
        return tokens

    def end(self) -> None:
        """Nothing may follow."""
        if self._at < len(self._tokens):
            raise query_fault(self._option, "rest", self._place(), given=self._tokens[self._at].text[:60])

    def key(self) -> tuple[Expression, bool]:
        """A key of an order."""
        expression = self.sum()
        if self.word("desc"):
            return expression, True
        self.word("asc")
        return expression, False

    def either(self) -> Expression:
        """Conditions joined by `or`."""
        left = self.both()
        while (at := self.word("or")) is not None:
            left = self._binary("or", left, self.both(), at)
        return left

    def both(self) -> Expression:
        """Conditions joined by `and`."""
        left = self.opposite()
        while (at := self.word("and")) is not None:
            left = self._binary("and", left, self.opposite(), at)
        return left

    def opposite(self) -> Expression:
        """A condition, or `not` before one."""
        at = self.word("not")
        if at is None:
            return self.comparison()
        self._enter()
        inner = self.opposite()
        self._depth -= 1
        return Not(inner, at)

    def comparison(self) -> Expression:
        """An expression, compared with another or with a list of values."""
        left = self.sum()
        for word in COMPARISONS:
            if (at := self.word(word)) is not None:
                return self._binary(word, left, self.sum(), at)
        at = self.word("in")
        return left if at is None else In(left, self._choices(), at)

    def sum(self) -> Expression:
        """Expressions joined by `add` and `sub`."""
        left = self.product()
        while True:
            for word in ("add", "sub"):
                if (at := self.word(word)) is not None:
                    left = self._binary(word, left, self.product(), at)
                    break
            else:
                return left

    def product(self) -> Expression:
        """Expressions joined by `mul`, `div` and `mod`."""
        left = self.single()
        while True:
            for word in ("mul", "div", "mod"):
                if (at := self.word(word)) is not None:
                    left = self._binary(word, left, self.single(), at)
                    break
            else:
                return left

    def single(self) -> Expression:
        """A value, a path, a function or something in parentheses."""
        token = self._peek()
        if token is None:
            raise query_fault(self._option, "operand", self._place())
        if token.kind == "name":
            return self._named()
        if token.kind != "sign":
            self._at += 1
            return literal(token.kind, token.text, token.at, self._option)
        if not self.sign("("):
            raise query_fault(self._option, "operand", token.at)
        self._enter()
        inner = self.either()
        self._close()
        return inner

    def word(self, word: str) -> int | None:
        """Take a word if it is next; its place."""
        token = self._peek()
        if token is None or token.kind != "name" or token.text != word:
            return None
        self._at += 1
        return token.at

    def sign(self, sign: str) -> bool:
        """Take a sign if it is next."""
        token = self._peek()
        if token is None or token.kind != "sign" or token.text != sign:
            return False
        self._at += 1
        return True

    def _named(self) -> Expression:
        token = self._tokens[self._at]
        self._at += 1
        if token.text in _WORDS:
            return Literal(*_WORDS[token.text], token.at)
        if self.sign("("):
            return Call(token.text, self._arguments(), token.at)
        parts: list[str | int] = [token.text]
        while True:
            if self.sign("["):
                parts.append(self._index())
            elif self.sign("/"):
                found = self._peek()
                if found is None or found.kind != "name":
                    raise query_fault(self._option, "property", self._place())
                self._at += 1
                if found.text in ("any", "all") and self.sign("("):
                    return self._any(Path(tuple(parts), token.at), found)
                parts.append(found.text)
            else:
                return Path(tuple(parts), token.at)

    def _any(self, path: Path, name: Token) -> Expression:
        variable = self._peek()
        if variable is None or variable.kind != "name":
            raise query_fault(self._option, "variable", self._place())
        self._at += 1
        if not self.sign(":"):
            raise query_fault(self._option, "variable", self._place())
        self._enter()
        body = self.either()
        self._close()
        return Quantifier(path, variable.text, body, name.text == "all", name.at)

    def _index(self) -> int:
        token = self._peek()
        if token is None or token.kind != "number" or not token.text.isdigit() or len(token.text) > 6:
            raise query_fault(self._option, "index", self._place())
        self._at += 1
        if not self.sign("]"):
            raise query_fault(self._option, "index", self._place())
        return int(token.text)

    def _arguments(self) -> tuple[Expression, ...]:
        if self.sign(")"):
            return ()
        self._enter()
        found = [self.either()]
        while self.sign(","):
            found.append(self.either())
        self._close()
        return tuple(found)

    def _choices(self) -> tuple[Literal, ...]:
        if not self.sign("("):
            raise query_fault(self._option, "list", self._place())
        found = []
        while True:
            value = self.single()
            if not isinstance(value, Literal):
                raise query_fault(self._option, "list", value.at)
            found.append(value)
            if not self.sign(","):
                break
        if not self.sign(")"):
            raise query_fault(self._option, "closing", self._place())
        return tuple(found)

    def _binary(self, operator: str, left: Expression, right: Expression, at: int) -> Binary:
        self._operators += 1
        if self._operators > MOST_OPERATORS:
            raise query_fault(self._option, "long", at, limit=MOST_OPERATORS)
        return Binary(operator, left, right, at)

    def _enter(self) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise query_fault(self._option, "deep", self._place(), limit=DEEPEST)

    def _close(self) -> None:
        self._depth -= 1
        if not self.sign(")"):
            raise query_fault(self._option, "closing", self._place())

    def _peek(self) -> Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _place(self) -> int:
        token = self._peek()
        return token.at if token else len(self._text) + 1
