"""Tests of text classifiers: they learn, doubt, explain, and their files are believed only when they are whole."""

import io
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mumian.foundation.models.api import Labelled
from mumian.foundation.models.errors import BadModel, NotLearnable
from mumian.foundation.models.text.features import document
from mumian.foundation.models.text.files import packed, unpacked
from mumian.foundation.models.text.training import FOLDS, Trained, folds, train
from tests.foundation.models.invented import tickets


@pytest.fixture(scope="module")
def trained() -> Trained:
    """A model of the invented tickets."""
    return train(tickets(150))


@pytest.fixture(scope="module")
def file(trained: Trained) -> bytes:
    """Its file."""
    return packed(trained.model)


def test_it_learns_the_categories(trained: Trained) -> None:
    assert trained.evaluation.macro_f1 > 0.95
    answers = trained.model.predict([("松涛路路灯不亮", "松涛路9号路灯不亮"), ("问转学手续", "孩子转学手续怎么办")])
    assert [answer.candidates[0][0] for answer in answers] == ["道路", "教育"]


def test_confidence_is_a_probability_and_the_candidates_are_ordered(trained: Trained) -> None:
    for answer in trained.model.predict([("", "河水发臭"), ("", ""), ("x", "\U0001f600" * 50)], 3):
        told = [confidence for _, confidence in answer.candidates]
        assert told == sorted(told, reverse=True)
        assert sum(told) == pytest.approx(1, abs=1e-4)


def test_it_abstains_from_what_it_never_met(trained: Trained) -> None:
    stranger = trained.model.predict([("zzzz", "qqqq wwww")])[0]
    assert stranger.confidence < 0.9
    assert stranger.label == ("" if stranger.confidence < stranger.threshold else stranger.candidates[0][0])


def test_it_says_which_words_speak_for_a_label(trained: Trained) -> None:
    reasons = trained.model.reasons(("油烟扰民", "楼下油烟扰民，不敢开窗"), "环境")
    assert reasons
    assert all(reason.weight > 0 and reason.piece in "油烟扰民 楼下油烟扰民,不敢开窗" for reason in reasons)


def test_it_shows_similar_cases_with_what_they_share(trained: Trained) -> None:
    case = tickets(150)[7]
    similar = trained.model.similar(case.parts)
    assert similar[0].reference in {each.reference for each in tickets(150) if each.label == case.label}
    assert similar[0].similarity > 0.5
    assert similar[0].shared
    assert [each.similarity for each in similar] == sorted((each.similarity for each in similar), reverse=True)


def test_a_file_holds_the_same_model(trained: Trained, file: bytes) -> None:
    again = unpacked(file, "again")
    asked = [each.parts for each in tickets(30)]
    before, after = trained.model.predict(asked), again.predict(asked)
    assert [answer.candidates[0][0] for answer in before] == [answer.candidates[0][0] for answer in after]
    assert np.allclose([answer.confidence for answer in before], [answer.confidence for answer in after], atol=0.01)


def test_training_twice_gives_the_same_file(file: bytes) -> None:
    one, other = (np.load(io.BytesIO(each)) for each in (file, packed(train(tickets(150)).model)))
    assert all((one[name] == other[name]).all() for name in one.files)


@settings(max_examples=60)
@given(st.integers(0, 10**9), st.integers(0, 255), st.booleans())
def test_a_damaged_file_is_refused_or_is_whole(file: bytes, at: int, byte: int, cut: bool) -> None:
    place = at % len(file)
    damaged = file[:place] if cut else file[:place] + bytes([byte]) + file[place + 1 :]
    try:
        model = unpacked(damaged, "damaged")
    except BadModel:
        return
    model.predict([("路灯", "路灯不亮")])


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x80\x04\x95", b"not a model at all"])
def test_what_is_no_model_is_refused(content: bytes) -> None:
    with pytest.raises(BadModel):
        unpacked(content, "strange")


def _changed(file: bytes, name: str, array: np.ndarray) -> bytes:
    arrays = dict(np.load(io.BytesIO(file)))
    arrays[name] = array
    made = io.BytesIO()
    np.savez(made, **arrays)
    return made.getvalue()


def test_arrays_that_do_not_fit_are_refused_by_name(file: bytes) -> None:
    arrays = np.load(io.BytesIO(file))
    wrong = {
        "weights": arrays["weights"][:-1],
        "text": arrays["text"][::-1].copy(),
        "bias": np.full_like(arrays["bias"], np.nan),
        "case_labels": arrays["case_labels"] + 99,
        "case_features": arrays["case_features"] + 10**6,
        "idf": arrays["idf"].astype(np.float64),
    }
    for name, array in wrong.items():
        with pytest.raises(BadModel) as refused:
            unpacked(_changed(file, name, array), "wrong")
        assert name in refused.value.values["reason"]


def test_an_archive_with_pickled_objects_is_never_opened(file: bytes) -> None:
    with pytest.raises(BadModel):
        unpacked(_changed(file, "idf", np.array([{"a": 1}], dtype=object)), "pickled")


def test_an_archive_that_would_unpack_too_far_is_refused(file: bytes) -> None:
    source, target = zipfile.ZipFile(io.BytesIO(file)), io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in source.namelist():
            archive.writestr(part, source.read(part) if part != "idf.npy" else b"\0" * (513 * 1024 * 1024))
    with pytest.raises(BadModel) as refused:
        unpacked(target.getvalue(), "bomb")
    assert "unpacked" in refused.value.values["reason"]


def test_equal_texts_are_never_on_both_sides_of_a_fold() -> None:
    texts = [*tickets(60), *tickets(60)]
    fold = folds([document(each.parts) for each in texts], np.array([i % 3 for i in range(120)]))
    assert (fold[:60] == fold[60:]).all()
    assert set(fold.tolist()) == set(range(FOLDS))


@pytest.mark.parametrize(
    "texts",
    [
        [],
        [Labelled("1", ("路灯",), "道路")] * 20,
        [*tickets(3), Labelled("9", ("学校",), "教育")],
    ],
)
def test_too_few_texts_are_refused(texts: list[Labelled]) -> None:
    with pytest.raises(NotLearnable):
        train(texts)


def test_a_label_with_a_single_text_does_not_stop_the_others() -> None:
    made = train([*tickets(60), Labelled("rare", ("独一无二", "只有一条"), "其他")])
    assert "其他" in made.model.labels
    assert made.model.predict([("路灯不亮", "路灯不亮，夜里看不清路")])[0].candidates[0][0] == "道路"


def test_two_labels_are_enough() -> None:
    made = train([each for each in tickets(120) if each.label != "教育"])
    assert made.model.labels == ("环境", "道路")
    assert made.evaluation.accuracy > 0.9
