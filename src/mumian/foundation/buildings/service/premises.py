"""Premises 四实: counts of people, houses, units and facilities by building, address and room; verified by visits.

A visit of the grids' register that is closed at a building (by its code there) or at an address says so of the premises there.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from mumian.foundation.addresses.api import Addresses
from mumian.foundation.buildings.contracts import Building, Premises
from mumian.foundation.buildings.service.recording import record
from mumian.foundation.buildings.store import BUILDINGS, PREMISES
from mumian.kernel.errors import Fault, Invalid
from mumian.kernel.events import DeliveredEvent
from mumian.kernel.unit_of_work import Session, Transaction

COUNTS = ("people", "houses", "units", "facilities")
_GONE = ("absent", "removed")


def code_of(building: str, address: str, unit: str, room: str, source: str) -> str:
    """The key of premises: one place of one source."""
    return "|".join(part.replace("\\", "\\\\").replace("|", "\\p") for part in (building, address, unit, room, source))


def keep(tx: Transaction, addresses: Addresses, rows: Sequence[Mapping[str, Any]]) -> tuple[int, int, int]:
    """Keep premises, new or in place of what the same source said of the same place: added, changed, repeated. Raises Invalid.

    Other counts than those that a visit saw take its finding away.
    """
    _check(tx.session, addresses, rows)
    given = {_key(row): row for row in rows}
    known = {old.code: old for old in PREMISES.of(tx.session, "code", given)}
    written, added = [], 0
    for code, row in given.items():
        old = known.get(code)
        new = Premises(code=code, changed=tx.now_text, **row)
        if old is None:
            added += 1
            written.append(new)
        elif _counts(old) != _counts(new) or old.as_of != new.as_of:
            seen = _counts(old) == _counts(new)
            finding = {name: getattr(old, name) for name in ("finding", "visit", "verified")} if seen else {}
            written.append(msgspec.structs.replace(new, version=old.version + 1, **finding))
    if written:
        record(tx, PREMISES, "import", written, rows[0]["source"])
    return added, len(written) - added, len(given) - len(written)


def _key(row: Mapping[str, Any]) -> str:
    return code_of(row["building"], row.get("address", ""), row.get("unit", ""), row.get("room", ""), row["source"])


def _counts(premises: Premises) -> tuple[Any, ...]:
    return tuple(getattr(premises, name) for name in COUNTS)


def _check(session: Session, addresses: Addresses, rows: Sequence[Mapping[str, Any]]) -> None:
    buildings = {building.code for building in BUILDINGS.of(session, "code", [row["building"] for row in rows])}
    known: dict[str, bool] = {}
    faults = []
    for i, row in enumerate(rows):
        if row["building"] not in buildings:
            faults.append(Fault(f"items[{i}].building", "field.reference", {"kind": "building", "name": row["building"]}))
        address = row.get("address", "")
        if address and address not in known:
            known[address] = addresses.find(session, address) is not None
        if address and not known[address]:
            faults.append(Fault(f"items[{i}].address", "buildings.no_address", {"code": address}))
        if all(row.get(name) is None for name in COUNTS):
            faults.append(Fault(f"items[{i}].people", "buildings.no_count", {}))
    if faults:
        raise Invalid(*faults[:50])


def totals(premises: Sequence[Premises]) -> dict[str, int]:
    """The counts together; of one place by several sources the one told last counts, for each kind of count."""
    newest: dict[tuple[str, str, str, str], Premises] = {}
    for one in sorted(premises, key=lambda p: (p.as_of, p.changed)):
        for name in COUNTS:
            if getattr(one, name) is not None:
                newest[one.address, one.unit, one.room, name] = one
    made = dict.fromkeys(COUNTS, 0)
    for (*_, name), one in newest.items():
        made[name] += getattr(one, name)
    return made


class Verification:
    """Hears of visits that were made, and notes on premises and buildings what was found."""

    def handle(self, tx: Transaction, event: DeliveredEvent) -> None:
        """Take a closed visit in."""
        data = event.data
        detail = data.get("detail") or {}
        if data.get("register") != "visit" or data.get("action") != "close" or not detail.get("result"):
            return
        subject, result = str(detail.get("subject", "")), str(detail["result"])
        visit = str((data.get("codes") or [""])[0])
        if detail.get("subject_kind") == "building":
            buildings = BUILDINGS.of(tx.session, "registered", [subject])
            seen = PREMISES.of(tx.session, "building", [building.code for building in buildings])
            _note(tx, seen, result, visit)
            _demolish(tx, buildings, result)
        elif detail.get("subject_kind") == "address":
            _note(tx, PREMISES.of(tx.session, "address", [subject]), result, visit)


def _note(tx: Transaction, seen: Sequence[Premises], result: str, visit: str) -> None:
    new = [
        msgspec.structs.replace(
            one, finding=result, visit=visit, verified=tx.now_text, version=one.version + 1, changed=tx.now_text
        )
        for one in seen
        if one.visit != visit
    ]
    if new:
        record(tx, PREMISES, "verify", new)


def _demolish(tx: Transaction, buildings: Sequence[Building], result: str) -> None:
    gone = [building for building in buildings if result in _GONE and building.state == "standing"]
    if gone:
        new = [
            msgspec.structs.replace(building, state="demolished", version=building.version + 1, changed=tx.now_text)
            for building in gone
        ]
        record(tx, BUILDINGS, "verify", new)
