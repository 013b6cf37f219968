"""Applications: split by owner, led to an end by those who may, on time, and nobody's step is lost."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from msgspec.structs import replace

from mumian.elements.sharing.api import Item, Quota, Sharing
from mumian.elements.sharing.errors import Moved, NoSuchGrant, NotPossible, NotShared, OwnApplication
from mumian.foundation.ledger.api import Ledger
from mumian.kernel.clock import ManualClock
from mumian.kernel.errors import Forbidden, Invalid, NotFound
from mumian.kernel.platform import Platform
from mumian.kernel.settings import Settings
from tests.elements.sharing.conftest import (
    apply,
    asking,
    caller,
    decide,
    draft,
    giving,
    granted,
    made,
    people,
    settling,
)


@pytest_asyncio.fixture
async def either(engine: Settings, clock: ManualClock) -> AsyncIterator[Platform]:
    """The town on each engine."""
    platform = await made(engine, clock)
    yield platform
    await platform.stop()


def keys(error: pytest.ExceptionInfo[Invalid]) -> set[tuple[str, str]]:
    return {(fault.field, fault.key) for fault in error.value.faults}


async def test_one_application_for_many_datasets_is_split_and_the_unconditional_ones_are_granted_at_once(
    either: Platform,
) -> None:
    people_part, shops_part = sorted(
        await apply(either, draft(people(), Item(dataset="shops"))), key=lambda part: part.owner, reverse=True
    )
    assert (people_part.owner, people_part.state, people_part.stage) == ("police", "submitted", "owner")
    assert (shops_part.owner, shops_part.state, len(shops_part.grants)) == ("clinic", "granted", 1)
    assert people_part.batch == shops_part.batch

    approved = await decide(either, giving(either), people_part, "approve")
    assert (approved.state, approved.stage, approved.grants) == ("approved", "bureau", ())
    confirmed = await decide(either, settling(either), approved, "confirm")
    assert (confirmed.state, confirmed.stage, confirmed.due, len(confirmed.grants)) == ("granted", "", None, 1)

    sharing = either.get(Sharing)
    grants = await either.records.read(lambda session: sharing.grants_for(session, asking(either)))
    assert {grant.dataset for grant in grants} == {"people", "shops"}
    assert all(grant.holder == "clinic" for grant in grants)
    assert (await either.get(Ledger).verify()).faults == ()


async def test_a_row_that_was_changed_by_hand_is_found(town: Platform) -> None:
    grant = await granted(town)
    await town.records.write(
        lambda tx: tx.session.execute(
            "UPDATE sharing_grant SET until = '2099-01-01T00:00:00.000000Z' WHERE id = :id", id=grant.id
        )
    )
    found = (await town.get(Ledger).verify()).faults
    assert [(fault.table, fault.entry, fault.field) for fault in found] == [("sharing_grant", grant.id, "digest")]


@pytest.mark.asyncio(loop_scope="module")
async def test_a_dataset_that_is_not_shared_is_refused_with_the_law(shared: Platform) -> None:
    with pytest.raises(NotShared) as error:
        await apply(shared, draft(Item(dataset="wanted", fields=("a",))))
    assert error.value.values == {"dataset": "wanted", "basis": "保密法"}


@pytest.mark.asyncio(loop_scope="module")
async def test_only_fields_that_are_named_and_needed_may_be_asked_for(shared: Platform) -> None:
    wrong = Item(dataset="people", fields=("code", "site", "shoe"), reasons={}, lookup=("height",))
    with pytest.raises(Invalid) as error:
        await apply(shared, draft(wrong, Item(dataset="shops", rows="id > (SELECT 1)")))
    assert keys(error) == {
        ("items[0].fields", "sharing.no_such_field"),
        ("items[0].lookup", "sharing.no_such_field"),
        ("items[0].reasons.code", "sharing.reason_missing"),
        ("items[0].fields", "sharing.core"),
        ("items[1].rows", "sharing.condition"),
    }
    with pytest.raises(Invalid) as error:
        await apply(shared, draft(Item(dataset="people")))
    assert keys(error) == {("items[0].fields", "sharing.fields_missing")}
    with pytest.raises(Invalid) as error:
        await apply(shared, draft(people(), people(), purpose="Not a word", days=0, basis=" "))
    assert {field for field, _ in keys(error)} == {"purpose", "basis", "days", "items"}


async def test_two_people_who_decide_at_once_do_not_both_decide(either: Platform) -> None:
    application = (await apply(either, draft()))[0]
    await decide(either, giving(either), application, "refuse", reason="no need", basis="保密法")
    other = caller(either, "police", "giver", name="second")
    with pytest.raises(NotPossible):
        await decide(either, other, application, "approve")
    again = (await apply(either, draft()))[0]
    returned = await decide(either, giving(either), again, "ask", reason="which patients?")
    supplied = await decide(either, asking(either), returned, "supply", reason="those of today", items=(people(),))
    with pytest.raises(Moved):
        await decide(either, other, again, "approve")
    assert (supplied.state, supplied.version) == ("submitted", 3)


@pytest.mark.asyncio(loop_scope="module")
async def test_only_those_may_decide_whose_data_they_are_and_nobody_on_the_own_application(shared: Platform) -> None:
    application = (await apply(shared, draft()))[0]
    with pytest.raises(NotFound):
        await decide(shared, caller(shared, "north", "giver"), application, "approve")
    with pytest.raises(Forbidden):
        await decide(shared, asking(shared), application, "approve")
    both = caller(shared, None, "administrator", name="p-clinic")
    with pytest.raises(OwnApplication):
        await decide(shared, both, application, "approve")
    with pytest.raises(Forbidden):
        await apply(shared, draft(), caller(shared, "clinic"))


@pytest.mark.asyncio(loop_scope="module")
async def test_a_refusal_needs_a_reason_and_a_law_and_may_be_taken_to_the_bureau_once(shared: Platform) -> None:
    application = (await apply(shared, draft()))[0]
    with pytest.raises(Invalid) as error:
        await decide(shared, giving(shared), application, "refuse")
    assert keys(error) == {("reason", "field.missing"), ("basis", "sharing.basis_missing")}
    refused = await decide(shared, giving(shared), application, "refuse", reason="not needed", basis="条例")
    disputed = await decide(shared, asking(shared), refused, "appeal", reason="it is")
    assert (refused.refusal_basis, disputed.stage, disputed.refusal_basis) == ("条例", "bureau", "")
    upheld = await decide(shared, settling(shared), disputed, "uphold", reason="it is not", basis="条例")
    with pytest.raises(NotPossible):
        await decide(shared, asking(shared), upheld, "appeal", reason="but")


@pytest.mark.asyncio(loop_scope="module")
async def test_the_bureau_may_overturn_a_refusal(shared: Platform) -> None:
    application = (await apply(shared, draft()))[0]
    refused = await decide(shared, giving(shared), application, "refuse", reason="not needed", basis="条例")
    disputed = await decide(shared, asking(shared), refused, "appeal", reason="it is")
    overturned = await decide(shared, settling(shared), disputed, "overturn", reason="the task needs it")
    assert (overturned.state, len(overturned.grants)) == ("granted", 1)


@pytest.mark.asyncio(loop_scope="module")
async def test_who_decides_may_give_less_but_never_more(shared: Platform) -> None:
    application = (await apply(shared, draft(people(rows="district = '440103'"))))[0]
    wider = people(fields=("code", "phone", "height", "district"), plain=("phone",), rows=None)
    with pytest.raises(Invalid) as error:
        await decide(shared, giving(shared), application, "approve", items=(wider,))
    assert {field for field, _ in keys(error)} == {"items[0].fields", "items[0].plain", "items[0].rows"}
    narrow = people(fields=("code", "height"), lookup=(), tokens=("code",), rows="height > 170")
    approved = await decide(shared, giving(shared), application, "approve", items=(narrow,), days=7, quota=Quota(rows_day=5))
    assert approved.items[0].rows == "(district = '440103') AND (height > 170)"
    assert (approved.days, approved.quota.rows_day) == (7, 5)


async def test_deadlines_count_working_days_and_what_is_late_is_noted_once(town: Platform, clock: ManualClock) -> None:
    application = (await apply(town, draft()))[0]
    # Asked on 1 January; 2, 3, 4 (worked on a Saturday), 6 … 10, 13, 14 are the ten working days after it.
    assert application.due == "2014-01-15T00:00:00.000000Z"
    clock.advance(days=13)
    await town.settle()
    late = await town.records.read(lambda s: town.get(Sharing).application(s, giving(town), application.number))
    assert late.missed == 0
    clock.advance(days=1, seconds=1)
    await town.settle()
    await town.settle()
    late = await town.records.read(lambda s: town.get(Sharing).application(s, giving(town), application.number))
    assert (late.missed, late.version, late.state) == (1, 2, "submitted")
    returned = await decide(town, giving(town), late, "ask", reason="why?")
    clock.advance(days=30)
    await town.settle()
    gone = await town.records.read(lambda s: town.get(Sharing).application(s, giving(town), application.number))
    assert (returned.due, gone.state, gone.stage) == ("2014-01-30T00:00:00.000000Z", "lapsed", "")


async def test_a_grant_is_prolonged_by_an_application_and_ends_by_itself(town: Platform, clock: ManualClock) -> None:
    grant = await granted(town)
    renewal = (await apply(town, replace(draft(), renews=grant.id, days=10)))[0]
    approved = await decide(town, giving(town), renewal, "approve")
    done = await decide(town, settling(town), approved, "confirm")
    sharing = town.get(Sharing)
    longer = await town.records.read(lambda s: sharing.grant_of(s, grant.id))
    assert done.grants == (grant.id,)
    assert (grant.until[:10], longer.until[:10]) == ("2014-01-31", "2014-02-10")
    clock.advance(days=41)
    await town.settle()
    assert (await town.records.read(lambda s: sharing.grant_of(s, grant.id))).state == "ended"
    assert (await town.get(Ledger).verify()).faults == ()


@pytest.mark.asyncio(loop_scope="module")
async def test_a_grant_is_revoked_by_its_owner_or_given_back_and_seen_by_nobody_else(shared: Platform) -> None:
    grant = await granted(shared)
    sharing = shared.get(Sharing)
    with pytest.raises(NoSuchGrant):
        await shared.records.write(lambda tx: sharing.revoke(tx, caller(shared, "north", "giver"), grant.id, "mine"))
    revoked = await shared.records.write(lambda tx: sharing.revoke(tx, giving(shared), grant.id, "misused"))
    assert (revoked.state, revoked.reason) == ("revoked", "misused")
    with pytest.raises(NotPossible):
        await apply(shared, replace(draft(), renews=grant.id))
