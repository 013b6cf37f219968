"""Visits: opened for an address, building, component or grid; made once, with result, note, evidence, who and when."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from mumian.foundation.addresses.api import Addresses
from mumian.foundation.grids.contracts import Building, Component, Visit
from mumian.foundation.grids.errors import VisitClosed
from mumian.foundation.grids.rules import visiting
from mumian.foundation.grids.service.recording import newest, record
from mumian.foundation.grids.store import BUILDINGS, COMPONENTS, GRIDS, VISITS
from mumian.kernel.errors import Invalid, NotFound
from mumian.kernel.ids import new_id
from mumian.kernel.unit_of_work import Transaction


def open_visits(
    tx: Transaction, addresses: Addresses, subjects: Sequence[tuple[str, str]], values: Mapping[str, Any]
) -> list[Visit]:
    """One open visit for each subject (kind, code), in one commit. Raises NotFound for a subject that there is not."""
    for kind, code in subjects:
        _present(tx, addresses, kind, code)
    made = [Visit(code=new_id(), valid_from=tx.now_text, subject_kind=kind, subject=code, **values) for kind, code in subjects]
    record(tx, VISITS, "open", made)
    return made


def _present(tx: Transaction, addresses: Addresses, kind: str, code: str) -> None:
    if kind == "address":
        found: Any = addresses.find(tx.session, code)
    else:
        register: Any = {"building": BUILDINGS, "component": COMPONENTS, "grid": GRIDS}[kind]
        found = register.at(tx.session, code, tx.now_text if kind != "grid" else tx.now_text[:10])
    if found is None:
        raise NotFound(kind=kind, name=code)


def make_visit(tx: Transaction, code: str, result: str, values: Mapping[str, Any]) -> Visit:
    """Say what was found; a component or building takes the state that this proves, in the same commit.

    Raises NotFound, VisitClosed, Invalid for a result that its subject cannot have.
    """
    old = _open(tx, code)
    allowed = visiting.results_for(old.subject_kind)
    if result not in allowed:
        raise Invalid.field("result", "field.choice", expected=", ".join(allowed))
    given = {name: value for name, value in values.items() if value is not None}
    new: Visit = msgspec.structs.replace(
        old,
        **given,
        version=old.version + 1,
        valid_from=tx.now_text,
        state="done",
        result=result,
        done=tx.now_text,
        done_by=tx.actor.id,
    )
    record(
        tx,
        VISITS,
        "close",
        [new],
        [(old, tx.now_text)],
        {"subject_kind": new.subject_kind, "subject": new.subject, "result": result},
    )
    _take_note(tx, new)
    return new


def call_off(tx: Transaction, code: str, note: str) -> Visit:
    """Close a visit that need not be made. Raises NotFound, VisitClosed."""
    old = _open(tx, code)
    new: Visit = msgspec.structs.replace(
        old, version=old.version + 1, valid_from=tx.now_text, state="cancelled", note=note, done=tx.now_text, done_by=tx.actor.id
    )
    record(tx, VISITS, "close", [new], [(old, tx.now_text)], {"subject_kind": new.subject_kind, "subject": new.subject})
    return new


def _open(tx: Transaction, code: str) -> Visit:
    visit: Visit = newest(tx.session, VISITS, code)
    if visit.state != "open":
        raise VisitClosed(code=code)
    return visit


def _take_note(tx: Transaction, visit: Visit) -> None:
    state = visiting.state_after(visit.subject_kind, visit.result)
    if visit.subject_kind == "component":
        component: Component = newest(tx.session, COMPONENTS, visit.subject)
        after: Component = msgspec.structs.replace(
            component,
            version=component.version + 1,
            valid_from=tx.now_text,
            inspected=tx.now_text,
            state=state or component.state,
        )
        record(tx, COMPONENTS, "change", [after], [(component, tx.now_text)], {"visit": visit.code})
    elif visit.subject_kind == "building" and state is not None:
        building: Building = newest(tx.session, BUILDINGS, visit.subject)
        if building.state != state:
            changed: Building = msgspec.structs.replace(
                building, version=building.version + 1, valid_from=tx.now_text, state=state
            )
            record(tx, BUILDINGS, "change", [changed], [(building, tx.now_text)], {"visit": visit.code})
