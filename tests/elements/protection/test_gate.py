"""The gate: rows are shown by policy, in bounds, and every look at labelled data is proven."""

import asyncio
from datetime import timedelta

import pytest

from mumian.elements.catalog.api import Tables
from mumian.elements.protection.api import DatasetGrant, Gate, Grant, Limits, Mask, RowRequest
from mumian.elements.protection.errors import BadQuery, GrantEnded, NotGranted, TooMuch, WrongPurpose
from mumian.foundation.ledger.api import Ledger
from mumian.foundation.storage.contracts import Lake
from mumian.kernel.clock import ManualClock
from mumian.kernel.errors import Invalid, NotFound
from mumian.kernel.platform import Platform
from tests.elements.protection.conftest import PEOPLE, ask, caller, fill_people, told


def grant(*datasets: DatasetGrant, **more: object) -> Grant:
    return Grant("g-1", datasets, ("care",), **more)  # type: ignore[arg-type]


async def test_open_data_are_read_by_anybody_and_leave_no_evidence(town: Platform) -> None:
    rows = await ask(town, 'SELECT "编号", since FROM shops.open WHERE shops.open."编号" < 2 ORDER BY 1', organisation=None)
    assert rows == [(0, "2014-01-01"), (1, "2014-01-02")]
    assert await told(town) == []


async def test_personal_fields_are_masked_and_the_look_is_in_the_ledger(town: Platform) -> None:
    rows = await ask(town, "SELECT 身份证, phone, born, illness, height FROM people ORDER BY height", "keeper")
    assert rows[0] == (None, None, 1985, None, 160.25)
    [read] = await told(town)
    assert read["subject"] == "people"
    assert (read["rows"], read["purpose"], read["organisation"]) == (3, "audit", "town")
    assert read["labelled"] == {"身份证": "null", "phone": "null", "born": "year", "illness": "null"}
    assert read["fields"] == ["身份证", "phone", "born", "illness", "height"]
    assert (await town.get(Ledger).verify()).sound


async def test_a_policy_for_a_purpose_unmasks_what_is_personal_but_not_what_is_sensitive(town: Platform) -> None:
    sql = "SELECT phone, illness FROM people ORDER BY phone LIMIT 1"
    assert await ask(town, sql, "keeper", "doctor", purpose="care") == [("13800000001", None)]
    assert await ask(town, sql, "keeper", "doctor", purpose="research") == [(None, None)]


async def test_nobody_reads_labelled_rows_without_right_or_grant_or_purpose(town: Platform) -> None:
    with pytest.raises(NotGranted):
        await ask(town, "SELECT district FROM people", organisation="clinic")
    with pytest.raises(Invalid, match="purpose"):
        await ask(town, "SELECT phone FROM people", "keeper", purpose=" ")
    with pytest.raises(BadQuery, match="capacity"):
        await ask(town, "SELECT capacity FROM shops.open")
    with pytest.raises(BadQuery, match="no rows yet"):
        await ask(town, "SELECT a FROM bare")
    with pytest.raises(NotFound):
        await ask(town, "SELECT * FROM nowhere")


