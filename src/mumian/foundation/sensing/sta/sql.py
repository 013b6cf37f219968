"""The compiler: conditions and sort keys of query expressions as SQL of any dialect, every literal a bound parameter."""

from typing import Any

from mumian.foundation.sensing.flags import NAMES as FLAG_NAMES
from mumian.foundation.sensing.sta.dialects import Dialect
from mumian.foundation.sensing.sta.faults import query_fault
from mumian.foundation.sensing.sta.functions import FUNCTIONS, MOMENTS, NAMES, SPATIAL, TEMPORAL
from mumian.foundation.sensing.sta.joins import Joins, Place
from mumian.foundation.sensing.sta.literals import LEAST_TIME, MOST_TIME, literal
from mumian.foundation.sensing.sta.model import EntitySet, Model, Property
from mumian.foundation.sensing.sta.operands import LOOSE, TIMES, Converter, Operand
from mumian.foundation.sensing.sta.syntax import Binary, Call, Expression, In, Literal, Member, Not, Path, Quantifier
from mumian.foundation.sensing.sta.temporal import FUNCTIONS as TIME_FUNCTIONS
from mumian.foundation.sensing.sta.temporal import OPERATORS as TIME_OPERATORS
from mumian.kernel.errors import Invalid

OPERATORS = {"eq": "=", "ne": "<>", "gt": ">", "ge": ">=", "lt": "<", "le": "<="}
_SIGNS = {"add": "+", "sub": "-", "mul": "*", "div": "/"}
_LONGEST = 200_000
_PLAIN = ("number", "text", "bool", "date", "clock", "duration")


