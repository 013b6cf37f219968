"""Objections and demands: checked by the owner on time, matched with duties, and seen on the supervision list."""

from typing import Any

import pytest

from mumian.elements.sharing.api import Sharing
from mumian.elements.sharing.contracts import Demand, Objection
from mumian.elements.sharing.errors import Moved, NotPossible
from mumian.elements.sharing.service import figures
from mumian.foundation.identity.api import Caller
from mumian.foundation.ledger.api import Ledger
from mumian.kernel.clock import ManualClock, iso
from mumian.kernel.errors import Forbidden, Invalid, NotFound
from mumian.kernel.events import DeliveredEvent
from mumian.kernel.platform import Platform
from tests.elements.sharing.conftest import apply, asking, caller, draft, giving, settling

WRONG: dict[str, Any] = {
    "dataset": "people",
    "grant": None,
    "key": {"code": "000000000000000001"},
    "fields": ("height",),
    "description": "taller",
    "expected": "180",
}
NEED: dict[str, Any] = {
    "title": "户籍登记",
    "description": "需要户籍登记信息",
    "elements": ("id-number",),
    "purpose": "care",
    "basis": "医师法",
}


async def object_to(town: Platform, **more: Any) -> Objection:
    who = asking(town)
    return await town.records.write(lambda tx: town.get(Sharing).objecting.file(tx, who, WRONG | more), who.actor)


async def step(town: Platform, who: Caller, objection: Objection, action: str, answer: str = "") -> Objection:
    objecting = town.get(Sharing).objecting
    return await town.records.write(
        lambda tx: objecting.step(tx, who, objection.number, objection.version, action, answer), who.actor
    )


async def answer(town: Platform, who: Caller, demand: Demand, action: str, **given: Any) -> Demand:
    demanding = town.get(Sharing).demanding
    return await town.records.write(lambda tx: demanding.step(tx, who, demand.number, demand.version, action, given), who.actor)


async def test_the_owner_checks_what_is_said_to_be_wrong_and_answers(town: Platform, clock: ManualClock) -> None:
    objection = await object_to(town)
    assert (objection.owner, objection.due) == ("police", "2014-01-15T00:00:00.000000Z")
    with pytest.raises(NotFound):
        await step(town, caller(town, "north", "giver"), objection, "check")
    checking = await step(town, giving(town), objection, "check")
    clock.advance(days=3)
    longer = await step(town, giving(town), checking, "extend", "the files are in the archive")
    assert (longer.due or "") > (objection.due or "")
    with pytest.raises(NotPossible):
        await step(town, giving(town), longer, "extend", "again")
    with pytest.raises(Moved):
        await step(town, giving(town), objection, "correct", "done")
    with pytest.raises(Invalid):
        await step(town, giving(town), longer, "reject")
    done = await step(town, giving(town), longer, "correct", "it is 180")
    assert (done.state, done.due, done.answer) == ("corrected", None, "it is 180")
    told = await town.records.read(
        lambda s: [r["payload"] for r in s.rows("SELECT payload FROM kernel_outbox WHERE type = 'elements.sharing.objection'")]
    )
    assert not any("000000000000000001" in text or "180" in text for text in told)
    assert (await town.get(Ledger).verify()).faults == ()


async def test_a_quality_ticket_that_names_an_objection_is_linked_to_it(town: Platform, clock: ManualClock) -> None:
    objection = await object_to(town)
    event = DeliveredEvent(1, "elements.quality.ticket", "T1", clock.now(), "system", {"objection": objection.number})
    await town.records.write(lambda tx: town.get(Sharing).objecting.ticketed(tx, event))
    found = await town.records.read(lambda s: town.get(Sharing).objecting.get(s, giving(town), objection.number))
    assert found.ticket == "T1"
    assert (await step(town, asking(town), found, "withdraw")).state == "withdrawn"


@pytest.mark.asyncio(loop_scope="module")
async def test_only_fields_of_the_dataset_can_be_wrong(shared: Platform) -> None:
    with pytest.raises(Invalid):
        await object_to(shared, fields=("shoe",))
    with pytest.raises(NotFound):
        await object_to(shared, grant="S1")


@pytest.mark.asyncio(loop_scope="module")
async def test_a_demand_is_given_to_whose_duty_it_is_and_met_by_a_dataset_of_theirs(shared: Platform) -> None:
    who, demanding = asking(shared), shared.get(Sharing).demanding
    demand = await shared.records.write(lambda tx: demanding.ask(tx, who, NEED), who.actor)
    matches = demanding.suggestions(demand)
    assert [(match.kind, match.name) for match in matches] == [("duty", "household"), ("dataset", "people")]
    with pytest.raises(Forbidden):
        await answer(shared, giving(shared), demand, "assign", duty="household")
    assigned = await answer(shared, settling(shared), demand, "assign", duty="household")
    assert (assigned.provider, assigned.state) == ("police", "assigned")
    with pytest.raises(Invalid):
        await answer(shared, giving(shared), assigned, "meet", dataset="shops")
    met = await answer(shared, giving(shared), assigned, "meet", dataset="people")
    assert (met.state, met.dataset, met.due) == ("met", "people", None)
    assert (await shared.get(Ledger).verify()).faults == ()


async def test_what_should_have_been_answered_is_on_the_list_the_longest_first(town: Platform, clock: ManualClock) -> None:
    application = (await apply(town, draft()))[0]
    clock.advance(days=1)
    objection = await object_to(town)
    who = asking(town)
    demand = await town.records.write(lambda tx: town.get(Sharing).demanding.ask(tx, who, NEED), who.actor)
    clock.advance(days=40)
    await town.settle()
    now = iso(clock.now())
    first = await town.records.read(lambda s: figures.overdue(s, now, None, 2))
    place = (first[-1]["due"], first[-1]["number"])
    rest = await town.records.read(lambda s: figures.overdue(s, now, place, 10))
    assert [row["number"] for row in (*first, *rest)] == [application.number, objection.number, demand.number]
    assert [row["stage"] for row in (*first, *rest)] == ["owner", "owner", "provider"]
    owners = await town.records.read(lambda s: figures.owners(s, "", now))
    assert [(row["owner"], row["late"]) for row in owners] == [("police", 1)]
    assert (await town.get(Ledger).verify()).faults == ()