async def test_a_grant_shows_its_fields_rows_masks_and_tokens_and_nothing_else(town: Platform) -> None:
    terms = DatasetGrant(
        "people",
        fields=("身份证", "phone", "district", "born"),
        rows="district = '440103'",
        masks=(("phone", Mask("keep", 3, 4)), ("district", Mask("division", 4))),
        tokens=(("身份证", "g-1/2014"),),
        lookup=("身份证",),
    )
    given = grant(terms, holder="clinic")
    rows = await ask(town, "SELECT * FROM people ORDER BY phone", organisation="clinic", purpose="care", grant=given)
    keys = town.get(Gate).keys
    assert rows == [
        (keys.token("g-1/2014", "440103199001010011"), "138****0001", 1990, "440100"),
        (keys.token("g-1/2014", "440103200012120033"), "138****0003", 2000, "440100"),
    ]
    with pytest.raises(BadQuery, match="illness"):
        await ask(town, "SELECT illness FROM people", organisation="clinic", purpose="care", grant=given)
    found = await ask(
        town,
        "SELECT phone FROM people",
        organisation="clinic",
        purpose="care",
        grant=given,
        match={"身份证": "440103199001010011"},
    )
    assert found == [("138****0001",)]
    outside = await ask(
        town,
        "SELECT phone FROM people",
        organisation="clinic",
        purpose="care",
        grant=given,
        match={"身份证": "440104198505050022"},
    )
    assert outside == []
    with pytest.raises(Invalid, match="phone"):
        await ask(town, "SELECT phone FROM people", organisation="clinic", purpose="care", grant=given, match={"phone": "1"})
    read = (await told(town))[-1]
    assert (read["grant"], read["labelled"]) == ("g-1", {"phone": "keep"})
    assert read["values"] is not None
    assert "440104198505050022" not in str(read)


async def test_a_grant_ends_and_holds_only_for_its_holder_and_purpose(town: Platform, clock: ManualClock) -> None:
    terms = DatasetGrant("people", fields=("height",))
    sql = "SELECT height FROM people"
    with pytest.raises(GrantEnded):
        await ask(town, sql, purpose="care", grant=grant(terms, expires=clock.now()))
    with pytest.raises(GrantEnded):
        await ask(town, sql, purpose="care", grant=grant(terms, quota=0))
    with pytest.raises(WrongPurpose):
        await ask(town, sql, purpose="fun", grant=grant(terms))
    with pytest.raises(WrongPurpose):
        await ask(town, sql, purpose="care", grant=grant(terms, holder="clinic"))
    later = clock.now() + timedelta(days=1)
    assert len(await ask(town, sql, purpose="care", grant=grant(terms, expires=later, quota=2))) == 2


async def test_joins_unions_and_ctes_work_over_names_in_any_form(town: Platform) -> None:
    sql = """
        WITH near AS (SELECT district, count(*) AS n FROM "shops.open" GROUP BY ALL),
             people2 AS (SELECT p.district, avg(p.height) AS tall FROM people AS p GROUP BY 1)
        SELECT near.district, n, tall, (SELECT max("编号") FROM SHOPS.OPEN) FROM near JOIN people2 USING (district)
        WHERE EXISTS (SELECT 1 FROM people WHERE people.district = near.district)
        UNION ALL SELECT 'x', 1, 2.5, 0 ORDER BY 1
    """
    assert await ask(town, sql, "keeper") == [("440103", 50, 175.75, 99), ("440104", 50, 160.25, 99), ("x", 1, 2.5, 0)]


async def test_a_cte_cannot_take_the_place_of_a_dataset_or_of_its_table(town: Platform) -> None:
    for name in ("dataset_1", "people", "lake"):
        sql = f"WITH {name} AS (SELECT 1 AS height) SELECT p.height FROM shops.open, {name} AS p LIMIT 1"
        assert await ask(town, sql) == [(1,)]
    assert len(await ask(town, "WITH dataset_1 AS (SELECT 1 AS height) SELECT height FROM people", "keeper")) == 3


async def test_system_columns_are_there_when_they_are_named(town: Platform) -> None:
    assert await ask(town, 'SELECT _id, "编号" FROM shops.open WHERE _id > 98 ORDER BY _id') == [(99, 98), (100, 99)]
    assert len((await ask(town, "SELECT * FROM shops.open LIMIT 1"))[0]) == 3


