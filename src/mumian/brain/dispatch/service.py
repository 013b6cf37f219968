"""Dispatch at work: assigns what was opened, tries again when the rules change, supervises what is overdue."""

from mumian.brain.dispatch.kinds import DispatchRuleSpec
from mumian.brain.dispatch.rules import Candidate, Choice, choose
from mumian.brain.incidents.api import Incident, Incidents, Step, due_times, missed_stage, system_note
from mumian.brain.incidents.kinds import Deadlines
from mumian.kernel.declarations.kinds import Declared
from mumian.kernel.errors import Unavailable
from mumian.kernel.events import DeliveredEvent
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Transaction


class Dispatch:
    """Chooses who handles an incident by the dispatch rules in force."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._revision = -1
        self._rules: dict[str, Declared[DispatchRuleSpec]] = {}
        self._candidates: list[Candidate] = []

    def explain(self, type_: str, district: str | None) -> Choice | None:
        """The rule that covers such an incident and why it wins; None if none does or the organisation it names is unknown."""
        self._refresh()
        choice = choose(self._candidates, type_, district)
        known = {declared.name for declared in self._platform.declarations.all("Organisation")}
        return choice if choice is not None and choice.organisation in known else None

    def deadlines(self, incident: Incident) -> Deadlines | None:
        """The deadlines of the rule that covers an incident, whoever handles it; None if there is none or it leaves them out."""
        self._refresh()
        choice = choose(self._candidates, incident.type, incident.district)
        if choice is None:
            return None
        found: Deadlines | None = getattr(self._rules[choice.rule].spec.deadlines_minutes, incident.severity)
        return found

    def opened(self, tx: Transaction, event: DeliveredEvent) -> None:
        """File and dispatch a new incident, or say that no rule covers it."""
        incidents = self._platform.get(Incidents)
        incident = incidents.find(tx.session, event.subject)
        if incident.state != "reported" or self._assign(tx, incident):
            return
        note = system_note("dispatch.unassigned", type=incident.type, district=incident.district or "dispatch.city")
        incidents.act(tx, incident, Step("note", tx.now_text, tx.actor.id, note=note))

    def applied(self, tx: Transaction, event: DeliveredEvent) -> None:
        """Assign what waits, if the rules or organisations changed."""
        if event.data["revision"] > self._platform.declarations.revision:
            raise Unavailable(reason="the new declarations are not in memory yet")
        if not any(change["kind"] in ("DispatchRule", "Organisation") for change in event.data["changes"]):
            return
        for incident in self._platform.get(Incidents).unassigned(tx.session):
            self._assign(tx, incident)

    def supervise(self, tx: Transaction) -> int:
        """Supervise every incident whose deadline has passed, once a stage; returns how many times."""
        incidents, done = self._platform.get(Incidents), 0
        for found in incidents.due(tx.session, tx.now_text):
            incident = found
            while (stage := missed_stage(incident, tx.now_text)) is not None:
                due = getattr(incident, f"due_{stage}")
                step = Step(
                    "supervise", tx.now_text, tx.actor.id, note=system_note(f"dispatch.missed.{stage}", due=due), stage=stage
                )
                incident = incidents.act(tx, incident, step)
                done += 1
        return done

    def _assign(self, tx: Transaction, incident: Incident) -> bool:
        choice = self.explain(incident.type, incident.district)
        if choice is None:
            return False
        incidents = self._platform.get(Incidents)
        filed = incidents.act(tx, incident, Step("file", tx.now_text, tx.actor.id))
        key = "dispatch.chosen_before" if choice.beaten else "dispatch.chosen"
        why = system_note(key, rule=choice.rule, matched=", ".join(choice.matched), beaten=", ".join(choice.beaten))
        due = due_times(tx.now, incidents.deadlines(incident))
        step = Step("dispatch", tx.now_text, tx.actor.id, note=why, organisation=choice.organisation, due=due)
        incidents.act(tx, filed, step)
        return True

    def _refresh(self) -> None:
        declarations = self._platform.declarations
        if self._revision == declarations.revision:
            return
        self._rules = {declared.name: declared for declared in declarations.all("DispatchRule")}
        self._candidates = [_candidate(declared) for declared in self._rules.values()]
        self._revision = declarations.revision


def _candidate(declared: Declared[DispatchRuleSpec]) -> Candidate:
    spec = declared.spec
    return Candidate(
        declared.name,
        frozenset(spec.incident_types),
        frozenset(spec.districts),
        spec.city_level,
        spec.organisation,
        spec.priority,
    )
