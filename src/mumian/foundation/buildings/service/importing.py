"""Importing: drafts become buildings in one commit with one event; the same source and id is the same object."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import msgspec

from mumian.foundation.buildings.contracts import Building, ImportReport, Model, ObjectFault
from mumian.foundation.buildings.files.drafting import Drafted
from mumian.foundation.buildings.files.drafts import composed, placed
from mumian.foundation.buildings.service.recording import record
from mumian.foundation.buildings.service.shapes import Shapes, encoded
from mumian.foundation.buildings.store import BUILDINGS, MODELS
from mumian.foundation.spatial.api import Spatial
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Actor, Session, Transaction, next_value

MOST_FAULTS = 1_000
_KEPT = ("title", "use", "year", "storeys", "below", "height", "ground", "owner")


@dataclass(frozen=True)
class Origin:
    """Where objects come from: the name of the source, who owns them, and whether the file names all that the source has."""

    source: str
    owner: str = ""
    complete: bool = False


@dataclass
class Prepared:
    """What an import would write: first versions without codes, the source id of each one's parent, models and faults."""

    buildings: list[Building]
    parents: dict[str, str]
    crs: str
    faults: list[ObjectFault]
    texts: dict[str, str]
    drafted: Drafted
    models: dict[str, Model] = field(default_factory=dict)


@dataclass
class _Plan:
    written: list[Building] = field(default_factory=list)
    added: int = 0
    changed: int = 0
    withdrawn: int = 0
    code_of: dict[str, str] = field(default_factory=dict)


def prepare(platform: Platform, drafted: Drafted, origin: Origin) -> Prepared:
    """Move footprints to WGS 84 and compose buildings; blocks. Raises Invalid for a system that is not known."""
    spatial = platform.get(Spatial)
    drafts = drafted.drafts
    misplaced = placed(drafts, lambda x, y: spatial.convert(x, y, drafted.crs, "CRS84"))
    away = {fault.object for fault in misplaced}
    texts: dict[str, str] = {}
    buildings, parents = [], {}
    for draft in drafts:
        if draft.source_id in away:
            continue
        digest, text = encoded(draft.shapes)
        if digest:
            texts[digest] = text
        building = composed(draft, "", "", origin.source, drafted.crs, digest)
        buildings.append(msgspec.structs.replace(building, owner=origin.owner))
        if draft.parent:
            parents[draft.source_id] = draft.parent
    return Prepared(buildings, parents, drafted.crs, [*drafted.faults, *misplaced], texts, drafted, drafted.models)


async def run(platform: Platform, drafted: Drafted, origin: Origin, file: bytes, actor: Actor) -> ImportReport:
    """Bring drafts in: shapes into the lake first, then everything else in one commit."""
    prepared = await asyncio.to_thread(prepare, platform, drafted, origin)
    await Shapes(platform).keep(prepared.crs, prepared.texts)
    digest = sha256(file).hexdigest()
    return await platform.records.write(lambda tx: keep(tx, prepared, origin, digest), actor)


def keep(tx: Transaction, prepared: Prepared, origin: Origin, file: str) -> ImportReport:
    """Write what is new or other than before."""
    plan = _planned(tx, prepared, origin)
    batch, digest = record(tx, BUILDINGS, "import", plan.written, origin.source, file) if plan.written else ("", "")
    _keep_models(tx, prepared, plan, origin, file)
    return report(prepared, plan.added, plan.changed, plan.withdrawn, batch, digest)


def preview(session: Session, prepared: Prepared, origin: Origin) -> ImportReport:
    """What an import would do, without doing it."""
    known = _known(session, prepared, origin)
    added = sum(1 for building in prepared.buildings if building.source_id not in known)
    changed = 0
    for building in prepared.buildings:
        old = known.get(building.source_id)
        parent = known.get(prepared.parents.get(building.source_id, ""))
        changed += old is not None and _merged(old, building, parent.code if parent else "") != old
    return report(prepared, added, changed, 0, "", "")


def report(prepared: Prepared, added: int, changed: int, withdrawn: int, batch: str, digest: str) -> ImportReport:
    """The report of an import."""
    refused = len({fault.object for fault in prepared.faults})
    return ImportReport(
        objects=prepared.drafted.objects,
        added=added,
        changed=changed,
        repeated=len(prepared.buildings) - added - changed,
        refused=refused,
        withdrawn=withdrawn,
        kinds=prepared.drafted.kinds,
        crs=prepared.crs,
        faults=tuple(prepared.faults[:MOST_FAULTS]),
        batch=batch,
        digest=digest,
    )


def _known(session: Session, prepared: Prepared, origin: Origin) -> dict[str, Building]:
    ids = [building.source_id for building in prepared.buildings]
    return {old.source_id: old for old in BUILDINGS.of(session, "source_id", ids, source=origin.source)}


def _planned(tx: Transaction, prepared: Prepared, origin: Origin) -> _Plan:
    known, plan = _known(tx.session, prepared, origin), _Plan()
    fresh = [building for building in prepared.buildings if building.source_id not in known]
    number = next_value(tx.session, "buildings.code", len(fresh)) if fresh else 0
    plan.code_of = {id_: old.code for id_, old in known.items()}
    plan.code_of |= {building.source_id: f"B{number + i:09d}" for i, building in enumerate(fresh)}
    plan.added = len(fresh)
    for building in prepared.buildings:
        old = known.get(building.source_id)
        parent = plan.code_of.get(prepared.parents.get(building.source_id, ""), "")
        if old is None:
            code = plan.code_of[building.source_id]
            plan.written.append(msgspec.structs.replace(building, code=code, changed=tx.now_text, parent=parent))
            continue
        merged = _merged(old, building, parent)
        if merged != old:
            plan.changed += 1
            plan.written.append(msgspec.structs.replace(merged, version=old.version + 1, changed=tx.now_text))
    if origin.complete:
        gone = _gone(tx.session, plan.code_of, origin.source)
        plan.withdrawn = len(gone)
        plan.written += [
            msgspec.structs.replace(old, state="withdrawn", version=old.version + 1, changed=tx.now_text) for old in gone
        ]
    return plan


def _merged(old: Building, new: Building, parent: str) -> Building:
    """The new version of an object: what the file does not say, links and findings stay as they were."""
    stays: dict[str, Any] = {name: getattr(old, name) for name in _KEPT if getattr(new, name) in (None, "", {})}
    state = "standing" if old.state == "withdrawn" else old.state
    stays |= {"code": old.code, "version": old.version, "changed": old.changed, "state": state, "parent": parent}
    return msgspec.structs.replace(new, **stays, registered=old.registered, address=old.address)


def _gone(session: Session, code_of: dict[str, str], source: str) -> Sequence[Building]:
    held = BUILDINGS.of(session, "source", [source])
    return [old for old in held if old.source_id not in code_of and old.state != "withdrawn"]


def _keep_models(tx: Transaction, prepared: Prepared, plan: _Plan, origin: Origin, file: str) -> None:
    written = []
    for source_id, model in prepared.models.items():
        code = plan.code_of.get(source_id)
        if code is None:
            continue
        old = MODELS.get(tx.session, code)
        new = msgspec.structs.replace(model, code=code, version=old.version + 1 if old else 1, changed=tx.now_text)
        if old is None or msgspec.structs.replace(new, version=old.version, changed=old.changed) != old:
            written.append(new)
    if written:
        record(tx, MODELS, "import", written, origin.source, file)
