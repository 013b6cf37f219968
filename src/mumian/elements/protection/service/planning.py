"""Planning: from a request to SQL that may run, with its keys, and what it touches; plans are kept and used again."""

import json
import re
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from mumian.elements.protection.contracts import RowRequest
from mumian.elements.protection.rules import checking, parsing, rewriting
from mumian.elements.protection.service.keys import TokenKeys
from mumian.elements.protection.service.known import Known
from mumian.elements.protection.service.reading import Reading
from mumian.kernel.errors import Invalid

_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")
_MATCH = re.compile(r"\$(mumian_m\d+)\b")
_WORD = re.compile(r"[A-Za-z0-9]{1,64}")
_MOST = 2000
_SERIALISED = "SELECT json_serialize_sql($sql)"


@dataclass(frozen=True)
class Touched:
    """What a query touches of a dataset: all fields, and how those with a label are shown."""

    dataset: str
    fields: tuple[str, ...]
    labelled: dict[str, str]


@dataclass(frozen=True)
class Plan:
    """SQL that may run; `keys` are its secret parameters, `own` the names of the caller's."""

    sql: str
    keys: dict[str, bytes]
    own: tuple[str, ...]
    touched: tuple[Touched, ...]

    @property
    def cold(self) -> bool:
        """Whether no hot copy is read."""
        return "memory.main.hot_" not in self.sql

    @property
    def labelled(self) -> list[Touched]:
        """The datasets of which labelled fields are touched: reading them must be proven."""
        return [one for one in self.touched if one.labelled]

    def bound(self, request: RowRequest) -> tuple[str, dict[str, Any]]:
        """The SQL and its parameters; plain words that rows are matched by stand in the SQL, so that an index is used."""
        values = dict(request.params) | {f"mumian_m{index}": value for index, value in enumerate(request.match.values())}
        given = {name: values[name] for name in self.own}
        words = {n: v for n, v in given.items() if n.startswith("mumian_m") and isinstance(v, str) and _WORD.fullmatch(v)}
        sql = _MATCH.sub(lambda found: f"'{words[found[1]]}'" if found[1] in words else found[0], self.sql) if words else self.sql
        return sql, self.keys | {name: value for name, value in given.items() if name not in words}


class _Prefixes(dict[str, str]):
    """A parameter prefix for each key that is asked for."""

    def __missing__(self, key: str) -> str:
        self[key] = f"mumian_k{len(self)}"
        return self[key]


class Planner:
    """Makes plans, and remembers the last few thousand until declarations or labels change."""

    def __init__(self, known: Known, keys: TokenKeys, reading: Reading) -> None:
        self._known = known
        self._keys = keys
        self._reading = reading
        self._plans: OrderedDict[Any, Plan] = OrderedDict()

    def find(self, request: RowRequest, most: int | None) -> Plan | None:
        """The plan of a request that was asked before; None when one has to be made."""
        return self._plans.get(self._key(request, most))

    def make(self, request: RowRequest, most: int | None) -> Plan:
        """A plan; takes milliseconds, so not on the event loop. Raises BadQuery, NotFound, NotGranted, Invalid."""
        key = self._key(request, most)
        for name, value in request.params.items():
            if not _NAME.fullmatch(name) or name.startswith(parsing.RESERVED):
                raise Invalid.field(f"params.{name}", "field.pattern", expected=_NAME.pattern)
            if not isinstance(value, str | int | float | bool | None):
                raise Invalid.field(f"params.{name}", "field.type", expected="text, a number, true, false or empty")
        plan = self._made(request, most)
        while len(self._plans) >= _MOST:
            self._plans.popitem(last=False)
        self._plans[key] = plan
        return plan

    def _made(self, request: RowRequest, most: int | None) -> Plan:
        prefixes = _Prefixes(hash="mumian_hash")
        tree = parsing.parse(request.sql, request.params)
        rewritten = rewriting.rewrite(tree, lambda dataset: self._known.policy(dataset, request), most, prefixes)
        if request.match and not any(name.startswith("mumian_m") for name in rewritten.placeholders):
            raise Invalid.field("match", "protection.match", name=", ".join(request.match)[:200])
        answer = self._reading.read_now(_SERIALISED, {"sql": rewritten.sql})
        checking.check(json.loads(answer[0][0]), {used.place for used in rewritten.used})
        keys: dict[str, bytes] = {}
        for name in sorted({key for used in rewritten.used for key in used.keys}):
            inner, outer = self._keys.padded(name)
            keys |= {f"{prefixes[name]}_i": inner, f"{prefixes[name]}_o": outer}
        return Plan(rewritten.sql, keys, rewritten.placeholders, tuple(_touched(used) for used in rewritten.used))

    def _key(self, request: RowRequest, most: int | None) -> Any:
        grant = request.grant
        terms = None if grant is None else (grant.id, grant.datasets)
        names = (tuple(sorted(request.params)), tuple(request.match))
        return (request.sql, names, terms, request.purpose, request.caller.rights, most, self._known.revision)


def _touched(used: rewriting.Used) -> Touched:
    labelled = {one.field.name: one.how for one in used.fields if one.field.labelled}
    return Touched(used.dataset, tuple(one.field.name for one in used.fields), labelled)
