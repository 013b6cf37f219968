"""Privacy: k-anonymity, l-diversity, t-closeness and uniqueness of rows as SQL, and what generalisation would help.

k-anonymity: Samarati and Sweeney 1998; distinct l-diversity: Machanavajjhala and others 2007; t-closeness with equal distances
between values: Li and others 2007.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import floor, log10

from mumian.elements.opening.rules.asking import quoted

_ABOUT_PEOPLE = {
    "age": r"age|年龄|岁数",
    "sex": r"sex|gender|性别",
    "birth": r"birth\w*|born|dob|date_of_birth|出生\w*|生日",
    "race": r"race|ethnic\w*|民族|种族",
    "marital": r"marital\w*|婚姻\w*",
    "education": r"education\w*|degree|学历|文化程度|学位",
    "occupation": r"occupation|profession|job\w*|职业|职务|职称|工种",
    "origin": r"native\w*|nationality|citizenship|国籍|籍贯|户籍\w*|出生地",
    "family": r"relationship|household\w*|与户主关系|家庭\w*|子女\w*",
    "politics": r"political\w*|政治面貌",
}
_WHERE_AND_WHEN = (
    r"zip\w*|post(al)?_?code|邮编|邮政编码|address|住址|地址|residence|居住地|district|行政区\w*|region|community|社区|street|街道|"
    r"workclass|employer|工作单位|school|学校|admission\w*|入院\w*|就诊\w*|入职\w*"
)
_SENSITIVE = (
    r"income|salary|wage\w*|工资|收入|薪酬|disease|illness|diagnos\w*|疾病|诊断\w*|病种|病史|religion|宗教\w*|crime|offen[cs]e|处罚\w*|"
    r"犯罪\w*|welfare|低保\w*|救助\w*|disab\w*|残疾\w*|hiv|medication|用药|credit_score|debt|负债"
)


@dataclass(frozen=True)
class Field:
    """A field as the public would see it: name, type and the label in force (`personal` is none, personal or sensitive)."""

    name: str
    type: str
    personal: str = "none"


@dataclass(frozen=True)
class Plan:
    """What is checked: quasi-identifiers and sensitive fields, and what is asked of them."""

    quasi: tuple[str, ...]
    sensitive: tuple[str, ...]
    k: int = 5
    l: int = 2  # noqa: E741
    t: float | None = None
    tolerated: float = 0.0


@dataclass(frozen=True)
class Step:
    """A generalisation of a field: `how` is band, prefix, month, year, decade or drop, `amount` the width or length."""

    field: str
    how: str
    amount: float = 0

    @property
    def cost(self) -> float:
        """How much is lost, for choosing between steps."""
        return {"band": 1.0, "prefix": 1.0, "month": 1.0, "year": 1.5, "decade": 2.0, "drop": 3.0}[self.how]


def suggested(fields: Sequence[Field]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Quasi-identifiers and sensitive fields, from names and labels; none where the rows seem to be about no people."""
    quasi = [f.name for f in fields if f.personal == "personal" or (f.personal == "none" and _quasi(f.name))]
    sensitive = [f.name for f in fields if f.personal == "sensitive" or (f.personal == "none" and _is(_SENSITIVE, f.name))]
    about = {key for f in fields for key, pattern in _ABOUT_PEOPLE.items() if _is(pattern, f.name)}
    if any(f.personal != "none" for f in fields) or len(about) >= 2:
        return tuple(name for name in quasi if name not in sensitive), tuple(sensitive)
    return (), ()


def _quasi(name: str) -> bool:
    return _is(_WHERE_AND_WHEN, name) or any(_is(pattern, name) for pattern in _ABOUT_PEOPLE.values())


def _is(pattern: str, name: str) -> bool:
    plain = re.sub(r"[\s-]", "_", name)
    return re.fullmatch(rf"(\w+_)?({pattern})(_\w+)?", plain, re.IGNORECASE) is not None


def groups(plan: Plan, rows: str) -> str:
    """The pass over the rows: how many rows have each combination of quasi-identifiers and sensitive values."""
    names = [*plan.quasi, *plan.sensitive]
    columns = ", ".join(f"{quoted(name)} AS {alias}" for name, alias in zip(names, aliases(plan), strict=True))
    return f"SELECT {columns}, count(*) AS n FROM ({rows}) AS r GROUP BY ALL"


def aliases(plan: Plan) -> list[str]:
    """The columns of `groups`: q0, q1 … and s0, s1 …, then n."""
    return [f"q{i}" for i in range(len(plan.quasi))] + [f"s{i}" for i in range(len(plan.sensitive))]


