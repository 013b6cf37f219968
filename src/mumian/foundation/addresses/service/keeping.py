"""Keeping: every change of the library is one batch of versions in one commit, with its event."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from mumian.foundation.addresses import store
from mumian.foundation.addresses.contracts import StandardAddress
from mumian.foundation.addresses.errors import AddressTaken, NotInForce
from mumian.foundation.addresses.events import AddressesRecorded
from mumian.foundation.addresses.rules import standard
from mumian.foundation.addresses.service.parsing import Parser
from mumian.kernel.errors import Invalid, NotFound
from mumian.kernel.ids import new_id
from mumian.kernel.unit_of_work import Transaction, next_value

Closing = tuple[str, str, str]  # code, valid_from, the day from which it no longer holds
MOST_RENAMED = 200_000


def record(
    tx: Transaction, action: str, new: Sequence[StandardAddress], closed: Sequence[Closing], detail: Mapping[str, Any]
) -> str:
    """Write versions and end others, as one batch with one event; returns the batch's name."""
    batch = new_id()
    for code, since, until in closed:
        if not store.close(tx.session, code, since, until, batch):
            raise NotInForce(code=code, date=until)
    store.insert(tx.session, new, batch)
    rows, digest, ended, closed_digest = store.batch_digest(tx.session, batch)
    told = AddressesRecorded(
        subject=batch, action=action, rows=rows, digest=digest, closed=ended, closed_digest=closed_digest, detail=dict(detail)
    )
    tx.emit(told)
    return batch


def new_code(tx: Transaction, division: str, count: int = 1) -> list[str]:
    """Fresh codes: nine digits of the street (zeros where unknown) and nine of a serial number."""
    nine = division.ljust(9, "0")
    first = next_value(tx.session, f"addresses.{nine}", count)
    return [f"{nine}{first + i:09d}" for i in range(count)]


def compose(parser: Parser, values: Mapping[str, Any], day: str) -> StandardAddress:
    """A standard address from fields; its standard form and the spelling of its numbers are made here; raises Invalid."""
    division = str(values.get("division") or values.get("district") or "")
    names = parser.divisions.names
    if division not in names or len(division) < 6:
        raise Invalid.field("division", "addresses.division_code")
    fields = {kind: standard.tidy(kind, str(values.get(kind) or "")) for kind in standard.FIELDS if values.get(kind)}
    if len(division) == 9:
        fields["street"] = names[division]
    if not fields.keys() - {"street"}:
        raise Invalid.field("road", "addresses.nothing_below")
    text = parser.standard_from(division, fields)
    return StandardAddress(
        code=str(values.get("code") or ""),
        valid_from=str(values.get("valid_from") or day),
        district=division[:6],
        standard=text,
        longitude=values.get("longitude"),
        latitude=values.get("latitude"),
        source=str(values.get("source") or ""),
        **fields,
    )


def add(tx: Transaction, address: StandardAddress, division: str) -> StandardAddress:
    """Add one address; raises AddressTaken."""
    for other in store.live(tx.session, [address.standard], [address.code]):
        if other.standard == address.standard or other.code == address.code:
            raise AddressTaken(code=other.code)
    if not address.code:
        address = msgspec.structs.replace(address, code=new_code(tx, division)[0])
    elif store.history(tx.session, address.code):
        raise AddressTaken(code=address.code)
    record(tx, "add", [address], [], {"code": address.code})
    return address


def change(tx: Transaction, code: str, new: StandardAddress) -> StandardAddress:
    """From the new version's first day on the address is so; raises NotFound, NotInForce, AddressTaken."""
    old = open_version(tx, code)
    if new.valid_from <= old.valid_from:
        raise NotInForce(code=code, date=new.valid_from)
    for other in store.live(tx.session, [new.standard], []):
        if other.code != code and other.standard == new.standard:
            raise AddressTaken(code=other.code)
    made = msgspec.structs.replace(new, code=code)
    record(tx, "change", [made], [(code, old.valid_from, new.valid_from)], {"code": code})
    return made


def retire(tx: Transaction, code: str, day: str, reason: str) -> None:
    """From that day on there is no such address; raises NotFound, NotInForce."""
    old = open_version(tx, code)
    if day <= old.valid_from:
        raise NotInForce(code=code, date=day)
    record(tx, "retire", [], [(code, old.valid_from, day)], {"code": code, "reason": reason})


def rename_road(tx: Transaction, parser: Parser, district: str, old: str, new: str, day: str) -> int:
    """A road has another name from that day on: new versions of all its addresses, and the old name as an alias.

    Returns how many addresses changed; raises NotFound where there is none, Invalid for a day before one of them began.
    """
    present = store.search(tx.session, {"road": old}, day, district, MOST_RENAMED)
    present = [address for address in present if not address.valid_to]
    if not present:
        raise NotFound(kind="road", name=old)
    if any(address.valid_from >= day for address in present):
        raise Invalid.field("date", "addresses.before_version")
    made = []
    for address in present:
        fields = {kind: getattr(address, kind) for kind in standard.FIELDS} | {"road": new}
        text = parser.standard_from(address.district, fields)
        made.append(msgspec.structs.replace(address, road=new, standard=text, valid_from=day))
    closed = [(address.code, address.valid_from, day) for address in present]
    batch = record(tx, "rename", made, closed, {"district": district, "from": old, "to": new, "date": day})
    store.put_alias(tx.session, {"element": "road", "alias": old, "within": district, "name": new, "until": day, "origin": batch})
    return len(made)


def open_version(tx: Transaction, code: str) -> StandardAddress:
    """The version that has no end yet; raises NotFound, NotInForce."""
    versions = store.history(tx.session, code)
    if not versions:
        raise NotFound(kind="address", name=code)
    if versions[-1].valid_to:
        raise NotInForce(code=code, date=versions[-1].valid_to)
    return versions[-1]
