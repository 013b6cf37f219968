"""Keeping facilities: entered, changed and moved on; each step one row, one history entry and one event."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from mumian.foundation.infrastructure import store
from mumian.foundation.infrastructure.contracts import Facility
from mumian.foundation.infrastructure.errors import CodeTaken, NotPossible
from mumian.foundation.infrastructure.events import FacilityChanged, FacilityRegistered, StatusReported
from mumian.foundation.infrastructure.models import FacilityKindSpec
from mumian.foundation.infrastructure.rules import facility as rules
from mumian.foundation.search.api import Search
from mumian.foundation.spatial.api import Spatial
from mumian.kernel.errors import Invalid, NotFound, Stale
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Session, Transaction

SCOPE = "infrastructure.facility"
_SNAPSHOT = ("kind", "owner", "state", "district", "name")


class Keeping:
    """Changes facilities inside the caller's transaction."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def kind(self, name: str) -> FacilityKindSpec:
        """What is declared of a kind; raises NotFound."""
        spec: FacilityKindSpec = self._platform.declarations.get("FacilityKind", name).spec
        return spec

    def kinds(self) -> dict[str, FacilityKindSpec]:
        """All kinds by name."""
        return {declared.name: declared.spec for declared in self._platform.declarations.all("FacilityKind")}

    def owners(self) -> dict[str, dict[str, str]]:
        """The titles of all organisations by name."""
        return {declared.name: declared.title for declared in self._platform.declarations.all("Organisation")}

    def today(self, now: datetime) -> str:
        """The city's calendar day as ISO 8601."""
        city = self._platform.get(Spatial).city()
        return now.astimezone(ZoneInfo(city.timezone if city else "UTC")).date().isoformat()

    def find(self, session: Session, code: str) -> Facility:
        """The facility of that code; raises NotFound."""
        found = store.find(session, code) if rules.CODE.fullmatch(code) else None
        if found is None:
            raise NotFound(kind="facility", name=code[:80])
        return found

    def draft(self, fields: Mapping[str, Any]) -> Facility:
        """A facility from its fields, in its district; raises Invalid with every fault."""
        return self.checked(self.placed(Facility(**fields)))

    def checked(self, facility: Facility) -> Facility:
        """The facility, if nothing is wrong with it; raises Invalid."""
        faults = rules.faults(facility, self.kinds().get(facility.kind), self.owners())
        if faults:
            raise Invalid(*faults)
        return facility

    def placed(self, facility: Facility) -> Facility:
        """The facility with the district of its position."""
        if facility.longitude is None or facility.latitude is None:
            return replace(facility, district=None)
        if not (abs(facility.longitude) <= 180 and abs(facility.latitude) <= 90):
            return facility
        found = self._platform.get(Spatial).district_at(facility.longitude, facility.latitude)
        return replace(facility, district=found.code if found else None)

    def register(self, tx: Transaction, facility: Facility, note: str = "") -> Facility:
        """Enter a facility; raises CodeTaken."""
        if store.find(tx.session, facility.code) is not None:
            raise CodeTaken(code=facility.code)
        facility = replace(facility, changed=tx.now_text, version=1)
        changes = {name: value for name in store.FIELDS if (value := getattr(facility, name)) not in ("", None, {}, [])}
        changes = {name: value for name, value in changes.items() if name not in ("code", "changed", "version")}
        digest = self._tell(tx, FacilityRegistered, facility, "register", note, changes)
        store.insert(tx.session, facility, digest)
        return facility

    def change(
        self, tx: Transaction, before: Facility, changes: Mapping[str, Any], expected: int | None = None, note: str = ""
    ) -> Facility:
        """Change fields; what stays the same makes no new version. Raises Stale, Invalid, NotPossible."""
        _expect(before, expected)
        if before.state == "retired" and set(changes) - {"note"}:
            raise NotPossible(step="change", state=before.state)
        after = replace(before, **changes)
        if changes.keys() & {"longitude", "latitude"}:
            after = self.placed(after)
        return self._keep(tx, before, self.checked(after), "change", note)

    def bring(self, tx: Transaction, before: Facility, after: Facility, note: str) -> Facility:
        """Keep what a file says of a facility, checked already; `before` itself where that is nothing new."""
        return self._keep(tx, before, after, "import", note)

    def step(
        self, tx: Transaction, before: Facility, step: str, day: str | None, note: str, expected: int | None = None
    ) -> Facility:
        """Take a step of the life cycle on a day; raises Stale, NotPossible, Invalid."""
        _expect(before, expected)
        state = rules.after(before.state, step)
        if state is None:
            raise NotPossible(step=step, state=before.state)
        built = (day or self.today(tx.now)) if step == "open" else before.built
        return self._keep(tx, before, self.checked(replace(before, state=state, built=built)), step, note)

    def report(self, tx: Transaction, facility: Facility, status: str, note: str) -> None:
        """Keep the live state that somebody reports; an event tells of it where it changes. Raises Invalid, NotPossible."""
        live = self.kind(facility.kind).live
        if live is None or status not in live.states:
            expected = ", ".join(live.states) if live else "–"
            raise Invalid.field("status", "field.choice", expected=expected)
        if facility.state == "retired":
            raise NotPossible(step="report", state=facility.state)
        before = store.statuses(tx.session, [facility.code]).get(facility.code)
        same = before is not None and before["status"] == status
        since = before["since"] if before is not None and same else tx.now_text
        store.keep_status(tx, facility.code, status, since, note)
        if not same:
            was = before["status"] if before else ""
            tx.emit(StatusReported(subject=facility.code, status=status, before=was, note=note))

    def _keep(self, tx: Transaction, before: Facility, after: Facility, action: str, note: str) -> Facility:
        names = [name for name in store.FIELDS if getattr(after, name) != getattr(before, name)]
        if not names:
            return before
        after = replace(after, changed=tx.now_text, version=before.version + 1)
        changes = {name: getattr(after, name) for name in names}
        digest = self._tell(tx, FacilityChanged, after, action, note, changes)
        if not store.update(tx.session, after, before.version, digest):
            raise Stale(expected=before.version, found=self.find(tx.session, before.code).version)
        return after

    def _tell(
        self,
        tx: Transaction,
        type_: type[FacilityRegistered] | type[FacilityChanged],
        facility: Facility,
        action: str,
        note: str,
        changes: Mapping[str, Any],
    ) -> str:
        digest = store.digest(facility)
        store.remember(tx.session, facility, tx.actor.id, action, changes, note)
        told = {name: getattr(facility, name) for name in _SNAPSHOT}
        version = facility.version
        tx.emit(
            type_(
                subject=facility.code,
                action=action,
                version=version,
                digest=digest,
                note=note,
                changes=dict(changes),
                facility=told,
            )
        )
        words = (facility.address, facility.operator, facility.owner, facility.kind, *map(str, facility.properties.values()))
        search = self._platform.get(Search)
        search.put(tx, SCOPE, facility.code, f"{facility.code} {facility.name}", " ".join(words))
        return digest


def _expect(facility: Facility, expected: int | None) -> None:
    if expected is not None and expected != facility.version:
        raise Stale(expected=expected, found=facility.version)
