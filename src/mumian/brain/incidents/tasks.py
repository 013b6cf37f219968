"""Registers incidents and lets warnings open them, change their severity and leave notes on them."""

from typing import Any

from mumian.brain.incidents import store
from mumian.brain.incidents.api import Incident, Incidents, Report, Step, system_note
from mumian.brain.incidents.kinds import IncidentTypeSpec
from mumian.brain.incidents.rules import worse
from mumian.brain.incidents.service.candidates import CandidateIntake
from mumian.brain.incidents.service.evidence import faults
from mumian.brain.vitals.api import CITY
from mumian.foundation.ledger.api import EvidenceChecks
from mumian.kernel.declarations.kinds import Declared
from mumian.kernel.events import DeliveredEvent
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Transaction


class WarningIntake:
    """One incident for one warned-of thing: a warning raised again while it is being handled joins the incident there is."""

    def __init__(self, platform: Platform) -> None:
        self._declarations = platform.declarations
        self._incidents = platform.get(Incidents)

    def raised(self, tx: Transaction, event: DeliveredEvent) -> None:
        """Open an incident, or join the one about the same thing that is not handled yet."""
        data = event.data
        declared = self._type_for(data["rule"])
        if declared is None:
            return
        subject = f"{data['rule']}/{data['key']}"
        severity = getattr(declared.spec.severity, data["level"])
        present = store.unattended(tx.session, subject)
        if present is not None:
            step = Step("note", tx.now_text, tx.actor.id, note=_note(data), severity=severity, warning=event.subject)
            self._incidents.act(tx, present, step)
            return
        of_the_city = data["dimension"] == CITY
        self._incidents.open(
            tx,
            Report(
                type=declared.name,
                title=data["title"],
                severity=severity,
                label=data["label"],
                longitude=None if of_the_city else data["longitude"],
                latitude=None if of_the_city else data["latitude"],
                warning=event.subject,
                subject=subject,
                evidence={name: data[name] for name in ("vital", "key", "time", "value", "threshold")}
                | {"warning": event.subject},
            ),
        )

    def changed(self, tx: Transaction, event: DeliveredEvent) -> None:
        """Let the severity follow the level of the warning; what is worse than all that was handled is a new matter."""
        data = event.data
        declared = self._type_for(data["rule"])
        if declared is None:
            return
        subject = f"{data['rule']}/{data['key']}"
        severity = getattr(declared.spec.severity, data["level"])
        known = store.severities(tx.session, subject, event.subject)
        for present in store.followers(tx.session, subject, event.subject):
            self._incidents.act(tx, present, Step("note", tx.now_text, tx.actor.id, note=_note(data), severity=severity))
        if worse(severity, known) and store.unattended(tx.session, subject) is None:
            self.raised(tx, event)

    def lifted(self, tx: Transaction, event: DeliveredEvent) -> None:
        """Note it; whether the matter is handled is for people to say."""
        present = self._of(tx, event)
        if present is not None:
            self._incidents.act(tx, present, Step("note", tx.now_text, tx.actor.id, note=_note(event.data)))

    def _of(self, tx: Transaction, event: DeliveredEvent) -> Incident | None:
        found = store.unattended(tx.session, f"{event.data['rule']}/{event.data['key']}")
        return found if found is not None and found.warning == event.subject else None

    def _type_for(self, rule: str) -> Declared[IncidentTypeSpec] | None:
        types = self._declarations.all("IncidentType")
        return next((declared for declared in types if rule in declared.spec.opened_by), None)


def _note(data: dict[str, Any]) -> str:
    return system_note(
        f"incidents.warning.{data['reason']}",
        level=f"warnings.level.{data['level']}",
        vital=data["vital"],
        value="–" if data["value"] is None else f"{data['value']:.4g}",
        time=data["time"],
    )


def register(platform: Platform) -> None:
    """Provide Incidents and listen to warnings and to what cameras see."""
    platform.provide(Incidents, Incidents(platform))
    intake = WarningIntake(platform)
    platform.subscribe("brain.warnings.raised", "incidents", intake.raised)
    platform.subscribe("brain.warnings.changed", "incidents", intake.changed)
    platform.subscribe("brain.warnings.lifted", "incidents", intake.lifted)
    platform.subscribe("video.candidate.raised", "incidents", CandidateIntake(platform).raised)
    platform.get(EvidenceChecks).add("brain.incidents", faults)
