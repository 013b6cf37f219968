"""Views of incidents: what the API shows of one."""

from typing import Any

from mumian.brain.incidents import rules, store
from mumian.brain.incidents.contracts import Incident
from mumian.brain.incidents.service.life import note_in
from mumian.brain.vitals.api import Vitals
from mumian.foundation.identity.api import Caller, Identity
from mumian.foundation.ledger.api import Ledger
from mumian.kernel.clock import iso
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import SYSTEM, Row


def owner(platform: Platform, incident: Incident) -> str | None:
    """The organisation whose people may act on an incident: the responsible one; before there is one, the city itself."""
    if incident.organisation is not None:
        return incident.organisation
    return next((d.name for d in platform.declarations.all("Organisation") if d.spec.parent is None), None)


def summary(incident: Incident, now: str) -> dict[str, Any]:
    """An incident as a list shows it."""
    return {
        "id": incident.number,
        "number": incident.number,
        "type": incident.type,
        "title": incident.title,
        "severity": incident.severity,
        "state": incident.state,
        "place": {
            "longitude": incident.longitude,
            "latitude": incident.latitude,
            "district": incident.district,
            "label": incident.label,
        },
        "organisation": incident.organisation,
        "assignee": incident.assignee,
        "opened_at": incident.opened_at,
        "due": {"accept": incident.due_accept, "resolve": incident.due_resolve, "verify": incident.due_verify},
        "overdue": rules.overdue(incident, now),
        "supervised": incident.supervised > 0,
        "supervised_times": incident.supervised,
        "closed_at": incident.closed_at,
        "version": incident.version,
    }


async def detail(platform: Platform, caller: Caller, incident: Incident, language: str) -> dict[str, Any]:
    """An incident with all there is to know: description, what this caller may do, history, evidence."""
    resource = owner(platform, incident)
    steps = await platform.records.read(lambda session: store.history(session, incident.number))
    titles = await platform.get(Identity).titles()
    return {
        **summary(incident, iso(platform.clock.now())),
        "description": incident.description,
        "assignee_title": titles.get(incident.assignee) if incident.assignee else None,
        "actions": [action for action in rules.allowed(incident) if caller.allowed(f"incident:{action}", resource)],
        "history": [
            {
                "time": step["time"],
                "actor": step["actor"],
                "actor_title": titles.get(step["actor"]),
                "action": step["action"],
                "from": step["from_state"] or None,
                "to": step["to_state"],
                "note": _note(step, language),
            }
            for step in steps
        ],
        "evidence": await evidence(platform, incident),
    }


async def evidence(platform: Platform, incident: Incident) -> dict[str, Any]:
    """What proves an incident: the warning, the value and its line, the observations behind it, the entries in the ledger."""
    known = incident.evidence
    observations: list[dict[str, Any]] = []
    if known.get("vital"):
        found = await platform.get(Vitals).provenance(known["vital"], known["key"], known["time"])
        if found is not None:
            observations = [{"stream": o.stream, "time": o.time, "result": o.result} for o in found.observations]
    subjects = [incident.number, *([incident.warning] if incident.warning else [])]
    indices = await platform.records.read(lambda session: [i for s in subjects for i in Ledger.indices(session, s)])
    return {
        "warning": known.get("warning"),
        "vital": known.get("vital"),
        "key": known.get("key"),
        "time": known.get("time"),
        "value": known.get("value"),
        "threshold": known.get("threshold"),
        "observations": observations,
        "ledger": sorted(indices),
    }


def _note(step: Row, language: str) -> str | None:
    """What was noted at a step; what people wrote stays as it is."""
    note: str = step["note"]
    return (note_in(note, language) if note and step["actor"] == SYSTEM.id else note) or None