async def test_answers_are_cut_and_slow_queries_end(town: Platform) -> None:
    gate, who = town.get(Gate), caller(town, "keeper")
    answer = await gate.query(RowRequest(who, "audit", 'SELECT "编号" FROM shops.open', limits=Limits(rows=7)))
    assert (len(answer.rows), answer.truncated) == (7, True)
    assert [(column.name, column.type) for column in answer.columns] == [("编号", "integer")]
    answer = await gate.query(RowRequest(who, "audit", 'SELECT "编号" FROM shops.open LIMIT 200', limits=Limits(rows=7)))
    assert (len(answer.rows), answer.truncated) == (7, True)
    answer = await gate.query(RowRequest(who, "audit", "SELECT district FROM shops.open", limits=Limits(bytes=60)))
    assert (len(answer.rows), answer.truncated) == (10, True)
    slow = "SELECT sum(a.编号 * b.编号 * c.编号 * d.编号 * e.编号) FROM " + ", ".join(f"shops.open {n}" for n in "abcde")
    with pytest.raises(TooMuch):
        await gate.query(RowRequest(who, "audit", slow, limits=Limits(seconds=0.2)))
    assert len(await ask(town, "SELECT 1 FROM shops.open")) == 100


async def test_a_caller_who_goes_away_leaves_nothing_running(town: Platform) -> None:
    slow = "SELECT sum(a.编号 * b.编号 * c.编号 * d.编号 * e.编号) FROM " + ", ".join(f"shops.open {n}" for n in "abcde")
    task = asyncio.create_task(ask(town, slow))
    await asyncio.sleep(0.3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(await ask(town, "SELECT 1 FROM shops.open")) == 100


async def test_long_answers_come_in_batches_and_are_proven_before_and_after(town: Platform) -> None:
    request = RowRequest(caller(town, "keeper"), "audit", "SELECT phone FROM people, shops.open", limits=Limits(rows=250))
    batches = [batch async for batch in town.get(Gate).stream(request)]
    assert sum(len(rows) for _, rows in batches) == 250
    assert [column.name for column in batches[0][0]] == ["phone"]
    assert [read["rows"] for read in await told(town)] == [None, 250]


async def test_a_delivery_runs_in_the_lake_as_rewritten(town: Platform) -> None:
    terms = DatasetGrant("people", tokens=(("phone", "k"),), fields=("phone", "height"))
    request = RowRequest(caller(town), "care", "SELECT * FROM people ORDER BY height", grant=grant(terms))
    delivery = await town.get(Gate).table_sql(request)
    rows = await asyncio.to_thread(town.get(Lake).rows, delivery.sql, **delivery.params)  # type: ignore[type-abstract]
    assert rows[0] == (town.get(Gate).keys.token("k", "13800000002"), 160.25)
    assert [column.name for column in delivery.columns] == ["phone", "height"]
    assert delivery.labelled == ("people#phone",)


async def test_an_error_tells_nothing_about_values(town: Platform) -> None:
    terms = DatasetGrant("people", rows="height > 200", fields=("district",))
    sql = "SELECT CAST(district || 'x' AS INTEGER) FROM people"
    assert await ask(town, sql, purpose="care", grant=grant(terms)) == []
    with pytest.raises(BadQuery) as refused:
        await ask(town, "SELECT CAST(district || 'x' AS INTEGER) FROM people", "keeper")
    assert "4401" not in str(refused.value)


async def test_rows_asked_for_often_come_from_memory_and_never_from_before_a_load(town: Platform) -> None:
    gate = town.get(Gate)
    terms = DatasetGrant("people", fields=("身份证", "district"), tokens=(("身份证", "k"),), lookup=("身份证",))
    request = RowRequest(caller(town), "care", "SELECT * FROM people", grant=grant(terms), match={"身份证": PEOPLE[0][0]})
    cold = (await gate.query(request)).rows
    for _ in range(3):
        assert (await gate.query(request)).rows == cold
    await asyncio.to_thread(gate._known.hot._builder.submit(lambda: None).result)
    assert list(gate._known.hot.datasets()) == ["people"]
    assert (await gate.query(request)).rows == cold == [(gate.keys.token("k", PEOPLE[0][0]), "440103")]
    evil = RowRequest(**{**request.__dict__, "match": {"身份证": "x' OR '1'='1"}})
    assert (await gate.query(evil)).rows == []
    await town.get(Tables).load("people", fill_people, "append", "made")
    await town.settle()
    assert len((await gate.query(request)).rows) == 2