class Compiler:
    """Compiles expressions over one set, whose rows have the alias `e`; `params` fill as it goes."""

    def __init__(self, model: Model, entities: EntitySet, dialect: Dialect, option: str, now: int, prefix: str = "f") -> None:
        self.params: dict[str, Any] = {}
        self.joins = Joins(model, Place(entities, "e"), option, f"{prefix}j")
        self._model = model
        self._dialect = dialect
        self._option = option
        self._now = now
        self._prefix = prefix
        self._convert = Converter(dialect, self.bind, {name: bit for bit, name in FLAG_NAMES.items()})
        self._scopes = 0

    def bind(self, value: Any) -> str:
        """A value as a parameter."""
        name = f"{self._prefix}{len(self.params)}"
        self.params[name] = value
        return f"{self._dialect.mark}{name}"

    def where(self, node: Expression) -> tuple[str, str]:
        """The joins that the rows `e` need (none multiplies them), and the condition on them."""
        condition = self.condition(node)
        clauses = " ".join(self.joins.clauses)
        if not self.joins.many:
            return clauses, condition
        return "", f"EXISTS (SELECT 1 FROM (SELECT 1 AS one) z {clauses} WHERE {condition})"

    def condition(self, node: Expression) -> str:
        """An expression that is true, false or NULL."""
        found = self._condition(node)
        if len(found) > _LONGEST:
            raise query_fault(self._option, "long", node.at, limit=_LONGEST)
        return found

    def _condition(self, node: Expression) -> str:
        if isinstance(node, Binary) and node.operator in ("and", "or"):
            return f"({self.condition(node.left)} {node.operator.upper()} {self.condition(node.right)})"
        if isinstance(node, Not):
            return f"(NOT {self.condition(node.operand)})"
        if isinstance(node, Binary) and node.operator in OPERATORS:
            return self._comparison(node)
        if isinstance(node, In):
            options = [self._comparison(Binary("eq", node.operand, choice, node.at)) for choice in node.choices]
            return f"({' OR '.join(options)})"
        if isinstance(node, Quantifier):
            return self._quantifier(node)
        if isinstance(node, Member):
            place = self.joins.place(node.links, node.at)
            column = place.set.properties[node.column].sql.format(a=place.alias)
            return self._dialect.member(column, node.ids, self.bind)
        found = self._convert.as_kind(self.operand(node), "bool")
        if found is None:
            raise query_fault(self._option, "condition", node.at)
        return found.sql

    def keys(self, node: Expression) -> list[tuple[str, bool]]:
        """The expressions to sort by for one key, each with whether it is text; raises Invalid for what has no order.

        Periods are sorted by their start; loose values as numbers first, then as texts.
        """
        found = self.operand(node)
        if self.joins.many:
            raise query_fault(self._option, "order", node.at)
        if found.kind in TIMES:
            return [(found.sql, False)]
        if found.kind in LOOSE:
            forms = [self._convert.as_kind(found, kind) for kind in ("number", "text")]
            return [self._key(form) for form in forms if form is not None]
        if found.kind == "bool":
            return [(f"CASE WHEN {found.sql} THEN 1 WHEN NOT {found.sql} THEN 0 END", False)]
        if found.kind not in _PLAIN:
            raise query_fault(self._option, "order", node.at)
        return [self._key(found)]

    def _key(self, operand: Operand) -> tuple[str, bool]:
        if operand.kind == "text":
            return self._dialect.ordered_text(operand.sql), True
        return operand.sql, False

    def operand(self, node: Expression) -> Operand:
        """An expression in SQL, with its kind."""
        found = self._operand(node)
        if len(found.sql) > _LONGEST:
            raise query_fault(self._option, "long", node.at, limit=_LONGEST)
        return found

    def _operand(self, node: Expression) -> Operand:
        if isinstance(node, Literal):
            return self._convert.literal(node)
        if isinstance(node, Path):
            return self._path(node)
        if isinstance(node, Call):
            return self._call(node)
        if isinstance(node, Binary) and node.operator not in OPERATORS and node.operator not in ("and", "or"):
            return self._arithmetic(node)
        return Operand("bool", self.condition(node))

    def _path(self, path: Path) -> Operand:
        end = self.joins.end(path)
        known, alias = end.property, end.place.alias
        if known.kind == "stamp":
            return Operand("time", self._dialect.instant(known.sql.format(a=alias)))
        return _operand(known, alias, end.rest)

    def _comparison(self, node: Binary) -> str:
        left, right = self.operand(node.left), self.operand(node.right)
        if "null" in (left.kind, right.kind):
            return self._null(node, right if left.kind == "null" else left)
        if "quality" in (left.kind, right.kind) and node.operator in ("eq", "ne"):
            found = self._quality(node, left, right)
            if found:
                return found
        if {left.kind, right.kind} <= set(LOOSE):
            return self._by_kind(node, left, right, ("number", "text", "bool"))
        for one, other in ((left, right), (right, left)):
            if one.kind == "result" and len(one.parts) == 1 and other.kind == "text" and other.literal is not None:
                return self._by_kind(node, left, right, ("number", "text"))
        left, right = self._matched(node, left, right)
        if left.kind in TIMES:
            return TIME_OPERATORS[node.operator](left.pair, right.pair)
        if left.kind not in _PLAIN or (left.kind == "bool" and node.operator not in ("eq", "ne")):
            raise query_fault(self._option, "types", node.at, left=left.kind, right=right.kind)
        ordered = self._dialect.ordered_text if left.kind == "text" and node.operator not in ("eq", "ne") else str
        return f"({ordered(left.sql)} {OPERATORS[node.operator]} {ordered(right.sql)})"

    def _null(self, node: Binary, other: Operand) -> str:
        if node.operator not in ("eq", "ne"):
            return "FALSE"
        missing = "IS NULL" if node.operator == "eq" else "IS NOT NULL"
        if other.kind == "null":
            return "TRUE" if node.operator == "eq" else "FALSE"
        sql = self._convert.any(other) if other.kind in LOOSE else other.sql
        if other.kind == "quality":
            sql = f"CASE WHEN {other.bits} <> 0 THEN 1 WHEN {sql} IS NOT NULL THEN 1 END"
        return f"({sql} {missing})"

    def _quality(self, node: Binary, left: Operand, right: Operand) -> str:
        quality, other = (left, right) if left.kind == "quality" else (right, left)
        if other.kind != "text" or other.literal is None:
            return ""
        found = self._convert.quality_is(quality, str(other.literal.value))
        return found if node.operator == "eq" else f"(NOT {found})"

    def _by_kind(self, node: Binary, left: Operand, right: Operand, kinds: tuple[str, ...]) -> str:
        """Loose values compared as what both are: numbers, texts or truths; NULL where they are of different kinds."""
        parts = []
        for kind in kinds if node.operator in ("eq", "ne") else kinds[:2]:
            one, other = self._convert.as_kind(left, kind), self._convert.as_kind(right, kind)
            if one is not None and other is not None:
                sides = [self._dialect.ordered_text(side.sql) if kind == "text" else side.sql for side in (one, other)]
                parts.append(f"({sides[0]} {OPERATORS[node.operator]} {sides[1]})")
        return f"coalesce({', '.join([*parts, 'NULL'])})"

    def _matched(self, node: Binary, left: Operand, right: Operand) -> tuple[Operand, Operand]:
        """Both sides as one kind; raises Invalid where they cannot be compared."""
        for one, other, swapped in ((left, right, False), (right, left, True)):
            better = self._towards(one, other)
            if better is not None:
                return (other, better) if swapped else (better, other)
        if left.kind != right.kind and not {left.kind, right.kind} <= set(TIMES):
            raise query_fault(self._option, "types", node.at, left=left.kind, right=right.kind)
        return left, right

    def _towards(self, one: Operand, other: Operand) -> Operand | None:
        """The first operand as the kind of the second, where it is not and may be."""
        if one.kind == other.kind:
            return None
        if one.kind in LOOSE or (one.kind == "text" and other.kind == "number"):
            return self._convert.as_kind(one, other.kind)
        if one.kind == "text" and one.literal is not None and other.kind in TIMES:
            return self._time_text(one.literal)
        if one.kind in TIMES and other.kind == "date":
            return self._convert.date(one)
        return self._convert.clock(one) if one.kind in TIMES and other.kind == "clock" else None

    def _time_text(self, given: Literal) -> Operand | None:
        for kind in ("period", "time") if "/" in str(given.value) else ("time",):
            try:
                return self._convert.literal(literal(kind, str(given.value), given.at, self._option))
            except Invalid:
                return None
        return None

    def _arithmetic(self, node: Binary) -> Operand:
        left, right = self.operand(node.left), self.operand(node.right)
        if left.kind in TIMES and right.kind in TIMES and node.operator == "sub":
            return self._elapsed(left, right)
        if node.operator in ("add", "sub") and "duration" in (left.kind, right.kind):
            return self._shifted(node, left, right)
        if left.kind == "duration" and node.operator in ("mul", "div"):
            number = self._number(node, right)
            return Operand("duration", self._calculated(node.operator, left.sql, number))
        return Operand("number", self._calculated(node.operator, self._number(node, left), self._number(node, right)))

    def _calculated(self, operator: str, left: str, right: str) -> str:
        left, right = (f"CAST({side} AS DOUBLE PRECISION)" for side in (left, right))
        if operator == "mod":
            return self._dialect.attempt(self._dialect.modulo(left, right))
        right = f"nullif({right}, 0)" if operator == "div" else right
        return self._dialect.attempt(f"({left} {_SIGNS[operator]} {right})")

    def _number(self, node: Binary, operand: Operand) -> str:
        found = self._convert.as_kind(operand, "number")
        if found is None:
            raise query_fault(self._option, "kind", node.at, name=node.operator, expected="number", found=operand.kind)
        return found.sql

    def _elapsed(self, left: Operand, right: Operand) -> Operand:
        """How long after the second instant the first is; NULL for periods."""
        instants = [f"{start} = {end}" for start, end in (left.pair, right.pair) if start != end]
        sql = self._dialect.attempt(f"({left.sql} - {right.sql})")
        return Operand("duration", f"CASE WHEN {' AND '.join(instants)} THEN {sql} END" if instants else sql)

    def _shifted(self, node: Binary, left: Operand, right: Operand) -> Operand:
        if left.kind == "duration" and right.kind != "duration" and node.operator == "add":
            left, right = right, left
        if right.kind != "duration" or left.kind not in (*TIMES, "duration"):
            raise query_fault(self._option, "types", node.at, left=left.kind, right=right.kind)
        sign = _SIGNS[node.operator]
        start, end = (self._dialect.attempt(f"({side} {sign} {right.sql})") for side in left.pair)
        return Operand(left.kind, start, end if left.kind == "period" else "")

    def _call(self, node: Call) -> Operand:
        if node.name in MOMENTS:
            self._arity(node, 0, 0)
            value = {"now": self._now, "mindatetime": LEAST_TIME, "maxdatetime": MOST_TIME}[node.name]
            return self._convert.literal(Literal("time", value, node.at))
        if node.name in TEMPORAL:
            return self._temporal(node)
        if node.name in ("date", "time"):
            self._arity(node, 1, 1)
            time = self._argument(node, node.arguments[0], "time")
            return self._convert.date(time) if node.name == "date" else self._convert.clock(time)
        if node.name in SPATIAL:
            raise query_fault(self._option, "spatial", node.at, name=node.name)
        if node.name not in FUNCTIONS:
            raise query_fault(self._option, "function", node.at, name=node.name[:60], expected=", ".join(NAMES))
        function = FUNCTIONS[node.name]
        self._arity(node, function.fewest, len(function.arguments))
        found = [self._argument(node, given, kind) for given, kind in zip(node.arguments, function.arguments, strict=False)]
        return Operand(function.result, function.build(self._dialect, *(argument.sql for argument in found)))

    def _arity(self, node: Call, least: int, most: int) -> None:
        if not least <= len(node.arguments) <= most:
            expected = str(most) if least == most else f"{least}…{most}"
            raise query_fault(self._option, "arguments", node.at, name=node.name, expected=expected)

    def _argument(self, node: Call, given: Expression, kind: str) -> Operand:
        operand = self.operand(given)
        if kind == "time" and operand.kind == "text" and operand.literal is not None:
            operand = self._time_text(operand.literal) or operand
        found = operand if kind == "time" and operand.kind in TIMES else self._convert.as_kind(operand, kind)
        if found is None:
            raise query_fault(self._option, "kind", given.at, name=node.name, expected=kind, found=operand.kind)
        return found

    def _temporal(self, node: Call) -> Operand:
        self._arity(node, 2, 2)
        left, right = (self._argument(node, given, "time") for given in node.arguments)
        if node.name == "during" and right.kind == "time":
            raise query_fault(self._option, "kind", node.arguments[1].at, name="during", expected="period", found="time")
        return Operand("bool", TIME_FUNCTIONS[node.name](left.pair, right.pair))

    def _quantifier(self, node: Quantifier) -> str:
        outer = self.joins
        start = outer.place(node.path.parts[:-1], node.path.at)
        link = start.set.links.get(str(node.path.parts[-1]))
        if link is None:
            raise query_fault(self._option, "navigation", node.at, name=node.path.text[:100])
        if link.crossing:
            raise query_fault(self._option, "mixed", node.at, name=node.path.text[:100])
        self._scopes += 1
        alias, via = f"q{self._scopes}", f"q{self._scopes}v"
        place = Place(self._model[link.target], alias)
        self.joins = Joins(self._model, outer.root, self._option, f"{alias}j", {**outer.variables, node.variable: place})
        body = self.condition(node.body)
        clauses, self.joins = " ".join(self.joins.clauses), outer
        on = link.on.format(a=start.alias, b=alias, v=via) + (f" AND {place.set.only.format(a=alias)}" if place.set.only else "")
        source = f"{place.set.rows} {alias}"
        if link.via:
            source, on = f"{link.via} {via} JOIN {source} ON {on}", link.via_on.format(a=start.alias, v=via)
        wanted = f"NOT coalesce({body}, FALSE)" if node.every else body
        return f"({'NOT ' if node.every else ''}EXISTS (SELECT 1 FROM {source} {clauses} WHERE {on} AND {wanted}))"


def _operand(known: Property, alias: str, rest: tuple[str | int, ...]) -> Operand:
    sql, end, number, bits = (text.format(a=alias) for text in (known.sql, known.end, known.number, known.bits))
    return Operand(known.kind, sql, end, (*known.parts, *rest), number, bits)
