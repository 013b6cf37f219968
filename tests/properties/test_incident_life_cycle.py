"""Properties of the incident life cycle: no lost, stuck or double-owned incident can be reached."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from mumian.brain.incidents.contracts import Incident
from mumian.brain.incidents.rules import OPEN, STATES, TRANSITIONS, Step, allowed, apply, missed_stage, overdue, possible

OWNED = ("dispatched", "handling", "handled", "verified")


def fresh() -> Incident:
    return Incident(
        number="X-20140112-0001",
        type="air",
        title={"zh": "甲", "en": "a"},
        description="",
        severity="minor",
        state="reported",
        longitude=None,
        latitude=None,
        district=None,
        label={"zh": "", "en": ""},
        organisation=None,
        assignee=None,
        opened_at=moment(0),
        opened_by="system",
    )


def moment(minute: int) -> str:
    return f"2014-01-{1 + minute // 1440:02d}T{minute // 60 % 24:02d}:{minute % 60:02d}:00.000000Z"


class LifeCycle(RuleBasedStateMachine):
    """Anybody may try anything in any order, time goes on, deadlines pass."""

    def __init__(self) -> None:
        super().__init__()
        self.incident = fresh()
        self.minute = 0
        self.seen = [self.incident]

    @rule(
        action=st.sampled_from(sorted(TRANSITIONS)),
        organisation=st.sampled_from([None, "a", "b"]),
        assignee=st.sampled_from([None, "li", "wang"]),
        deadline=st.integers(1, 60),
    )
    def act(self, action: str, organisation: str | None, assignee: str | None, deadline: int) -> None:
        due = (moment(self.minute + deadline), moment(self.minute + 2 * deadline), moment(self.minute + 3 * deadline))
        step = Step(action, moment(self.minute), "li", organisation=organisation, assignee=assignee, due=due)
        if possible(self.incident, step):
            self.incident = apply(self.incident, step)
            self.seen.append(self.incident)

    @rule(minutes=st.integers(1, 90))
    def wait(self, minutes: int) -> None:
        self.minute = min(self.minute + minutes, 40000)

    @rule()
    def supervise(self) -> None:
        while (stage := missed_stage(self.incident, moment(self.minute))) is not None:
            self.incident = apply(self.incident, Step("supervise", moment(self.minute), "system", stage=stage))
            self.seen.append(self.incident)

    @invariant()
    def one_owner_while_somebody_must_act_and_none_before(self) -> None:
        assert (self.incident.organisation is not None) == (self.incident.state in OWNED or self.incident.verified_at is not None)
        if self.incident.state == "handling":
            assert self.incident.assignee is not None
        if self.incident.state in ("reported", "filed", "dispatched"):
            assert self.incident.assignee is None

    @invariant()
    def never_stuck(self) -> None:
        leads_on = [a for a in allowed(self.incident) if TRANSITIONS[a].target not in (None, self.incident.state)]
        assert bool(leads_on) == (self.incident.state != "closed")
        assert bool(allowed(self.incident)) == (self.incident.state != "closed")

    @invariant()
    def every_version_once(self) -> None:
        assert [i.version for i in self.seen] == list(range(1, len(self.seen) + 1))

    @invariant()
    def closed_means_closed(self) -> None:
        assert (self.incident.closed_at is not None) == (self.incident.state == "closed")

    @invariant()
    def a_pending_deadline_is_never_forgotten(self) -> None:
        now = moment(self.minute)
        stage = missed_stage(self.incident, now)
        assert (stage is not None) == (self.incident.next_due is not None and self.incident.next_due <= now)
        if stage is not None and self.incident.next_due != now:
            assert overdue(self.incident, now)

    @invariant()
    def each_missed_stage_is_supervised_once(self) -> None:
        missed = [s for s in self.incident.missed.split(",") if s]
        assert len(missed) == len(set(missed))
        assert self.incident.supervised >= len(missed)

    @invariant()
    def nothing_makes_it_due_later_or_less_missed(self) -> None:
        for before, after in pairwise(self.seen[-2:]):
            assert before.due_resolve in (None, after.due_resolve)
            assert before.due_verify in (None, after.due_verify)
            assert after.supervised >= before.supervised
            assert {"resolve", "verify"} & set(before.missed.split(",")) <= set(after.missed.split(","))


TestLifeCycle = LifeCycle.TestCase


def test_from_every_state_there_is_a_way_to_closed() -> None:
    reach = {"closed"}
    for _ in STATES:
        reach |= {s for t in TRANSITIONS.values() for s in t.sources if t.target in reach}
    assert reach == set(STATES)


def test_every_state_can_be_reached_from_a_report() -> None:
    reach = {"reported"}
    for _ in STATES:
        reach |= {t.target for t in TRANSITIONS.values() if t.target and reach & set(t.sources)}
    assert reach == set(STATES)


@given(st.sampled_from(OPEN), st.sampled_from(sorted(TRANSITIONS)))
def test_an_action_is_possible_exactly_where_the_table_says(state: str, action: str) -> None:
    import msgspec

    incident = msgspec.structs.replace(fresh(), state=state)
    step = Step(action, moment(0), "li", organisation="a", assignee="li")
    assert possible(incident, step) == (state in TRANSITIONS[action].sources) == (action in allowed(incident))
