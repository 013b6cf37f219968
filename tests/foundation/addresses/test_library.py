"""Behaviour of the library: import with errors by row, history, renames, evidence, matching, points and their reasons."""

import asyncio

import pytest

from mumian.foundation.addresses import store
from mumian.foundation.addresses.api import Addresses, Located, Match
from mumian.foundation.addresses.errors import AddressTaken, NotInForce
from mumian.foundation.addresses.service import keeping
from mumian.foundation.ledger.api import Ledger
from mumian.kernel.errors import Invalid
from mumian.kernel.platform import Platform
from tests.foundation.addresses.conftest import HEADER, ROWS
from tests.foundation.addresses.town import Town


async def located(platform: Platform, text: str, date: str | None = None) -> Located | None:
    """The point of one text."""
    addresses = platform.get(Addresses)
    await asyncio.to_thread(addresses.parser)
    return (await platform.records.read(lambda session: addresses.geocode(session, [text], date)))[0]


async def matched(platform: Platform, text: str, date: str | None = None) -> Match:
    """The match of one text."""
    addresses = platform.get(Addresses)
    await asyncio.to_thread(addresses.parser)
    return await platform.records.read(lambda session: addresses.match(session, text, date))


async def test_bad_rows_are_listed_and_good_ones_kept(town: Town) -> None:
    text = HEADER + (
        "b1,440106001,五山路,1号,,,,,113.3,23.1,\n"
        "b2,999999,五山路,1号,,,,,113.3,23.1,\n"
        "b3,440106001,,,,,,,113.3,23.1,\n"
        "b4,440106001,五山路,3号,,,,,213.3,23.1,\n"
        "b5,440106001,五山路,5号,,,,,x,23.1,\n"
        "b1,440106001,五山路,7号,,,,,113.3,23.1,\n"
        ",440106001,五山路,1号,,,,,113.3,23.1,\n"
        "b8,440106001,五山路,9号,,,,,113.3,23.1,2013-02-30\n"
    )
    report = await town.fill(text)
    assert (report.rows, report.added, report.refused, report.repeated) == (8, 1, 6, 1)
    assert [(fault.line, fault.field) for fault in report.faults] == [
        (3, "division"), (4, "road"), (5, "longitude"), (6, "longitude"), (9, "valid_from"), (7, "code"),
    ]  # fmt: skip


async def test_importing_the_same_file_again_changes_nothing(town: Town, library: Platform) -> None:
    report = await town.fill(HEADER + ROWS)
    assert (report.added, report.changed, report.repeated, report.refused) == (0, 0, 9, 0)


async def test_whole_texts_are_imported_by_parsing_them(town: Town) -> None:
    report = await town.fill("标准地址,经度,纬度\n广东省广州市天河区五山路381号,113.344,23.15\n五山路9号,113,23\n")
    assert (report.added, [fault.key for fault in report.faults]) == (1, ["addresses.no_district"])
    found = await matched(town.platform, "广州天河五山路381号")
    assert found.candidates[0].address.code == "440106000000000001"


async def test_a_file_without_a_usable_header_is_refused(town: Town) -> None:
    with pytest.raises(Invalid):
        await town.fill("a,b\n1,2\n")


async def test_an_exact_address_is_found_with_full_confidence(library: Platform) -> None:
    found = await matched(library, "广东省广州市天河区五山街道五山路383号华南花园6栋2单元1203室")
    assert (found.candidates[0].address.code, found.candidates[0].confidence, found.precision) == ("a3", 1.0, "room")
    assert "room:equal" in found.candidates[0].reasons


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("天河区五山路381号", "a1"),
        ("五山路三百八十一号", "a1"),
        ("华南花园6号楼2单元1204房", "a4"),
        ("天河区五山路383号6栋2单元1203", "a3"),
        ("广州市天河城广场", "a5"),
        ("广州天何路208号", "a5"),
        ("维多利", "a6"),
        ("广州市越秀区北京路168号", "a8"),
        ("北京市东城区北京路168号", "a9"),
    ],
)
async def test_partial_and_mistyped_texts_find_the_address(library: Platform, text: str, code: str) -> None:
    found = await matched(library, text)
    assert found.candidates, found
    assert found.candidates[0].address.code == code


