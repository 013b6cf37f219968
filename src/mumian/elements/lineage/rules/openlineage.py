"""OpenLineage (spec 1.x and 2.x, facet columnLineage 1.x): RunEvents read into edges, and edges written as RunEvents."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mumian.elements.lineage.contracts import Column, Edge, Kind
from mumian.elements.lineage.errors import BadRunEvent
from mumian.kernel.errors import Fault

STATES = {
    "START": "started",
    "RUNNING": "started",
    "COMPLETE": "completed",
    "FAIL": "failed",
    "ABORT": "aborted",
    "OTHER": "started",
}
SCHEMA = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
COLUMN_FACET = "https://openlineage.io/spec/facets/1-2-0/ColumnLineageDatasetFacet.json"
PRODUCER = "https://mumian.example/elements/lineage"
MOST_DATASETS = 200
MOST_EDGES = 20_000
_LONGEST = 500
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:?\d{2})")


@dataclass(frozen=True)
class RunEvent:
    """What an event says: `run` is a UUID, `time` aware; the SQL of the job where it is told."""

    run: str
    job: str
    state: str
    time: datetime
    producer: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    edges: tuple[Edge, ...]
    sql: str | None


def read(body: Any, namespace: str) -> RunEvent:
    """Read a RunEvent; datasets and jobs of `namespace` are this city's own. Raises BadRunEvent that names the field."""
    event = _object(body, "")
    state = event.get("eventType", "OTHER")
    if state not in STATES:
        raise _bad("eventType", "field.choice", expected=", ".join(STATES))
    run = _object(event.get("run"), "run")
    identity = _text(run.get("runId"), "run.runId").lower()
    if not _UUID.fullmatch(identity):
        raise _bad("run.runId", "field.pattern", expected="a UUID")
    job = _object(event.get("job"), "job")
    inputs = _datasets(event, "inputs", namespace)
    outputs = _datasets(event, "outputs", namespace)
    edges = tuple(edge for name, dataset, where in outputs for edge in _edges(name, dataset, where, namespace))
    if len(edges) > MOST_EDGES:
        raise _bad("outputs", "field.length", expected=f"≤ {MOST_EDGES}")
    return RunEvent(
        identity,
        _named(job, "job", namespace),
        STATES[state],
        _time(event.get("eventTime")),
        str(event.get("producer", ""))[:_LONGEST],
        tuple(dict.fromkeys(name for name, _, _ in inputs)),
        tuple(dict.fromkeys(name for name, _, _ in outputs)),
        edges,
        _sql(job),
    )


def write(
    run: str, job: str, time: str, inputs: Sequence[str], output: str, edges: Sequence[Edge], namespace: str
) -> dict[str, Any]:
    """A COMPLETE event of one run."""
    fields: dict[str, dict[str, Any]] = {}
    for edge in edges:
        if edge.source.field and edge.target.field:
            subtype = {"identity": "IDENTITY", "transformation": "TRANSFORMATION", "aggregation": "AGGREGATION"}[edge.kind]
            source = _reference(edge.source.dataset, namespace) | {"field": edge.source.field}
            source["transformations"] = [{"type": "DIRECT", "subtype": subtype, "description": "", "masking": False}]
            fields.setdefault(edge.target.field, {"inputFields": []})["inputFields"].append(source)
    facet = {"_producer": PRODUCER, "_schemaURL": COLUMN_FACET, "fields": fields}
    return {
        "eventType": "COMPLETE",
        "eventTime": time,
        "producer": PRODUCER,
        "schemaURL": SCHEMA,
        "run": {"runId": run},
        "job": {"namespace": namespace, "name": job},
        "inputs": [_reference(name, namespace) for name in inputs],
        "outputs": [_reference(output, namespace) | ({"facets": {"columnLineage": facet}} if fields else {})],
    }


def _datasets(event: dict[str, Any], side: str, namespace: str) -> list[tuple[str, dict[str, Any], str]]:
    found = event.get(side) or []
    if not isinstance(found, list) or len(found) > MOST_DATASETS:
        raise _bad(side, "field.length", expected=f"≤ {MOST_DATASETS}")
    named = [(_object(one, f"{side}[{i}]"), f"{side}[{i}]") for i, one in enumerate(found)]
    return [(_named(one, where, namespace), one, where) for one, where in named]


def _edges(output: str, dataset: dict[str, Any], where: str, namespace: str) -> Iterator[Edge]:
    facets = dataset.get("facets") or {}
    facet = _object(facets, f"{where}.facets").get("columnLineage")
    if facet is None:
        return
    path = f"{where}.facets.columnLineage.fields"
    for target, entry in _object(_object(facet, path).get("fields") or {}, path).items():
        given = _object(entry, f"{path}.{target}").get("inputFields") or []
        if not isinstance(given, list):
            raise _bad(f"{path}.{target}.inputFields", "field.type", expected="a list")
        for index, source in enumerate(given):
            at = f"{path}.{target}.inputFields[{index}]"
            one = _object(source, at)
            column = Column(_named(one, at, namespace), _text(one.get("field"), f"{at}.field"))
            yield Edge(column, Column(output, target[:_LONGEST]), _kind(one))


def _kind(source: dict[str, Any]) -> Kind:
    told = source.get("transformations")
    subtypes = {str(one.get("subtype", "")).upper() for one in told if isinstance(one, dict)} if isinstance(told, list) else set()
    if "AGGREGATION" in subtypes:
        return "aggregation"
    return "identity" if subtypes == {"IDENTITY"} else "transformation"


def _named(one: dict[str, Any], where: str, namespace: str) -> str:
    space, name = _text(one.get("namespace"), f"{where}.namespace"), _text(one.get("name"), f"{where}.name")
    return name if space == namespace else f"{space}/{name}"


def _reference(name: str, namespace: str) -> dict[str, Any]:
    space, slash, rest = name.rpartition("/")
    return {"namespace": space, "name": rest} if slash else {"namespace": namespace, "name": name}


def _sql(job: dict[str, Any]) -> str | None:
    facets = job.get("facets")
    sql = facets.get("sql") if isinstance(facets, dict) else None
    query = sql.get("query") if isinstance(sql, dict) else None
    return query if isinstance(query, str) else None


def _time(value: Any) -> datetime:
    text = _text(value, "eventTime")
    try:
        if _TIME.fullmatch(text):
            return datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith("Z") else text)
    except ValueError:
        pass
    raise _bad("eventTime", "field.type", expected="an instant like 2014-01-02T03:04:05Z")


def _object(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _bad(where or "body", "field.type", expected="a mapping")
    return value


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value or len(value) > _LONGEST or "\x00" in value:
        raise _bad(where, "field.length", expected=f"1–{_LONGEST}")
    return value


def _bad(field: str, key: str, **values: Any) -> BadRunEvent:
    return BadRunEvent(Fault(field, key, values))
