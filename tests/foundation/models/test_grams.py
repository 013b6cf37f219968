"""Tests of features: what a text is taken for, whatever characters it is made of."""

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mumian.foundation.models.text.calibration import error, factor, log_softmax, loss, threshold
from mumian.foundation.models.text.features import Featuriser, document, learned, narrowed
from mumian.foundation.models.text.grams import grams, plain, spelled
from mumian.foundation.models.text.likeness import Shelf, fingerprint

ANY = st.text(max_size=60)


@given(ANY)
def test_a_plain_text_stays_as_it_is(text: str) -> None:
    once = plain(text)
    assert plain(once) == once or plain(once) == plain(plain(once))
    assert once[0] == once[-1] == " "
    assert "  " not in once.strip()


@settings(max_examples=60)
@given(st.lists(ANY, min_size=1, max_size=5))
def test_every_run_of_up_to_four_characters_is_counted_once_for_each_place(texts: list[str]) -> None:
    read = [plain(text) for text in texts]
    keys, owners = grams(read)
    for number, text in enumerate(read):
        shown = "".join(
            character if ord(character) <= 0xFFFF and not 0xD800 <= ord(character) < 0xE000 else "?" for character in text
        )
        own = sorted(spelled(int(key)) for key in keys[owners == number])
        wanted = sorted(shown[at : at + n] for n in range(1, 5) for at in range(len(shown) - n + 1))
        assert len(own) == len(wanted)
        if "?" not in shown and "\ufffd" not in own:
            assert own == wanted


def test_half_width_and_full_width_letters_are_the_same() -> None:
    assert plain("ＡＢＣ１２３，路灯") == plain("abc123,路灯")


@settings(max_examples=40)
@given(st.lists(ANY, min_size=2, max_size=8))
def test_each_view_of_a_text_has_its_weight_as_length_or_none(texts: list[str]) -> None:
    documents = [document((text,)) for text in texts]
    vocabulary = learned(documents, least=1)
    matrix = Featuriser(vocabulary).matrix(documents)
    assert matrix.shape == (len(texts), sum(vocabulary.sizes))
    length = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    most = np.sqrt(1.0**2 + 0.7**2 + 0.5**2 + 0.7**2)
    assert (length <= most + 1e-4).all()
    assert np.isfinite(matrix.data).all()


def test_a_narrowed_vocabulary_weighs_what_is_left_as_before() -> None:
    documents = [document((text,)) for text in ("路灯 坏了", "路灯 亮了", "井盖 坏了")]
    vocabulary = learned(documents, least=1)
    kept = np.arange(sum(vocabulary.sizes)) % 2 == 0
    narrow = narrowed(vocabulary, kept)
    assert sum(narrow.sizes) == kept.sum() == len(narrow.weights)
    names = [vocabulary.name(i) for i in np.flatnonzero(kept)]
    assert [narrow.name(i) for i in range(sum(narrow.sizes))] == names


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.integers(2, 6))
def test_a_temperature_keeps_the_likeliest_label_and_makes_the_truth_no_less_likely(seed: int, labels: int) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, labels, 50)
    scores = rng.normal(size=(50, labels)) + 2 * np.eye(labels)[truth]
    scaled = factor(scores, truth) * scores
    assert (scaled.argmax(axis=1) == scores.argmax(axis=1)).all()
    assert loss(scaled, truth) <= loss(30 * scores, truth) + 1e-9
    assert np.allclose(np.exp(log_softmax(scaled)).sum(axis=1), 1)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=40), st.floats(0.5, 1))
def test_what_reaches_the_threshold_is_right_as_often_as_was_asked_for(told: list[tuple[float, bool]], wanted: float) -> None:
    confidence, right = np.array([c for c, _ in told]), np.array([r for _, r in told])
    least = threshold(confidence, right, wanted)
    answered = confidence >= least
    if least < 1 and answered.any():
        assert right[answered].mean() >= wanted - 1e-9


def test_confidence_that_comes_true_has_no_error() -> None:
    confidence = np.array([0.75] * 4 + [0.25] * 4)
    right = np.array([True, True, True, False, True, False, False, False])
    assert error(confidence, right) < 1e-9
    assert error(np.array([0.95] * 4), np.zeros(4, dtype=bool)) > 0.9


@settings(max_examples=40)
@given(st.lists(ANY, min_size=1, max_size=6))
def test_likeness_lies_between_nothing_and_one_and_is_the_same_both_ways(texts: list[str]) -> None:
    shelf = Shelf([fingerprint(text) for text in texts])
    for text in texts:
        alike = shelf.likeness(fingerprint(text))
        assert alike.shape == (len(texts),)
        assert ((alike >= 0) & (alike <= 1 + 1e-9)).all()
    pairs = shelf.pairs(0.01)
    assert all(one < other for one, other, _ in pairs)
    assert all(a[:2] < b[:2] for a, b in pairwise(sorted(pairs)))


def test_texts_of_one_matter_are_more_alike_than_others() -> None:
    texts = ["东湖花园三期楼下烧烤店油烟扰民", "投诉东湖花园烧烤店的油烟和噪音", "咨询小学转学手续怎么办理"]
    alike = Shelf([fingerprint(text) for text in texts]).likeness(fingerprint("东湖花园 烧烤店 油烟 太大"))
    assert alike[0] > 0.2
    assert alike[1] > 0.2
    assert alike[2] < 0.05
