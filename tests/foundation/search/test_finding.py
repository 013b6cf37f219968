"""What was put is found by its words, in both languages and on both engines, as a plain look through the texts would find it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from mumian.app.platform import create_platform
from mumian.foundation.search.api import Found, Search
from mumian.kernel.declarations.documents import read_text
from mumian.kernel.platform import Platform
from mumian.kernel.settings import Settings
from tests.foundation.engines import ENGINES, records_url

LETTERS = "空气水质量"
TEXTS = {
    "air": ("广州市空气质量小时数据", "PM2.5 and ozone, hourly"),
    "rain": ("雨量站实时雨量", "Rainfall of all gauges; 单位毫米"),
    "wells": ("全市井盖台账", "Manhole covers with health state"),
    "clinics": ("社区卫生服务中心", "Community health centres"),
    "water": ("水厂出水水质", "Quality of drinking water"),
}


@pytest.fixture(params=ENGINES)
def platform(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Platform]:
    """A platform on one of the engines, with a few texts."""
    url = records_url(request.param, "search_test")
    made = create_platform(Settings(home=tmp_path, records=url, synchronous="normal"), ports=False)
    for key, (title, body) in TEXTS.items():
        made.records.write_now(lambda tx, k=key, t=title, b=body: made.get(Search).put(tx, "dataset", k, t, b))  # type: ignore[misc]
    yield made
    for close in reversed(made.closers):
        close()
    made.records.close()


def find(platform: Platform, query: str, scope: str = "dataset", limit: int = 50, offset: int = 0) -> Found:
    return platform.records.read_now(lambda session: platform.get(Search).find(session, scope, query, limit, offset))


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("井盖", ["wells"]),
        ("水", ["water"]),
        ("雨", ["rain"]),
        ("health", ["clinics", "wells"]),
        ("heal", ["clinics", "wells"]),
        ("广州 空气", ["air"]),
        ("空气 雨量", ["air", "rain"]),
        ("quality water", ["water"]),
        ("' OR 1=1 --", []),
        ('"*:( NEAR', []),
        ("!!!", []),
    ],
)
def test_words_find_their_texts(platform: Platform, query: str, keys: list[str]) -> None:
    assert sorted(key for key, _ in find(platform, query).hits) == sorted(keys)


def test_a_word_in_the_title_weighs_more(platform: Platform) -> None:
    platform.records.write_now(lambda tx: platform.get(Search).put(tx, "dataset", "z", "Health", "x"))
    assert find(platform, "health").hits[0][0] == "z"


def test_a_mistyped_word_is_read_as_the_nearest_and_told(platform: Platform) -> None:
    found = find(platform, "helath community")
    assert ([key for key, _ in found.hits], found.read_as, found.relaxed) == (["clinics"], "health community", False)


def test_when_not_all_is_found_some_is_and_told(platform: Platform) -> None:
    found = find(platform, "空气净化器")
    assert ([key for key, _ in found.hits], found.relaxed) == (["air"], True)


def test_synonyms_find_each_other(platform: Platform) -> None:
    text = "{kind: Synonyms, name: manhole, title: {zh: 井, en: Manhole}, spec: {words: [窨井, 井盖]}}"
    assert find(platform, "窨井").hits == ()
    platform.declarations.apply_now(read_text(text.encode()), "test")
    assert [key for key, _ in find(platform, "窨井").hits] == ["wells"]


def test_a_changed_text_is_found_by_its_new_words_only_and_a_removed_one_not_at_all(platform: Platform) -> None:
    search = platform.get(Search)
    platform.records.write_now(lambda tx: search.put(tx, "dataset", "air", "噪声", "Noise"))
    assert [key for key, _ in find(platform, "噪声").hits] == ["air"]
    assert find(platform, "广州").hits == ()
    platform.records.write_now(lambda tx: search.remove(tx, "dataset", "air"))
    assert find(platform, "噪声").hits == ()
    platform.records.write_now(lambda tx: search.remove(tx, "dataset", "air"))


def test_scopes_are_apart_and_pages_follow_each_other(platform: Platform) -> None:
    search = platform.get(Search)
    for number in range(25):
        platform.records.write_now(lambda tx, n=number: search.put(tx, "device", f"d{n:02}", "井盖传感器", f"number {n}"))  # type: ignore[misc]
    first, second = find(platform, "井盖", "device", 20), find(platform, "井盖", "device", 20, 20)
    assert (len(first.hits), len(second.hits), first.total, second.total) == (20, 5, 25, 25)
    assert len({key for key, _ in first.hits + second.hits}) == 25
    assert find(platform, "井盖").total == 1


@hypothesis_settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.text("空气水质量", min_size=1, max_size=8), min_size=1, max_size=6), st.text("空气水质量", min_size=1, max_size=3)
)
def test_every_text_that_holds_the_question_is_found(platform: Platform, texts: list[str], query: str) -> None:
    search = platform.get(Search)
    for number, text in enumerate(texts):
        platform.records.write_now(lambda tx, n=number, t=text: search.put(tx, "any", f"{n}", t))  # type: ignore[misc]
    found = find(platform, query, "any")
    expected = {f"{number}" for number, text in enumerate(texts) if query in text}
    if expected:
        assert {key for key, _ in found.hits} == expected
    for number in range(len(texts)):
        platform.records.write_now(lambda tx, n=number: search.remove(tx, "any", f"{n}"))  # type: ignore[misc]
