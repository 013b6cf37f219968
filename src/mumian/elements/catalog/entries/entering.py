"""Entering: declarations, streams and harvested records become entries, in the commit or after the event that makes them."""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from pydantic import ValidationError

from mumian.elements.catalog.entries import rules, store
from mumian.elements.catalog.entries.contracts import Distribution, HarvestedDataset
from mumian.elements.catalog.events import DatasetEntered, DatasetWithdrawn, HarvestEntered, HarvestWithdrawn
from mumian.elements.catalog.models import DatasetSpec
from mumian.foundation.ledger.api import Fault, differences
from mumian.foundation.search.api import Search
from mumian.kernel.clock import iso
from mumian.kernel.errors import Invalid, NotFound
from mumian.kernel.events import DeliveredEvent
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Row, Session, Transaction, encode

SCOPE = "elements.catalog"
CONSUMER = "elements.catalog.entries"
_MOST_ORIGINAL = 4_000_000
_STREAM = "SELECT name, stream, owner, unit, observed_property, frequency_seconds FROM catalog_stream WHERE withdrawn = 0"


class Entering:
    """Writes entries with their texts; each method works in the caller's transaction."""

    name = CONSUMER

    def __init__(self, platform: Platform, formats: Callable[[str, DatasetSpec], tuple[str, ...]]) -> None:
        self._platform = platform
        self._formats = formats

    def subscribe(self) -> None:
        """Listen to what makes, changes and moves entries."""
        on = self._platform.subscribe
        on("declarations.applied", CONSUMER, self._applied)
        on("sensing.stream.registered", CONSUMER, self._registered)
        on("sensing.stream.retired", CONSUMER, self._retired)
        on("elements.catalog.loaded", CONSUMER, _loaded)
        on("elements.quality.scored", CONSUMER, _scored)
        for used in ("elements.sharing.used", "elements.opening.used"):
            on(used, CONSUMER, _used)

    def enter(self, tx: Transaction, given: HarvestedDataset) -> bool:
        """Enter or update a harvested dataset; False if nothing is new. Raises Invalid."""
        _check(given)
        draft = rules.harvested(given)
        record, original = rules.record(given), encode(given.original).decode()
        if len(original) > _MOST_ORIGINAL:
            raise Invalid.field("original", "field.length", most=_MOST_ORIGINAL)
        row: dict[str, Any] = {
            "origin": given.origin,
            "identifier": given.identifier,
            "source_url": given.source_url,
            "record": encode(record).decode(),
            "original": original,
            "digest": rules.digest([record, given.original]),
        }
        if not store.keep_harvested(tx, given.name, row):
            return False
        self._write(tx, draft, 1)
        tx.emit(HarvestEntered(subject=given.name, origin=given.origin, digest=row["digest"]))
        return True

    def leave(self, tx: Transaction, name: str) -> bool:
        """Take a harvested dataset out of the catalogue; False if it was not there."""
        if not store.forget_harvested(tx, name):
            return False
        self._gone(tx, name)
        tx.emit(HarvestWithdrawn(subject=name))
        return True

    def _applied(self, tx: Transaction, event: DeliveredEvent) -> None:
        for change in event.data["changes"]:
            if change["kind"] == "Dataset":
                self._dataset(tx, change["name"])

    def _dataset(self, tx: Transaction, name: str) -> None:
        draft = _declared(tx.session, name, self._formats)
        if draft is None:
            if self._gone(tx, name):
                tx.emit(DatasetWithdrawn(subject=name))
            return
        if self._write(tx, draft[0], draft[1]):
            tx.emit(DatasetEntered(subject=name, origin="declaration", owner=draft[0].owner))

    def _registered(self, tx: Transaction, event: DeliveredEvent) -> None:
        facts = {name: event.data[name] for name in ("stream", "owner", "unit", "observed_property", "frequency_seconds")}
        self._write(tx, rules.streamed(event.subject, _stream_title(tx.session, event.subject), facts), 1)

    def _retired(self, tx: Transaction, event: DeliveredEvent) -> None:
        self._gone(tx, event.subject)

    def _write(self, tx: Transaction, draft: rules.Draft, version: int) -> bool:
        told = draft.columns()
        old = store.entry(tx.session, draft.name)
        if old is not None and old["digest"] == told["digest"]:
            return store.put(tx, draft.name, told, version, old["document"])
        document = self._platform.get(Search).put(tx, SCOPE, draft.name, *draft.texts(*self._owner(draft.owner)))
        return store.put(tx, draft.name, told, version, document)

    def _owner(self, name: str | None) -> Iterable[str]:
        if name is None:
            return ()
        try:
            return self._platform.declarations.get("Organisation", name).title.values()
        except NotFound:
            return ()

    def _gone(self, tx: Transaction, name: str) -> bool:
        self._platform.get(Search).remove(tx, SCOPE, name)
        return store.drop(tx, name)

    async def start(self) -> None:
        """Enter anew the declared datasets whose formats are others than before: components that hand out data come and go."""
        kept = await self._platform.records.read(store.formats)
        for declared in self._platform.declarations.all("Dataset"):
            formats = json.dumps(sorted(self._formats(declared.name, declared.spec)), ensure_ascii=False, separators=(",", ":"))
            if kept.get(declared.name, formats) != formats:
                await self._platform.records.write(lambda tx, name=declared.name: self._dataset(tx, name))  # type: ignore[misc]

    async def stop(self) -> None:
        """Nothing runs by itself."""

    async def settle(self) -> bool:
        """There is never anything due."""
        return False

    def faults(self, session: Session) -> Iterator[Fault]:
        """Entries that are not as what they were made from says."""
        expected: dict[str, dict[str, Any]] = {}
        for row in session.rows("SELECT name FROM declaration_current WHERE kind = 'Dataset'"):
            draft = _declared(session, row["name"], self._formats)
            if draft is not None:
                expected[row["name"]] = _lasting(draft[0])
        for row in session.rows(_STREAM):
            expected[row["name"]] = rules.streamed(row["name"], _stream_title(session, row["name"]), row).columns()
        expected |= _kept(session)
        behind = session.value(
            "SELECT COUNT(*) FROM kernel_outbox WHERE (type LIKE 'sensing.stream.%' OR type = 'declarations.applied') "
            "AND id > COALESCE((SELECT MAX(position) FROM kernel_consumer WHERE name = :name), 0)",
            name=CONSUMER,
        )
        if not behind:
            yield from differences("catalog_entry", expected, ((row["name"], row) for row in store.everything(session)))
        yield from _harvest_faults(session)


