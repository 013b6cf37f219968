"""Lives of devices: registered, changed, moved on and worked on; each step one row, one history entry and one event."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from mumian.foundation.devices import store
from mumian.foundation.devices.contracts import Device
from mumian.foundation.devices.errors import CodeTaken, NotPossible
from mumian.foundation.devices.events import DeviceChanged, DeviceEvent, DeviceMoved, DeviceRegistered
from mumian.foundation.devices.models import DeviceKindSpec
from mumian.foundation.devices.rules import device as rules
from mumian.foundation.devices.rules import life
from mumian.foundation.devices.service.onboarding import Onboarding
from mumian.foundation.spatial.api import Spatial
from mumian.kernel.errors import Fault, Invalid, NotFound, Stale
from mumian.kernel.ids import new_id
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Row, Session, Transaction

_SNAPSHOT = ("kind", "owner", "state", "district", "name")
_PLACED = {"longitude", "latitude", "grid"}


def tell(tx: Transaction, type_: type[DeviceEvent], device: Device, action: str, note: str, changes: Mapping[str, Any]) -> str:
    """Remember a step and tell of it; returns the digest of the state after it."""
    digest = store.digest(device)
    store.remember(tx.session, device, tx.actor.id, action, changes, note)
    snapshot = {name: getattr(device, name) for name in _SNAPSHOT}
    told = dict(changes)
    tx.emit(
        type_(subject=device.code, action=action, version=device.version, digest=digest, note=note, changes=told, device=snapshot)
    )
    return digest


class Lives:
    """Changes devices inside the caller's transaction."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self.onboarding = Onboarding(platform)
        self.leaving: Callable[[Transaction, str], None] | None = None

    def kind(self, name: str) -> DeviceKindSpec:
        """What is declared of a kind; raises NotFound."""
        spec: DeviceKindSpec = self._platform.declarations.get("DeviceKind", name).spec
        return spec

    def kinds(self) -> dict[str, DeviceKindSpec]:
        """All kinds by name."""
        return {declared.name: declared.spec for declared in self._platform.declarations.all("DeviceKind")}

    def owners(self) -> dict[str, dict[str, str]]:
        """The titles of all organisations by name."""
        return {declared.name: declared.title for declared in self._platform.declarations.all("Organisation")}

    def today(self, now: datetime) -> str:
        """The city's calendar day as ISO 8601."""
        city = self._platform.get(Spatial).city()
        return now.astimezone(ZoneInfo(city.timezone if city else "UTC")).date().isoformat()

    def find(self, session: Session, code: str) -> Device:
        """The device of that code; raises NotFound."""
        found = store.find(session, code) if rules.CODE.fullmatch(code) else None
        if found is None:
            raise NotFound(kind="device", name=code[:80])
        return found

    def draft(self, fields: Mapping[str, Any]) -> Device:
        """A device from its fields, in its district; raises Invalid with every fault."""
        faults = [] if (code := rules.code_fault(str(fields.get("code", "")))) is None else [code]
        kind = self.kinds().get(fields["kind"])
        if kind is None:
            faults.append(Fault("kind", "field.reference", {"kind": "DeviceKind", "name": str(fields["kind"])[:80]}))
        faults += rules.faults(fields, kind, self.owners())
        if faults:
            raise Invalid(*faults)
        return self.placed(Device(**fields))

    def register(self, tx: Transaction, device: Device, note: str = "") -> Device:
        """Enter a device into the ledger; in service it gets its thing and streams. Raises CodeTaken."""
        if store.find(tx.session, device.code) is not None:
            raise CodeTaken(code=device.code)
        device = replace(device, changed=tx.now_text, version=1)
        if device.state == "in_service":
            device = replace(device, **self.onboarding.begin(tx, device, self.kind(device.kind)))
        changes = {name: value for name in store.FIELDS if (value := getattr(device, name)) not in ("", None, {})}
        changes = {name: value for name, value in changes.items() if name not in ("code", "changed", "version")}
        store.insert(tx.session, device, tell(tx, DeviceRegistered, device, "register", note, changes))
        return device

    def change(
        self, tx: Transaction, device: Device, changes: Mapping[str, Any], expected: int | None = None, note: str = ""
    ) -> Device:
        """Change fields of a device; what stays the same makes no new version. Raises Stale, Invalid, NotPossible."""
        _expect(device, expected)
        if device.state == life.RETIRED and set(changes) - {"note"}:
            raise NotPossible(step="change", state=device.state)
        after = replace(device, **changes)
        self.check(after)
        if changes.keys() & _PLACED:
            after = self.placed(after)
        self.onboarding.follow(tx, device, after, self.kind(device.kind))
        if after.owner != device.owner:
            self._leave(tx, device.code)
        return self._keep(tx, device, after, "change", note)

    def check(self, device: Device) -> None:
        """Raise Invalid with everything that is wrong with a device."""
        faults = rules.faults({name: getattr(device, name) for name in store.FIELDS}, self.kind(device.kind), self.owners())
        if faults:
            raise Invalid(*faults)

    def bring(self, tx: Transaction, device: Device, changes: Mapping[str, Any], note: str) -> Device:
        """Change fields of a device and take it to another state by the shortest way, as a row of a file asks."""
        plain = {name: value for name, value in changes.items() if name != "state"}
        steps = life.path(device.state, changes.get("state", device.state)) or []
        device = self.change(tx, device, plain, note=note) if plain else device
        for step in steps:
            device = self.move(tx, device, step, plain.get(life.SINCE.get(step, "")), note)
        return device

    def rehearse(self, device: Device, changes: Mapping[str, Any], now: datetime) -> Device:
        """The device after `bring`, nothing done; raises whatever `bring` would: NotPossible, Invalid."""
        if device.state == life.RETIRED and set(changes) - {"note"}:
            raise NotPossible(step="change", state=device.state)
        plain = {name: value for name, value in changes.items() if name != "state"}
        after = replace(device, **plain)
        self.check(after)
        for step in life.path(device.state, changes.get("state", device.state)) or []:
            after = self.moved(after, step, plain.get(life.SINCE.get(step, "")), now)
        return after

    def moved(self, device: Device, step: str, day: str | None, now: datetime) -> Device:
        """The device after a step of the life cycle; raises NotPossible, Invalid."""
        changes = life.moved(device, step, day or self.today(now))
        if changes is None:
            raise NotPossible(step=step, state=device.state)
        after = replace(device, **changes)
        wrong = life.out_of_order({name: getattr(after, name) for name in rules.DAYS})
        if wrong is not None:
            raise Invalid.field("day", "devices.day_order", other=wrong[1])
        return after

    def move(self, tx: Transaction, device: Device, step: str, day: str | None, note: str, expected: int | None = None) -> Device:
        """Take a step of the life cycle on a day; raises Stale, NotPossible, Invalid."""
        _expect(device, expected)
        after = self.moved(device, step, day, tx.now)
        if step == "commission":
            after = replace(after, **self.onboarding.begin(tx, after, self.kind(device.kind)))
        if step == "retire":
            self.onboarding.end(tx, after)
            self._leave(tx, device.code)
        return self._keep(tx, device, after, step, note, DeviceMoved)

    def work(self, tx: Transaction, device: Device, row: Row) -> tuple[Device, Row]:
        """Record a calibration or maintenance: type, day, result, certificate, party, cost, note, due (None: by kind)."""
        if device.state in ("planned", life.RETIRED):
            raise NotPossible(step=row["type"], state=device.state)
        due = row["due"]
        if row["type"] == "calibration":
            due = due or life.next_calibration(row["day"], self.kind(device.kind).calibration_days)
        if due is not None and due < row["day"]:
            raise Invalid.field("due", "devices.day_order", other="day")
        row = {**row, "id": new_id(), "code": device.code, "due": due, "recorded": tx.now_text, "actor": tx.actor.id}
        store.add_work(tx.session, row)
        newest = device.maintained is None or row["day"] >= device.maintained
        changes: dict[str, Any] = {"maintained": row["day"]} if row["type"] == "maintenance" and newest else {}
        if row["type"] == "calibration":
            changes["due"] = due
        after = replace(device, **changes)
        told = {name: row[name] for name in ("id", "type", "day", "due", "result", "certificate", "party", "cost")}
        return self._keep(tx, device, after, row["type"], row["note"], DeviceChanged, {"work": told}), row

    def _keep(
        self,
        tx: Transaction,
        before: Device,
        after: Device,
        action: str,
        note: str,
        type_: type[DeviceEvent] = DeviceChanged,
        more: Mapping[str, Any] | None = None,
    ) -> Device:
        names = [name for name in store.FIELDS if getattr(after, name) != getattr(before, name)]
        if not names and not more:
            return before
        after = replace(after, changed=tx.now_text, version=before.version + 1)
        changes = {name: getattr(after, name) for name in names} | dict(more or {})
        digest = tell(tx, type_, after, action, note, changes)
        if not store.update(tx.session, after, names, before.version, digest):
            raise Stale(expected=before.version, found=self.find(tx.session, before.code).version)
        return after

    def locate(self, tx: Transaction, device: Device) -> Device:
        """Find the district of a device anew."""
        return self._keep(tx, device, self.placed(device), "locate", "")

    def _leave(self, tx: Transaction, code: str) -> None:
        """What a device was given by its owner ends: it retires, or belongs to others."""
        if self.leaving is not None:
            self.leaving(tx, code)

    def placed(self, device: Device) -> Device:
        """The device with the district of its position, or of its grid cell where it has none."""
        spatial = self._platform.get(Spatial)
        if device.longitude is not None and device.latitude is not None:
            found = spatial.district_at(device.longitude, device.latitude)
        else:
            found = spatial.district(device.grid[:6]) if len(device.grid) >= 6 else None
        return replace(device, district=found.code if found else None)


def _expect(device: Device, expected: int | None) -> None:
    if expected is not None and expected != device.version:
        raise Stale(expected=expected, found=device.version)
