"""What goes through the gate: requests with their grants, and answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from mumian.foundation.identity.contracts import Caller

Method = Literal["keep", "hash", "year", "null", "constant", "division", "round"]
Scalar = str | int | float | bool | None


@dataclass(frozen=True)
class Mask:
    """How a value is shown in place of itself.

    `keep` shows the `first` and `last` characters with `****` between (nothing else of a shorter value), `hash` a keyed
    HMAC-SHA-256 in hexadecimal, `year` the year alone, `null` nothing, `constant` the text `value`, `division` the first `first`
    digits of a division code with zeros behind, `round` a number with `first` digits after the point.
    """

    method: Method
    first: int = 0
    last: int = 0
    value: str = ""


@dataclass(frozen=True)
class DatasetGrant:
    """What a grant allows of one dataset.

    `fields`: those that may be seen, None for all. `rows`: a condition in SQL over its fields, without subqueries. `masks` and
    `tokens` say of a field how it is shown; a token is the HMAC-SHA-256 (RFC 2104), in hexadecimal, of the value as text, under
    the key that is named. `lookup`: fields by whose value a row may be asked for with `RowRequest.match`, though they are masked.
    `plain`: personal fields that are shown as they are, because whoever decided on the grant said so for its purpose.
    """

    dataset: str
    fields: tuple[str, ...] | None = None
    rows: str | None = None
    masks: tuple[tuple[str, Mask], ...] = ()
    tokens: tuple[tuple[str, str], ...] = ()
    lookup: tuple[str, ...] = ()
    plain: tuple[str, ...] = ()


@dataclass(frozen=True)
class Grant:
    """What somebody was granted 授权: `id` goes into the evidence; `holder` is the organisation that may use it, None for any.

    A request names one of `purposes`; from `expires` on nothing is allowed. `quota` is how many more rows may be read, None for
    any number: an answer is never longer (whoever meters gives the rest with each request).
    """

    id: str
    datasets: tuple[DatasetGrant, ...]
    purposes: tuple[str, ...]
    holder: str | None = None
    expires: datetime | None = None
    quota: int | None = None


@dataclass(frozen=True)
class Limits:
    """The bounds of an answer: longer ones are cut (`Answer.truncated`), slower ones are refused."""

    rows: int = 10_000
    bytes: int = 32 * 1024 * 1024
    seconds: float = 10.0


@dataclass(frozen=True)
class RowRequest:
    """A question for rows.

    `sql` is one SELECT in DuckDB's SQL over names of datasets (`"shops.open"` or shops.open), with `$name` for each of `params`.
    `match` asks for the rows of every dataset that has such fields where they equal these values, before anything is masked.
    """

    caller: Caller
    purpose: str
    sql: str
    params: Mapping[str, Scalar] = field(default_factory=dict)
    grant: Grant | None = None
    limits: Limits = field(default_factory=Limits)
    match: Mapping[str, Scalar] = field(default_factory=dict)


@dataclass(frozen=True)
class AnswerColumn:
    """A column of an answer; `type` is one of text, integer, number, boolean, date, time, json."""

    name: str
    type: str


@dataclass(frozen=True)
class Answer:
    """Rows, ready for JSON: dates and times are ISO 8601 (UTC), binary values hexadecimal.

    `truncated` says that there are more rows than the limits let through.
    """

    columns: tuple[AnswerColumn, ...]
    rows: list[tuple[Any, ...]]
    truncated: bool


@dataclass(frozen=True)
class Delivery:
    """A question rewritten by policy, for set-based work in a lake transaction: run `sql` with `params` bound by name.

    `params` hold keys of tokens: they are never logged or kept. `columns` names what comes out.
    """

    sql: str
    params: Mapping[str, Any]
    columns: tuple[AnswerColumn, ...]
    labelled: tuple[str, ...]


@dataclass(frozen=True)
class FieldTerms:
    """How a field may leave: as it is, masked, or as a token under the key of that name."""

    name: str
    type: str
    mask: Mask | None = None
    token: str | None = None


@dataclass(frozen=True)
class Terms:
    """How rows of a dataset may leave, for work that has to see them before they are masked: `table` is that of the lake.

    `rows` is the condition, in SQL over the table's columns, that they must meet; empty: all may leave.
    """

    dataset: str
    table: str
    fields: tuple[FieldTerms, ...]
    rows: str = ""


@dataclass(frozen=True)
class Label:
    """What is known of a field: its grade, whether it is personal, and the category that a detector saw (`phone`, …) or None."""

    grade: str = "general"
    personal: str = "none"
    category: str | None = None
