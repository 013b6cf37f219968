"""Incidents for other components: `platform.get(Incidents)` opens them and moves them on inside a transaction."""

from mumian.brain.incidents.contracts import Incident
from mumian.brain.incidents.errors import NotAllowed
from mumian.brain.incidents.rules import Step, missed_stage, overdue
from mumian.brain.incidents.service.life import Incidents, Report, Urgency, due_times, system_note

__all__ = [
    "Incident",
    "Incidents",
    "NotAllowed",
    "Report",
    "Step",
    "Urgency",
    "due_times",
    "missed_stage",
    "overdue",
    "system_note",
]
