"""What the catalogue hands out about datasets that have rows of their own."""

from dataclasses import dataclass
from typing import Literal

from mumian.elements.catalog.models import FieldSpec

LoadMode = Literal["append", "replace", "upsert"]


@dataclass(frozen=True)
class TableInfo:
    """The rows of a dataset: in the lake they are the table `name`, with a column for each field.

    Two columns come with every table: `_id` BIGINT tells rows apart and only grows, `_load` BIGINT is the load that brought
    the row. `loaded_at` is ISO 8601 UTC, None before the first load.
    """

    dataset: str
    name: str
    fields: tuple[FieldSpec, ...]
    key: tuple[str, ...]
    rows: int
    loaded_at: str | None


@dataclass(frozen=True)
class Load:
    """One delivery of rows into a dataset; `state` is started, done or failed, `rows` how many it brought, `total` all after it.

    `watermark` is what an incremental source says it has reached; the next load goes on from there.
    """

    number: int
    dataset: str
    mode: LoadMode
    source: str
    watermark: str | None
    state: str
    started_at: str
    ended_at: str | None
    rows: int | None
    total: int | None
    actor: str
