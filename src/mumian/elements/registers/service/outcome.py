"""Outcomes: what the lake says of a register and of one run, so that it can be told whenever the run ended."""

import json
from dataclasses import dataclass
from typing import Any

from mumian.elements.registers.service.layout import Layout
from mumian.foundation.storage.contracts import Lake

STATES = ("created", "changed", "merged", "split", "ended")
_TOLD = 1000


@dataclass(frozen=True)
class Change:
    """What became of one entity."""

    entity: int
    state: str
    version: int
    successors: list[int]
    origins: list[int]


def size(lake: Lake, layout: Layout) -> tuple[int, set[str]]:
    """How many records are live, and the datasets that they come from."""
    rows = lake.rows(f"SELECT dataset, count(*) FROM {layout.record} WHERE ended IS NULL GROUP BY dataset")
    return sum(row[1] for row in rows), {row[0] for row in rows}


def keep_terms(lake: Lake, layout: Layout, terms: dict[str, Any]) -> None:
    """Keep how common values are, for later runs; for who holds the lake's seals."""
    with lake.transaction() as work:
        work.execute(f"DELETE FROM {layout.term}")
        work.offer("terms", terms)
        work.execute(f"INSERT INTO {layout.term} BY NAME SELECT * FROM terms")


def forget(lake: Lake) -> None:
    """Let go of the temporary tables of this thread and of the writer."""
    listing = "SELECT table_name FROM duckdb_tables() WHERE temporary AND starts_with(table_name, 'registers_')"
    if names := lake.rows(listing):
        lake.rows("; ".join(f"DROP TABLE IF EXISTS temp.{name}" for (name,) in names))
    with lake.transaction() as work:
        if names := work.rows(listing):
            work.execute("; ".join(f"DROP TABLE IF EXISTS temp.{name}" for (name,) in names))


def still(lake: Lake, layout: Layout) -> bool:
    """Whether every live record is in an entity as it is, and every record in an entity lives: nothing is to be matched."""
    live = f"SELECT number, revision FROM {layout.record} WHERE ended IS NULL"
    placed = f"SELECT record, revision FROM {layout.member}"
    found = lake.rows(f"SELECT (SELECT count(*) FROM ({live} EXCEPT {placed})) + (SELECT count(*) FROM ({placed} EXCEPT {live}))")
    return int(found[0][0]) == 0


def counts(lake: Lake, layout: Layout, run: int) -> dict[str, int]:
    """What a run did, and what there is now."""
    found = dict(lake.rows(f"SELECT state, count(*) FROM {layout.version} WHERE run = {run} GROUP BY state"))
    records, entities = lake.rows(f"SELECT count(*), count(DISTINCT entity) FROM {layout.member}")[0]
    apart = lake.rows(f"SELECT count(*) FROM {layout.pair} WHERE reason IS NOT NULL")[0][0]
    return {state: int(found.get(state, 0)) for state in STATES} | {"records": records, "entities": entities, "apart": apart}


def changes(lake: Lake, layout: Layout, run: int) -> list[Change]:
    """What became of entities in a run, of at most a thousand."""
    rows = lake.rows(
        f"SELECT entity, state, version, successors, origins FROM {layout.version} WHERE run = {run} "
        f"ORDER BY entity LIMIT {_TOLD}"
    )
    return [Change(e, state, version, json.loads(to), json.loads(of)) for e, state, version, to, of in rows]
