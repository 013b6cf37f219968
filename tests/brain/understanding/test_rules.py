"""Tests of the rules that read texts: tone, times, places, sameness, levels."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mumian.brain.understanding.rules.places import stretches
from mumian.brain.understanding.rules.same import Report, deepest, groups, hot, metres, score
from mumian.brain.understanding.rules.times import moments, number
from mumian.brain.understanding.rules.tone import emotion, urgency

NOW = datetime(2014, 3, 12, 9, 30)  # noqa: DTZ001 - local time, a Wednesday
ANY = st.text(max_size=200)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("三楼着火了，有人被困", "critical"),
        ("There is a gas leak in the basement", "critical"),
        ("围墙随时可能倒塌，存在安全隐患", "critical"),
        ("小区停水三天了", "high"),
        ("多次投诉，至今无人处理", "high"),
        ("请问生育津贴什么时候发放", "low"),
        ("楼下的路灯不亮", "normal"),
        ("没有着火，只是烟雾报警器响", "normal"),
    ],
)
def test_urgency_follows_what_is_at_stake(text: str, value: str) -> None:
    assert urgency(text).value == value


@pytest.mark.parametrize(
    ("text", "value"),
    [("这种黑心商家太过分了，强烈要求严惩！！", "angry"), ("走投无路，求求你们", "sad"), ("老人害怕不敢出门", "afraid"),
     ("感谢你们，辛苦了", "grateful"), ("请修一下路灯", "neutral")],
)  # fmt: skip
def test_emotion_follows_the_words(text: str, value: str) -> None:
    told = emotion(text)
    assert told.value == value
    assert all(word in text for word in told.words)


@settings(max_examples=80)
@given(ANY)
def test_any_text_has_a_tone_with_a_confidence(text: str) -> None:
    for told in (urgency(text), emotion(text)):
        assert 0 < told.confidence < 1
        assert all(word.lower() in text.lower() for word in told.words)


@pytest.mark.parametrize(
    ("text", "begins", "ends", "precision"),
    [
        ("2013年12月5日下午3点半断电", "2013-12-05T15:30:00", "2013-12-05T15:31:00", "minute"),
        ("昨天晚上8点开始施工", "2014-03-11T20:00:00", "2014-03-11T21:00:00", "hour"),
        ("前天凌晨有车祸", "2014-03-10T00:00:00", "2014-03-10T06:00:00", "part"),
        ("三月十日停水", "2014-03-10T00:00:00", "2014-03-11T00:00:00", "day"),
        ("12月30日停水", "2013-12-30T00:00:00", "2013-12-31T00:00:00", "day"),
        ("上周五", "2014-03-07T00:00:00", "2014-03-08T00:00:00", "day"),
        ("2014/3/1 07:05 起", "2014-03-01T07:05:00", "2014-03-01T07:06:00", "minute"),
        ("It began yesterday", "2014-03-11T00:00:00", "2014-03-12T00:00:00", "day"),
    ],
)
def test_times_are_made_definite_by_the_day_of_the_report(text: str, begins: str, ends: str, precision: str) -> None:
    (found,) = moments(text, NOW)
    assert (found.begins, found.ends, found.precision) == (begins, ends, precision)
    assert text[found.start :].startswith(found.words)


def test_a_day_that_does_not_exist_is_passed_over() -> None:
    assert moments("2014年2月30日，13月1日", NOW) == []


@settings(max_examples=80)
@given(st.text(alphabet="0123456789年月日号点分半上下午今昨前天周一二三十:/- 晚凌晨", max_size=60))
def test_whatever_is_written_every_time_ends_after_it_begins(text: str) -> None:
    for found in moments(text, NOW):
        assert found.begins < found.ends
        assert text[found.start : found.start + len(found.words)] == found.words


@given(st.integers(0, 99))
def test_numbers_are_read_in_digits(value: int) -> None:
    assert number(str(value)) == value


def test_numbers_are_read_in_characters() -> None:
    assert [number(text) for text in ("十", "十二", "二十", "二十五", "三")] == [10, 12, 20, 25, 3]


def test_places_are_found_without_the_words_around_them() -> None:
    found = [words for _, words in stretches("尊敬的领导，我家住在青石巷12号枫林花园3栋，楼下烧烤店油烟太大")]
    assert found[0].startswith("青石巷12号枫林花园")


@settings(max_examples=80)
@given(ANY)
def test_a_place_is_where_it_is_said_to_be(text: str) -> None:
    for start, words in stretches(text):
        assert text[start : start + len(words)] == words


def report(name: str, days: float = 0, longitude: float | None = None, latitude: float | None = None, by: str = "") -> Report:
    """A report of some days after the first."""
    time = datetime(2014, 3, 1, tzinfo=UTC) + timedelta(days=days)
    return Report(number=name, time=time, longitude=longitude, latitude=latitude, by=by)


@settings(max_examples=80)
@given(st.floats(0, 1), st.floats(-60, 60), st.floats(-0.2, 0.2), st.floats(0, 90))
def test_a_score_is_the_same_both_ways_and_lies_between_nothing_and_one(
    alike: float, lat: float, off: float, days: float
) -> None:
    one, other = report("a", 0, 113.0, lat), report("b", days, 113.0 + off, lat)
    assert score(alike, one, other) == pytest.approx(score(alike, other, one))
    assert 0 <= score(alike, one, other) <= 1


def test_near_counts_more_than_far_and_soon_more_than_late() -> None:
    here, near, far, beyond = (report(str(m), 0, 113.0 + m / 100_000, 23.0) for m in (0, 50, 2000, 9000))
    assert score(0.4, here, near) > score(0.4, here, report("?")) > score(0.4, here, far) > score(0.4, here, beyond) == 0
    assert score(0.4, here, report("late", 20)) < score(0.4, here, report("soon", 1))
    assert metres(here, report("?")) is None


def test_chains_do_not_grow_into_one_group() -> None:
    chain = [(number, number + 1, 0.3) for number in range(9)]
    assert max(len(group) for group in groups(chain, 10, 0.2)) <= 3
    whole = [(one, other, 0.5) for one in range(5) for other in range(one + 1, 5)]
    assert groups(whole, 6, 0.2) == [[0, 1, 2, 3, 4]]


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.floats(0, 1)), max_size=40))
def test_nobody_is_in_two_groups(raw: list[tuple[int, int, float]]) -> None:
    pairs = [(min(a, b), max(a, b), s) for a, b, s in raw if a != b]
    found = groups(list({(a, b): (a, b, s) for a, b, s in pairs}.values()), 10, 0.3)
    members = [member for group in found for member in group]
    assert len(members) == len(set(members))


def test_many_people_lately_are_hotter_than_one_person_often_or_many_long_ago() -> None:
    now = datetime(2014, 3, 31, tzinfo=UTC)
    many = [report(f"m{i}", 29, by=f"p{i}") for i in range(5)]
    often = [report(f"o{i}", 29, by="p") for i in range(5)]
    past = [report(f"l{i}", 1, by=f"q{i}") for i in range(5)]
    found = hot([*many, *often, *past], [range(5), range(5, 10), range(10, 15)], now)
    assert [issue.reports[0][0] for issue in found] == ["m", "o", "l"]
    assert found[0].people == 5


def test_levels_are_told_as_deep_as_they_are_sure() -> None:
    sure = {"城乡建设/安全生产/隐患": 0.5, "城乡建设/安全生产/事故": 0.3, "城乡建设/绿化": 0.1, "环境保护": 0.1}
    assert [level for level, _ in deepest(sure, 0.7)] == ["城乡建设", "城乡建设/安全生产"]
    assert deepest(sure, 0.95) == []
    assert deepest(sure, 0.4)[-1] == ("城乡建设/安全生产/隐患", 0.5)
    assert deepest({"a": 0.6, "b": 0.4}, 0.5) == [("a", 0.6)]
