"""Behaviour of parsing by rules: divisions in all their names, segments, relations, and text of any kind."""

import csv
import re
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mumian.foundation.addresses.divisions import national
from mumian.foundation.addresses.rules.parsing import parse
from mumian.foundation.addresses.rules.standard import bare, tidy
from mumian.foundation.addresses.rules.text import number, plain
from mumian.foundation.addresses.service.parsing import Parser


def spoken(parser: Parser, text: str) -> str:
    """The elements of a text as `kind=text …`."""
    return " ".join(f"{e.kind}={e.text}" for e in parser.parse(text).elements if e.kind != "noise")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "广东省广州市天河区五山街道五山路381号",
            "province=广东省 city=广州市 district=天河区 street=五山街道 road=五山路 number=381号",
        ),
        ("广州天河体育西路103号维多利广场", "city=广州 district=天河 road=体育西路 number=103号 poi=维多利广场"),
        (
            "浙江省杭州市余杭区五常街道文一西路969号",
            "province=浙江省 city=杭州市 district=余杭区 street=五常街道 road=文一西路 number=969号",
        ),
        (
            "西湖区新金都城市花园西雅园10幢",
            "district=西湖区 poi=新金都城市花园 subpoi=西雅园 building=10幢",
        ),
        ("天河路208号六号楼二单元1203室", "road=天河路 number=208号 building=六号楼 unit=二单元 room=1203室"),
        ("华南花园7-2-801", "poi=华南花园 building=7 unit=2 room=801"),
        ("张庆乡北胡乔村", "street=张庆乡 community=北胡乔村"),
        ("沿山村5组6号", "community=沿山村 number=5组6号"),
        ("天河路与体育西路交叉口", "road=天河路 relation=与 subroad=体育西路 relation=交叉口"),
        ("勿忘我网吧门口", "poi=勿忘我网吧 relation=门口"),
        ("阳光花园东侧50米", "poi=阳光花园 relation=东侧50米"),
        ("柳营路669弄14号1102", "road=柳营路 number=669弄 building=14号 room=1102"),
    ],
)
def test_an_address_is_taken_apart(parser: Parser, text: str, expected: str) -> None:
    found = spoken(parser, text)
    assert found == expected


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("湖北省襄樊市小水街222号", ("湖北省", "襄阳市", "")),
        ("成都市新津县金华镇", ("四川省", "成都市", "新津区")),
        ("莱芜", ("山东省", "济南市", "莱芜区")),
        ("西安交通大学", ("陕西省", "西安市", "")),
        ("新疆巴音郭楞", ("新疆维吾尔自治区", "巴音郭楞蒙古自治州", "")),
        ("湘潭城塘社区", ("湖南省", "湘潭市", "")),
        ("湘潭县城塘社区", ("湖南省", "湘潭市", "湘潭县")),
        ("海南藏族自治州", ("青海省", "海南藏族自治州", "")),
        ("石首市笔架山办事处建设路香港城西街", ("湖北省", "荆州市", "石首市")),
        ("内蒙古自治区通辽市科尔沁甘蓝子街98号", ("内蒙古自治区", "通辽市", "科尔沁区")),
        ("上海浦东新区东明路街道三林路15号", ("上海市", "上海市", "浦东新区")),
    ],
)
def test_short_former_and_missing_names_lead_to_the_divisions_in_force(parser: Parser, text: str, names: tuple[str, ...]) -> None:
    assert parser.parse(text).place.names[:3] == names


def test_a_name_that_several_districts_share_is_said_to_be_ambiguous(parser: Parser) -> None:
    place = parser.parse("西湖区文三路1号").place
    assert place.names[:3] == ("", "", "西湖区")
    assert set(place.others) == {"330106", "360103"}
    assert "ambiguous" in place.reasons


def test_the_own_city_wins_where_a_name_alone_is_ambiguous() -> None:
    place = parse(national(), "西湖区文三路1号", ("3601",))[1]
    assert (place.district, place.others) == ("360103", ())


def test_a_road_named_after_a_city_is_a_road(parser: Parser) -> None:
    assert spoken(parser, "青岛市市南区香港中路18号") == "city=青岛市 district=市南区 road=香港中路 number=18号"


def test_divisions_said_twice_are_noise(parser: Parser) -> None:
    parsed = parser.parse("浙江省杭州市滨江区浙江省杭州市滨江区六和路1号")
    assert [e.kind for e in parsed.elements] == ["province", "city", "district", "noise", "noise", "noise", "road", "number"]
    assert parsed.standard == "浙江省杭州市滨江区六和路1号"


