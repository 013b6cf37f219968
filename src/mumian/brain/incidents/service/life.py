"""Incidents at work: opened, moved on and found, each change one row, one history entry and one event in one commit."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from msgspec.structs import replace

from mumian.brain.incidents import rules, store
from mumian.brain.incidents.contracts import Incident, Text
from mumian.brain.incidents.errors import NotAllowed
from mumian.brain.incidents.events import KINDS_OF_EVENT, IncidentOpened
from mumian.brain.incidents.kinds import Deadlines, IncidentTypeSpec
from mumian.brain.incidents.rules import TRANSITIONS, Step
from mumian.foundation.spatial.api import Spatial
from mumian.kernel.clock import iso
from mumian.kernel.errors import NotFound, Stale
from mumian.kernel.i18n import catalogue, text
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Session, Transaction, encode, next_value

_SNAPSHOT = (
    "number type severity state district organisation assignee opened_at due_accept due_resolve due_verify dispatched_at "
    "taken_at resolved_at verified_at closed_at supervised warning"
).split()
_snapshot = attrgetter(*_SNAPSHOT)


class _Told(msgspec.Struct):
    key: str
    values: dict[str, Any]


@dataclass(frozen=True)
class Report:
    """What is known when an incident is opened; without a place it is about the city as a whole."""

    type: str
    title: Text
    severity: str
    label: Text | None = None
    description: str = ""
    longitude: float | None = None
    latitude: float | None = None
    warning: str | None = None
    subject: str | None = None
    evidence: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Urgency:
    """The deadlines that something more specific than its type sets for an incident, None where nothing does."""

    deadlines: Callable[[Incident], Deadlines | None]


class Incidents:
    """Opens and moves incidents inside the caller's transaction."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def open(self, tx: Transaction, report: Report) -> Incident:
        """Open an incident: numbered without gaps by the city's day, placed in its district."""
        place, district = self._place(report)
        incident = Incident(
            number=self._number(tx),
            type=report.type,
            title=report.title,
            description=report.description,
            severity=report.severity,
            state="reported",
            longitude=place[0],
            latitude=place[1],
            district=district,
            label=report.label or self._label(district),
            organisation=None,
            assignee=None,
            opened_at=tx.now_text,
            opened_by=tx.actor.id,
            warning=report.warning,
            subject=report.subject,
            evidence=report.evidence,
        )
        digest = store.digest(incident)
        store.insert(tx.session, incident, digest)
        note = report.description[:500]
        store.remember(tx.session, incident.number, 1, tx.now_text, tx.actor.id, ("report", "", "reported", note))
        tx.emit(
            IncidentOpened(
                subject=incident.number,
                action="report",
                source="",
                target="reported",
                version=1,
                digest=digest,
                note=note,
                incident=snapshot(incident),
            )
        )
        return incident

    def act(self, tx: Transaction, incident: Incident, step: Step, expected: int | None = None) -> Incident:
        """Take one step; raises Stale if `expected` is not its version, NotAllowed if its state does not allow the step."""
        if expected is not None and expected != incident.version:
            raise Stale(expected=expected, found=incident.version)
        if not rules.possible(incident, step):
            options = ", ".join(rules.allowed(incident)) or "–"
            raise NotAllowed(number=incident.number, state=incident.state, action=step.action, allowed=options)
        changes = rules.changes(incident, step)
        after = replace(incident, **changes)
        digest = store.digest(after)
        if not store.update(tx.session, incident.number, incident.version, changes, digest):
            raise Stale(expected=incident.version, found="?")
        done = (step.action, incident.state, after.state, step.note)
        store.remember(tx.session, after.number, after.version, step.time, step.actor, done)
        tx.emit(
            KINDS_OF_EVENT[TRANSITIONS[step.action].event](
                subject=after.number,
                action=step.action,
                source=incident.state,
                target=after.state,
                version=after.version,
                digest=digest,
                note=step.note,
                incident=snapshot(after),
            )
        )
        return after

    def find(self, session: Session, number: str) -> Incident:
        """One incident; raises NotFound."""
        found = store.find(session, number)
        if found is None:
            raise NotFound(kind="Incident", name=number)
        return found

    def deadlines(self, incident: Incident) -> Deadlines:
        """Those of the dispatch rule that covers it, else those of its type; the usual ones if that is not declared any more."""
        ruled = self._platform.get(Urgency).deadlines(incident)
        if ruled is not None:
            return ruled
        declared = [d for d in self._platform.declarations.all("IncidentType") if d.name == incident.type]
        spec: IncidentTypeSpec | None = declared[0].spec if declared else None
        return spec.deadlines_minutes if spec else Deadlines(accept=60, resolve=1440, verify=2880)

    def unassigned(self, session: Session, size: int = 500) -> Iterator[Incident]:
        """All reported incidents nobody is responsible for yet, oldest first, in pages; they may move on meanwhile."""
        after = ("", "")
        while page := store.unassigned(session, after, size):
            yield from page
            after = (page[-1].opened_at, page[-1].number)

    def due(self, session: Session, now: str, limit: int = 500) -> list[Incident]:
        """Incidents with a deadline at or before `now` (ISO text) that nobody was reminded of, the longest overdue first."""
        return store.due(session, now, limit)

    def next_due(self, session: Session) -> str | None:
        """The next deadline of any incident."""
        return store.next_due(session)

    def _number(self, tx: Transaction) -> str:
        city = self._platform.get(Spatial).city()
        prefix, zone = (city.number_prefix, city.timezone) if city else ("INC", "UTC")
        day = local_day(tx.now, zone)
        return f"{prefix}-{day}-{next_value(tx.session, f'incidents.{day}'):04d}"

    def _place(self, report: Report) -> tuple[tuple[float | None, float | None], str | None]:
        spatial = self._platform.get(Spatial)
        if report.longitude is not None and report.latitude is not None:
            district = spatial.district_at(report.longitude, report.latitude)
            return (report.longitude, report.latitude), district.code if district else None
        city = spatial.city()
        return (city.centre if city else (None, None)), None

    def _label(self, district: str | None) -> Text:
        spatial = self._platform.get(Spatial)
        found = spatial.district(district) if district else None
        city = spatial.city()
        return found.title if found else city.title if city else {"zh": "全市", "en": "The city"}


def system_note(key: str, **values: Any) -> str:
    """A note that the platform writes: a translation key with its values, shown in the reader's language."""
    return encode({"key": key, "values": values}).decode()


def note_in(note: str, language: str) -> str:
    """A note of the system in a language; values that are translation keys are translated, too, and plain text stays as it is."""
    try:
        told = msgspec.json.decode(note, type=_Told)
    except (msgspec.DecodeError, UnicodeEncodeError):
        return note
    if told.key not in catalogue() or told.values.keys() & {"key", "language"}:
        return note
    return text(told.key, language, **{name: text(str(value), language) for name, value in told.values.items()})


def local_day(now: datetime, zone: str) -> str:
    """The city's calendar day as YYYYMMDD."""
    return now.astimezone(ZoneInfo(zone)).strftime("%Y%m%d")


def due_times(start: datetime, minutes: Deadlines) -> tuple[str, str, str]:
    """When an incident dispatched at `start` must be accepted, resolved and verified, as ISO text."""
    accept, resolve, verify = (iso(start + timedelta(minutes=m)) for m in (minutes.accept, minutes.resolve, minutes.verify))
    return accept, resolve, verify


def snapshot(incident: Incident) -> dict[str, Any]:
    """What events tell of an incident."""
    return dict(zip(_SNAPSHOT, _snapshot(incident), strict=True))