def _check(given: HarvestedDataset) -> None:
    if not rules.ORIGIN.fullmatch(given.origin):
        raise Invalid.field("origin", "field.pattern", expected=rules.ORIGIN.pattern)
    if not given.identifier.strip() or len(given.identifier) > 400 or any(ord(c) < 32 for c in given.identifier):
        raise Invalid.field("identifier", "field.length", most=400)
    if not any(text.strip() for text in given.title.values()) or not given.title.keys() <= {"zh", "en"}:
        raise Invalid.field("title", "field.missing")


def _declared(
    session: Session, name: str, formats: Callable[[str, DatasetSpec], tuple[str, ...]]
) -> tuple[rules.Draft, int] | None:
    """The entry of the declaration in force, with its version; None where there is none that fits its kind."""
    row = session.row("SELECT document, version FROM declaration_current WHERE kind = 'Dataset' AND name = :name", name=name)
    if row is None:
        return None
    body = json.loads(row["document"])
    try:
        spec = DatasetSpec.model_validate(body["spec"])
    except ValidationError:
        return None
    return rules.declared(name, body["title"], spec, formats(name, spec)), int(row["version"])


def _lasting(draft: rules.Draft) -> dict[str, Any]:
    """Of an entry what only its declaration decides; its formats depend on which components hand out data."""
    return {key: value for key, value in draft.columns().items() if key not in ("formats", "digest")}


def _stream_title(session: Session, name: str) -> dict[str, str]:
    found = session.value("SELECT document FROM declaration_current WHERE kind = 'Stream' AND name = :name", name=name)
    return {"zh": name, "en": name} if found is None else json.loads(found)["title"]


def _kept(session: Session) -> dict[str, dict[str, Any]]:
    found = {}
    for row in session.rows("SELECT name, record FROM catalog_harvested"):
        found[row["name"]] = rules.harvested(read(row)).columns()
    return found


def _harvest_faults(session: Session) -> Iterator[Fault]:
    """Harvested records that are not those of which the events tell."""
    told: dict[str, dict[str, Any]] = {}
    sql = "SELECT type, subject, payload FROM kernel_outbox WHERE type IN (:entered, :left) ORDER BY id"
    for row in session.rows(sql, entered=HarvestEntered.type, left=HarvestWithdrawn.type):
        if row["type"] == HarvestEntered.type:
            told[row["subject"]] = {"digest": json.loads(row["payload"])["digest"]}
        else:
            told.pop(row["subject"], None)
    found = []
    for row in session.rows("SELECT name, record, original FROM catalog_harvested"):
        found.append((row["name"], {"digest": rules.digest([json.loads(row["record"]), json.loads(row["original"])])}))
    yield from differences("catalog_harvested", told, found)


def read(row: Row) -> HarvestedDataset:
    """A harvested dataset as it was entered; `original` is None where the row has none."""
    told: dict[str, Any] = json.loads(row["record"])
    ways = tuple(Distribution(**each) for each in told.pop("distributions"))
    original = json.loads(row["original"]) if "original" in row else None
    return HarvestedDataset(**(told | {"keywords": tuple(told["keywords"])}), distributions=ways, original=original)


def _loaded(tx: Transaction, event: DeliveredEvent) -> None:
    store.move(tx, event.subject, reached_at=iso(event.time), held_rows=event.data["total"])


def _scored(tx: Transaction, event: DeliveredEvent) -> None:
    score = event.data.get("score")
    store.move(tx, event.subject, score=float(score) if isinstance(score, int | float) else None)


def _used(tx: Transaction, event: DeliveredEvent) -> None:
    store.move(tx, event.subject, used=int(event.data.get("count", 1)))
