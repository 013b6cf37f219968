"""Query expressions made at random, and written down as a client would."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from mumian.foundation.sensing.sta.syntax import Binary, Call, Expression, In, Literal, Not, Path, Quantifier

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
START = 1_388_534_400_000_000
HOUR = 3_600_000_000
NUMBERS = st.one_of(st.integers(-5, 30), st.sampled_from([0.5, 1.5, -2.5, 2.5, 10.25, 100.0]))
TEXTS = st.sampled_from(["", "a", "b", "alpha", "Alpha", "beta gamma", " it's ", "10", "x''y", "%", "_", "木棉"])
TIMES = st.builds(lambda hours, more: START + hours * HOUR + more, st.integers(-4, 30), st.sampled_from([0, 0, 500_000, 1]))


def instant(time: int) -> str:
    """µs since 1970 as a client writes them."""
    return (EPOCH + timedelta(microseconds=time)).isoformat().replace("+00:00", "Z")


def write(node: Expression) -> str:
    """An expression as text; every group in parentheses."""
    if isinstance(node, Literal):
        return _literal(node)
    if isinstance(node, Path):
        return node.text
    if isinstance(node, Not):
        return f"not ({write(node.operand)})"
    if isinstance(node, In):
        return f"({write(node.operand)}) in ({', '.join(write(one) for one in node.choices)})"
    if isinstance(node, Call):
        return f"{node.name}({','.join(write(one) for one in node.arguments)})"
    if isinstance(node, Quantifier):
        return f"{node.path.text}/{'all' if node.every else 'any'}({node.variable}: {write(node.body)})"
    assert isinstance(node, Binary)
    return f"({write(node.left)}) {node.operator} ({write(node.right)})"


def _literal(node: Literal) -> str:
    value: Any = node.value
    if node.kind == "text":
        doubled = value.replace("'", "''")
        return f"'{doubled}'"
    if node.kind == "time":
        return instant(value)
    if node.kind == "period":
        return "/".join(instant(part) for part in value)
    return {"null": "null", "bool": str(value).lower()}.get(node.kind, repr(value))


def number() -> st.SearchStrategy[Expression]:
    return NUMBERS.map(lambda given: Literal("number", given, 0))


def text() -> st.SearchStrategy[Expression]:
    return TEXTS.map(lambda given: Literal("text", given, 0))


def time() -> st.SearchStrategy[Expression]:
    return TIMES.map(lambda given: Literal("time", given, 0))


def period() -> st.SearchStrategy[Expression]:
    return st.tuples(TIMES, TIMES).filter(lambda both: both[0] < both[1]).map(lambda both: Literal("period", both, 0))


def path(name: str) -> Expression:
    return Path(tuple(name.split("/")), 0)


def conditions(numbers: list[str], texts: list[str], times: list[str]) -> st.SearchStrategy[Expression]:
    """Conditions over these properties."""
    compared = st.sampled_from(["eq", "ne", "gt", "ge", "lt", "le"])
    a_number = st.one_of(number(), st.sampled_from(numbers).map(path))
    a_number = st.recursive(a_number, _calculations, max_leaves=4)
    a_text = st.recursive(st.one_of(text(), st.sampled_from(texts).map(path)), _texts, max_leaves=4)
    parts = [
        st.builds(lambda s, a, b: Binary(s, a, b, 0), compared, a_number, a_number),
        st.builds(lambda s, a, b: Binary(s, a, b, 0), compared, a_text, a_text),
        st.builds(lambda n, a, b: Call(n, (a, b), 0), st.sampled_from(["startswith", "endswith", "substringof"]), a_text, a_text),
        st.builds(
            lambda a, c: In(a, tuple(c), 0), st.sampled_from(numbers).map(path), st.lists(number(), min_size=1, max_size=3)
        ),
        st.builds(
            lambda s, p: Binary(s, path(p), Literal("null", None, 0), 0),
            st.sampled_from(["eq", "ne"]),
            st.sampled_from(numbers + texts + times),
        ),
    ]
    if times:
        a_time = st.one_of(time(), period(), st.sampled_from(times).map(path))
        calendar = ["year", "month", "day", "hour", "minute", "second", "fractionalseconds", "totaloffsetminutes"]
        relations = ["before", "after", "meets", "overlaps", "starts", "finishes"]
        own = st.sampled_from(times).map(path)
        parts += [
            st.builds(lambda s, a, b: Binary(s, a, b, 0), compared, a_time, a_time),
            st.builds(lambda n, a, b: Call(n, (a, b), 0), st.sampled_from(relations), a_time, a_time),
            st.builds(lambda a, b: Call("during", (a, b), 0), a_time, period()),
            st.builds(lambda s, n, a, b: Binary(s, Call(n, (a,), 0), b, 0), compared, st.sampled_from(calendar), own, number()),
        ]
    return st.recursive(st.one_of(parts), _joined, max_leaves=5)


def _calculations(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    signs = st.sampled_from(["add", "sub", "mul", "div", "mod"])
    return st.one_of(
        st.builds(lambda s, a, b: Binary(s, a, b, 0), signs, inner, inner),
        st.builds(lambda n, a: Call(n, (a,), 0), st.sampled_from(["round", "floor", "ceiling"]), inner),
    )


def _texts(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    places = st.integers(-1, 6).map(lambda given: Literal("number", given, 0))
    return st.one_of(
        st.builds(lambda n, a: Call(n, (a,), 0), st.sampled_from(["tolower", "toupper", "trim"]), inner),
        st.builds(lambda a, b: Call("concat", (a, b), 0), inner, inner),
        st.builds(lambda a, n: Call("substring", (a, n), 0), inner, places),
        st.builds(lambda a, n, m: Call("substring", (a, n, m), 0), inner, places, places),
    )


def _joined(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    return st.one_of(
        st.builds(lambda s, a, b: Binary(s, a, b, 0), st.sampled_from(["and", "or"]), inner, inner),
        st.builds(lambda a: Not(a, 0), inner),
    )