def test_wide_signs_and_chinese_numerals_give_the_same_standard_form(parser: Parser) -> None:
    texts = [
        "广州市天河区五山路３８１号６栋２单元１２０３室",
        "广州市天河区五山路三百八十一号六栋二单元1203房",
        "广东省广州市天河区五山路381号6幢2单元1203室",
    ]
    assert {parser.parse(text).standard for text in texts} == {"广东省广州市天河区五山路381号6栋2单元1203室"}


@pytest.mark.parametrize(
    ("text", "value"), [("二十三", "23"), ("十", "10"), ("一百零五", "105"), ("一〇二", "102"), ("十二", "12"), ("A", "A")]
)
def test_chinese_numerals_are_numbers(text: str, value: str) -> None:
    assert number(text) == value


def test_numbers_are_written_one_way() -> None:
    assert [tidy("building", t) for t in ("六号楼", "6幢", "6", "A座")] == ["6栋", "6栋", "6栋", "A座"]
    assert [tidy("floor", t) for t in ("三楼", "3层", "B1")] == ["3层", "3层", "B1层"]
    assert bare("甲12号之3") == "12-3"


@given(st.text(max_size=60))
def test_any_text_is_taken_apart_without_losing_or_repeating_a_character(text: str) -> None:
    clear = plain(text)
    elements, _ = parse(national(), clear)
    assert len(clear) == len(text)
    assert all(clear[e.start : e.end] == e.text for e in elements)
    assert all(a.end <= b.start for a, b in pairwise(elements))


@given(st.text(alphabet="广东省州市天河区五山街道路北京三十号栋单元室12A-与口旁东西米村社花园楼", max_size=30))
def test_any_text_of_address_words_is_covered_from_left_to_right(text: str) -> None:
    elements, _ = parse(national(), text)
    assert all(a.end <= b.start for a, b in pairwise(elements))
    assert all(e.end > e.start for e in elements)


def test_the_public_cases_of_locations_are_met(parser: Parser, shared_data: Path) -> None:
    """Of 33 published cases three differ: a zone by its full name, a place without its suffix, a county city as district."""
    import ast

    tree = ast.parse((shared_data / "address_parsing_zh" / "jionlp" / "test_location_parser.py").read_text("utf-8"))
    lists = [
        n.value for n in ast.walk(tree) if isinstance(n, ast.Assign) and getattr(n.targets[0], "id", "") == "location_string_list"
    ]
    differ = []
    for text, _, _, wanted in ast.literal_eval(lists[0]):
        expected = tuple(wanted[level] or "" for level in ("province", "city", "county"))
        if parser.parse(text).place.names[:3] != expected:
            differ.append(text)
    assert differ == ["河北省秦皇岛市经济技术开发区", "香港九龙半岛清水湾香港科技大学", "台湾省屏东县屏东市太原1路84号"]


def test_company_addresses_of_a_city_are_placed_in_it(shared_data: Path) -> None:
    from mumian.foundation.addresses.service.parsing import make_parser

    parser = make_parser([("萝岗区", "440112"), ("萝岗", "440112")], ("4401", "44"))
    with (shared_data / "address_parsing_zh" / "cpca" / "addr.csv").open(encoding="utf-8-sig") as file:
        texts = [row["原始地址"] for row in csv.DictReader(file) if "广州" in row["原始地址"]]
    places = {text: parser.parse(text).place for text in texts}
    elsewhere = [text for text, place in places.items() if place.city != "4401"]
    named = re.compile("越秀区|海珠区|荔湾区|天河区|白云区|黄埔区|番禺区|花都区|南沙区|萝岗区|增城|从化")
    written = [place for text, place in places.items() if named.search(text) and place.city == "4401"]
    assert len(texts) == 968
    assert len(elsewhere) <= 20, "addresses in other cities on a road of that name, and lists of many offices"
    assert sum(bool(place.district) for place in written) / len(written) >= 0.95


def test_the_table_has_every_street_of_the_city_that_ships(shared_data: Path) -> None:
    import json

    streets = json.loads((shared_data / "admin_codes" / "guangzhou_streets.json").read_text("utf-8"))
    table = national().names
    assert len(streets) == 178
    assert {row["code"]: row["name"] for row in streets} == {
        c: n for c, n in table.items() if len(c) == 9 and c.startswith("4401")
    }
    assert sum(row["name"].endswith("街道") for row in streets) == 142
    assert sum(row["name"].endswith("镇") for row in streets) == 34


def test_every_division_stands_below_one_that_there_is() -> None:
    table = national().names
    assert len(table) == 45_084
    orphans = [code for code in table if len(code) > 2 and not any(code[:n] in table for n in (6, 4, 2) if n < len(code))]
    assert orphans == []