async def test_a_room_that_the_library_lacks_is_told(library: Platform) -> None:
    found = await matched(library, "天河区五山路383号华南花园6栋2单元1999室")
    assert found.candidates[0].confidence < 0.95
    assert "room:different" in found.candidates[0].reasons


async def test_nothing_is_found_for_what_is_nowhere(library: Platform) -> None:
    assert (await matched(library, "上海市徐汇区虹漕路461号")).candidates == ()
    assert await located(library, "上海市徐汇区虹漕路461号") is None


async def test_a_missing_number_lies_between_its_neighbours(library: Platform) -> None:
    found = await located(library, "天河区天河路204号")
    assert found is not None
    assert found.method == "interpolated"
    assert 113.3212 < found.longitude < 113.3230


async def test_an_intersection_is_where_two_roads_come_nearest(library: Platform) -> None:
    found = await located(library, "广州市天河区天河路与体育西路交叉口")
    assert found is not None
    assert found.method == "crossing"
    assert found.longitude == pytest.approx(113.3211, abs=1e-6)


async def test_a_direction_and_distance_move_the_point(library: Platform) -> None:
    at, east = await located(library, "天河城广场"), await located(library, "天河城广场东侧100米")
    assert at is not None
    assert east is not None
    assert east.longitude - at.longitude == pytest.approx(100 / 111320 / 0.9196, rel=0.01)
    assert east.latitude == at.latitude
    assert east.radius > at.radius


async def test_the_nearest_addresses_of_a_point_come_first(library: Platform) -> None:
    near = await library.records.read(lambda s: library.get(Addresses).nearest(s, 113.3441, 23.1501, limit=3))
    assert [found.address.code for found in near][:1] == ["a1"]
    assert near[0].metres < 20
    assert near == sorted(near, key=lambda found: found.metres)


async def test_a_renamed_road_is_found_by_both_names_and_as_of_each_day(library: Platform) -> None:
    parser = await asyncio.to_thread(library.get(Addresses).parser)
    count = await library.records.write(lambda tx: keeping.rename_road(tx, parser, "440106", "五山路", "科教路", "2013-12-01"))
    assert count == 4
    now = await matched(library, "天河区五山路381号")
    assert (now.candidates[0].address.code, now.candidates[0].address.road) == ("a1", "科教路")
    assert any(reason.startswith("road:former") for reason in now.candidates[0].reasons)
    before = await matched(library, "天河区五山路381号", "2013-06-01")
    assert (before.candidates[0].address.code, before.candidates[0].address.road) == ("a1", "五山路")
    versions = await library.records.read(lambda session: store.history(session, "a1"))
    assert [(v.road, v.valid_from, v.valid_to) for v in versions] == [
        ("五山路", "2013-01-01", "2013-12-01"),
        ("科教路", "2013-12-01", ""),
    ]


async def test_a_retired_address_is_found_only_before_its_end(library: Platform) -> None:
    await library.records.write(lambda tx: keeping.retire(tx, "a5", "2013-12-01", "demolished"))
    assert (await matched(library, "天河城广场")).candidates == ()
    assert (await matched(library, "天河城广场", "2013-11-30")).candidates[0].address.code == "a5"
    with pytest.raises(NotInForce):
        await library.records.write(lambda tx: keeping.retire(tx, "a5", "2013-12-02", "again"))


async def test_the_same_address_is_not_added_twice(library: Platform) -> None:
    parser = await asyncio.to_thread(library.get(Addresses).parser)
    values = {"division": "440106001", "road": "五山路", "number": "381"}
    with pytest.raises(AddressTaken):
        await library.records.write(lambda tx: keeping.add(tx, keeping.compose(parser, values, "2014-01-01"), "440106001"))


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE addresses_address SET longitude = 100 WHERE code = 'a1'",
        "UPDATE addresses_address SET valid_to = '2013-05-05' WHERE code = 'a1'",
        "DELETE FROM addresses_address WHERE code = 'a1'",
        "UPDATE addresses_address SET batch = 'x' WHERE code = 'a1'",
    ],
)
async def test_what_was_changed_behind_the_citys_back_is_noticed(library: Platform, sql: str) -> None:
    assert (await library.get(Ledger).verify()).sound
    await library.records.write(lambda tx: tx.session.execute(sql))
    assert not (await library.get(Ledger).verify()).sound
