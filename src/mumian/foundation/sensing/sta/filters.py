"""Filters: the comparisons of `$filter`, joined by and, or and not, as SQL with bound parameters."""

import re
from collections.abc import Mapping
from typing import Any

from mumian.foundation.sensing.rules import parse_time
from mumian.kernel.errors import Invalid

_TOKEN = re.compile(
    r"\s*(?:(?P<time>\d{4}-\d\d-\d\dT[0-9:.]+(?:Z|[+-]\d\d:\d\d))|(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)"
    r"|(?P<text>'(?:[^']|'')*')|(?P<name>[A-Za-z_@][\w@./]*)|(?P<sign>[()]))"
)
_OPERATORS = {"eq": "=", "ne": "<>", "gt": ">", "ge": ">=", "lt": "<", "le": "<="}
_DEEPEST = 20
_MOST_COMPARISONS = 100


class Compiler:
    """Compiles one filter over `columns` (property → SQL expression, and whether it is a `time`, `number` or `text`)."""

    def __init__(self, text: str, entity: str, columns: Mapping[str, tuple[str, str]], mark: str) -> None:
        self.params: dict[str, Any] = {}
        self._text = text
        self._entity = entity
        self._columns = columns
        self._mark = mark
        self._tokens = self._read()
        self._at = 0
        self._comparisons = 0

    def compile(self) -> str:
        """The SQL condition; raises Invalid that names the character."""
        sql = self._either(0)
        if self._at < len(self._tokens):
            raise self._fault("the expression goes on after its end")
        return sql

    def _read(self) -> list[tuple[str, str, int]]:
        tokens, at, text = [], 0, self._text.rstrip()
        while at < len(text):
            matched = _TOKEN.match(text, at)
            if matched is None or matched.lastgroup is None:
                raise Invalid.field("$filter", "sensing.filter", at=at + 1, reason="a name, a value or a parenthesis is expected")
            tokens.append((matched.lastgroup, matched.group(matched.lastgroup), matched.start(matched.lastgroup)))
            at = matched.end()
        return tokens

    def _either(self, depth: int) -> str:
        parts = [self._both(depth)]
        while self._word("or"):
            parts.append(self._both(depth))
        return f"({' OR '.join(parts)})" if len(parts) > 1 else parts[0]

    def _both(self, depth: int) -> str:
        parts = [self._single(depth)]
        while self._word("and"):
            parts.append(self._single(depth))
        return f"({' AND '.join(parts)})" if len(parts) > 1 else parts[0]

    def _single(self, depth: int) -> str:
        if depth > _DEEPEST:
            raise self._fault("it is nested too deeply")
        if self._word("not"):
            return f"(NOT {self._single(depth + 1)})"
        if self._sign("("):
            inner = self._either(depth + 1)
            if not self._sign(")"):
                raise self._fault("a closing parenthesis is missing")
            return inner
        return self._comparison()

    def _comparison(self) -> str:
        self._comparisons += 1
        if self._comparisons > _MOST_COMPARISONS:
            raise self._fault(f"it has more than {_MOST_COMPARISONS} comparisons")
        left, left_type = self._operand()
        kind, word, _ = self._next("an operator is missing")
        if kind != "name" or word not in _OPERATORS:
            raise self._fault(f"use one of {', '.join(_OPERATORS)}", back=1)
        right, right_type = self._operand()
        if left_type != right_type:
            raise self._fault(f"a {left_type} cannot be compared with a {right_type}", back=1)
        return f"({left} {_OPERATORS[word]} {right})"

    def _operand(self) -> tuple[str, str]:
        kind, word, _ = self._next("a property or a value is missing")
        if kind == "name":
            if word not in self._columns:
                names = ", ".join(self._columns)
                raise Invalid.field("$filter", "sensing.property", entity=self._entity, name=word[:100], expected=names)
            return self._columns[word]
        if kind == "sign":
            raise self._fault("a property or a value is expected", back=1)
        return self._bind(kind, word), kind

    def _bind(self, kind: str, word: str) -> str:
        name = f"p{len(self.params)}"
        try:
            if kind == "time":
                self.params[name] = parse_time(word)
            elif kind == "number":
                self.params[name] = float(word) if re.search(r"[.eE]", word) or len(word) > 18 else int(word)
            else:
                self.params[name] = word[1:-1].replace("''", "'")
        except ValueError:
            raise self._fault(f"{word} is no instant", back=1) from None
        return f"{self._mark}{name}"

    def _next(self, missing: str) -> tuple[str, str, int]:
        if self._at >= len(self._tokens):
            raise self._fault(missing)
        self._at += 1
        return self._tokens[self._at - 1]

    def _word(self, word: str) -> bool:
        return self._take(("name", word))

    def _sign(self, sign: str) -> bool:
        return self._take(("sign", sign))

    def _take(self, wanted: tuple[str, str]) -> bool:
        if self._at < len(self._tokens) and self._tokens[self._at][:2] == wanted:
            self._at += 1
            return True
        return False

    def _fault(self, reason: str, back: int = 0) -> Invalid:
        at = self._at - back
        place = self._tokens[at][2] if at < len(self._tokens) else len(self._text)
        return Invalid.field("$filter", "sensing.filter", at=place + 1, reason=reason)