def measures(plan: Plan, table: str, steps: Mapping[str, Step]) -> str:
    """SQL over the table of `groups` that gives: rows, classes, k, rows in classes below k, unique rows, then for each sensitive
    field: the least number of distinct values in a class, and the rows in classes with fewer than l.
    """
    keys = [expression(f"q{i}", steps.get(name)) for i, name in enumerate(plan.quasi)]
    listed = "".join(f"{key} AS k{i}, " for i, key in enumerate(keys))
    diverse = "".join(f", count(DISTINCT coalesce(CAST(s{j} AS VARCHAR), '')) AS d{j}" for j in range(len(plan.sensitive)))
    by = ", ".join(f"k{i}" for i in range(len(keys)))
    found = "".join(f", min(d{j}), coalesce(sum(n) FILTER (d{j} < {plan.l}), 0)" for j in range(len(plan.sensitive)))
    inner = f"SELECT {listed}sum(n) AS n{diverse} FROM {table} GROUP BY {by}"
    return (
        f"SELECT coalesce(sum(n), 0), count(*), coalesce(min(n), 0), coalesce(sum(n) FILTER (n < {plan.k}), 0), "
        f"count(*) FILTER (n = 1){found} FROM ({inner}) AS c"
    )


def closeness(plan: Plan, table: str, sensitive: int) -> str:
    """SQL that gives the largest distance (half the sum of differences) of a class's distribution of a field from that of all."""
    by = ", ".join(f"q{i}" for i in range(len(plan.quasi)))
    return (
        f"WITH a AS (SELECT s{sensitive} AS v, sum(n) / (SELECT sum(n) FROM {table}) AS share FROM {table} GROUP BY 1), "
        f"c AS (SELECT {by}, s{sensitive} AS v, sum(n) AS n FROM {table} GROUP BY ALL), "
        f"p AS (SELECT {by}, v, n / sum(n) OVER (PARTITION BY {by}) AS share FROM c) "
        f"SELECT max(far) FROM (SELECT (sum(abs(p.share - a.share)) + 1 - sum(a.share)) / 2 AS far "
        f"FROM p JOIN a ON p.v IS NOT DISTINCT FROM a.v GROUP BY {', '.join(f'p.q{i}' for i in range(len(plan.quasi)))}) AS d"
    )


def expression(column: str, step: Step | None) -> str:
    """A quasi-identifier after a step."""
    if step is None:
        return column
    if step.how == "band":
        return f"floor({column} / {step.amount:g})"
    if step.how == "prefix":
        return f"left(CAST({column} AS VARCHAR), {int(step.amount)})"
    if step.how in ("month", "year", "decade"):
        return f"date_trunc('{step.how}', {column})"
    return "NULL"


def candidates(fields: Mapping[str, tuple[str, float, int]], plan: Plan, steps: Mapping[str, Step]) -> list[Step]:
    """The next steps that could be taken; `fields` tells of each quasi-identifier its type, range (numbers) or fixed length
    (codes, otherwise 0), and number of distinct values.
    """
    found = []
    for name in plan.quasi:
        type_, spread, distinct = fields[name]
        done = steps.get(name)
        ladder = _ladder(name, type_, spread, distinct)
        places = [i for i, step in enumerate(ladder) if step == done]
        further = ladder[(places[0] + 1 if places else 0) :]
        found += [step for step in further if step.how != "drop"] or further
    return found


def _ladder(name: str, type_: str, spread: float, distinct: int) -> list[Step]:
    """The steps for a field, from fine to coarse."""
    if distinct <= 1:
        return []
    if type_ in ("integer", "number") and spread > 0:
        widths = [w for w in (nice(spread / parts) for parts in (20, 8, 4)) if type_ == "number" or w > 1]
        return [*(Step(name, "band", w) for w in dict.fromkeys(widths)), Step(name, "drop")]
    if type_ in ("date", "time"):
        return [Step(name, "month"), Step(name, "year"), Step(name, "decade"), Step(name, "drop")]
    if type_ in ("text", "integer") and spread >= 4:
        return [
            Step(name, "prefix", spread - 2),
            *([Step(name, "prefix", spread - 4)] if spread >= 6 else []),
            Step(name, "drop"),
        ]
    return [Step(name, "drop")]


def nice(width: float) -> float:
    """The number of 1, 2 or 5 times a power of ten that is next above."""
    power = 10.0 ** floor(log10(width)) if width > 0 else 1.0
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= width * 0.999)
