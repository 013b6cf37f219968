"""Tokens find every part of a text, and a mistyped word is taken for the nearest known one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mumian.foundation.search import rules

WORDS = st.text("abcdxyz", min_size=1, max_size=9)


@pytest.mark.parametrize(
    ("text", "stream"),
    [
        ("广州市空气质量", ("广州", "州市", "市空", "空气", "气质", "质量")),
        ("PM2.5 小时值", ("pm2", "5", "小时", "时值")),
        ("ＡＢＣ　公司", ("abc", "公司")),
        ("水", ("水",)),
        ("", ()),
    ],
)
def test_chinese_becomes_pairs_and_letters_become_words(text: str, stream: tuple[str, ...]) -> None:
    assert rules.tokens(text).stream == stream


@given(st.text("广州市水务局空气质量", min_size=2, max_size=12), st.data())
def test_every_part_of_a_text_is_a_run_of_its_tokens(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    (part,) = rules.parts(text[start:end])
    told = rules.tokens(text)
    if part.single:
        assert part.text in told.singles
    else:
        runs = [told.stream[i : i + len(part.tokens)] for i in range(len(told.stream))]
        assert part.tokens in runs


def plain_distance(one: str, other: str) -> int:
    """The definition, without any bound."""
    table = {(i, j): max(i, j) for i in range(len(one) + 1) for j in range(len(other) + 1) if not i or not j}
    for i in range(1, len(one) + 1):
        for j in range(1, len(other) + 1):
            steps = [table[i - 1, j] + 1, table[i, j - 1] + 1, table[i - 1, j - 1] + (one[i - 1] != other[j - 1])]
            if i > 1 and j > 1 and one[i - 1] == other[j - 2] and one[i - 2] == other[j - 1]:
                steps.append(table[i - 2, j - 2] + 1)
            table[i, j] = min(steps)
    return table[len(one), len(other)]


@given(WORDS, WORDS, st.integers(0, 3))
def test_the_distance_of_words_is_as_defined_up_to_its_bound(one: str, other: str, most: int) -> None:
    assert rules.distance(one, other, most) == min(plain_distance(one, other), most + 1)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("helath", "health"),
        ("qualty", "quality"),
        ("trafic", "traffic"),
        ("tree", None),
        ("drainge", "drainage"),
        ("zzzzzz", None),
    ],
)
def test_a_mistyped_word_is_taken_for_the_nearest(typed: str, meant: str | None) -> None:
    assert rules.nearest(typed, ["health", "quality", "traffic", "drainage", "water"]) == meant
