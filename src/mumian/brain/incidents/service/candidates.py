"""Candidates: what cameras saw, and a task's rule calls a matter for the city, becomes an incident or joins the one there is."""

from mumian.brain.incidents import store
from mumian.brain.incidents.rules import Step, worse
from mumian.brain.incidents.service.life import Incidents, Report, system_note
from mumian.kernel.events import DeliveredEvent
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Transaction


class CandidateIntake:
    """One incident for one matter; while nobody has handled it, what is seen again is noted, and may make it more severe."""

    def __init__(self, platform: Platform) -> None:
        self._declarations = platform.declarations
        self._incidents = platform.get(Incidents)

    def raised(self, tx: Transaction, event: DeliveredEvent) -> None:
        """Open an incident of the type that the candidate names, if that is declared, or note it on the one that is open."""
        data = event.data
        if data["incident_type"] not in {declared.name for declared in self._declarations.all("IncidentType")}:
            return
        matter = f"video/{data['matter']}"
        present = store.unattended(tx.session, matter)
        if present is None:
            self._incidents.open(
                tx,
                Report(
                    type=data["incident_type"],
                    title=data["title"],
                    severity=data["severity"],
                    label=data["label"],
                    longitude=data["longitude"],
                    latitude=data["latitude"],
                    subject=matter,
                    evidence={"video": data["evidence"]},
                ),
            )
            return
        severity = data["severity"] if worse(data["severity"], [present.severity]) else None
        note = system_note("incidents.candidate.again", time=data["time"], detection=event.subject)
        self._incidents.act(tx, present, Step("note", tx.now_text, tx.actor.id, note=note, severity=severity))
