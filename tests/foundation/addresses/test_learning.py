"""Behaviour of the trained parser: it learns what labelled addresses show, is kept in a folder, and refuses broken files."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mumian.foundation.addresses.divisions import national
from mumian.foundation.addresses.errors import BadModel, BadTraining
from mumian.foundation.addresses.learning.features import tokenise
from mumian.foundation.addresses.learning.labelled import Sentence, bies, chunks, read, score
from mumian.foundation.addresses.learning.model import Model, train
from mumian.foundation.addresses.learning.network import Batch, Network
from mumian.foundation.addresses.learning.training import train_file
from mumian.foundation.addresses.service.parsing import make_parser

ROADS, PLACES = ("中山路", "北京路", "人民路", "解放路", "和平路", "环城路"), ("阳光花园", "东方大厦", "金色家园", "南湖小区")


def labelled(*parts: tuple[str, str]) -> Sentence:
    """A sentence of (text, label) chunks."""
    return [(t, ("B-" if i == 0 else "I-") + label) for text, label in parts for i, t in enumerate(tokenise(text))]


def sentences() -> list[Sentence]:
    """Addresses in which the number of a compound is a gate, which the rules would not say."""
    return [
        labelled(("南京市", "city"), (road, "road"), (f"{n}号", "roadno"), (place, "poi"), (f"{n + 1}号", "gate"))
        for n, road in enumerate(ROADS * 4, 1)
        for place in PLACES
    ]


@pytest.fixture(scope="module")
def model() -> Model:
    """A small model of those."""
    return train(sentences(), national(), "small", members=1, rounds=12, hidden=24)


def test_it_learns_what_the_labels_show(model: Model) -> None:
    found = model.elements("南京市中山路77号阳光花园5号")
    assert [(e.kind, e.text) for e in found] == [
        ("city", "南京市"), ("road", "中山路"), ("number", "77号"), ("poi", "阳光花园"), ("other", "5号"),
    ]  # fmt: skip


def test_training_again_gives_the_same_model(model: Model) -> None:
    again = train(sentences(), national(), "small", members=1, rounds=12, hidden=24)
    assert all(np.array_equal(w, again.networks[0].weights[name]) for name, w in model.networks[0].weights.items())


def test_a_kept_model_says_the_same_and_the_parser_uses_it(model: Model, tmp_path: Path) -> None:
    model.save(tmp_path / "small")
    parsed = make_parser(model=tmp_path / "small").parse("南京市北京路12号东方大厦")
    assert (parsed.method, parsed.standard) == ("small", "江苏省南京市北京路12号东方大厦")
    assert [e.kind for e in parsed.elements] == ["city", "road", "number", "poi"]


@pytest.mark.parametrize("damage", ["missing", "text", "weights"])
def test_a_model_that_cannot_be_read_is_refused(model: Model, tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "small"
    if damage != "missing":
        model.save(folder)
        file = folder / ("model.json" if damage == "text" else "network-0.npz")
        file.write_bytes(file.read_bytes()[:40])
    with pytest.raises(BadModel):
        make_parser(model=folder)


def test_a_file_becomes_a_model_with_its_score(tmp_path: Path) -> None:
    file = tmp_path / "labelled.txt"
    lines = ["".join(f"{token} {label}\n" for token, label in sentence) for sentence in sentences()]
    file.write_text("\n".join(lines), "utf-8")
    made = train_file(file, tmp_path, "own", members=1, rounds=6)
    assert (made.learned, made.held_out) == (87, 9)
    assert made.f1 > 0.9
    assert json.loads((tmp_path / "own" / "model.json").read_text("utf-8"))["members"] == 1


@pytest.mark.parametrize("text", ["", "中 B-road extra", "中", "中 X-road", "中 B-", "中 B-road\n" * 401])
def test_a_file_that_is_not_labelled_is_refused_with_its_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "bad.txt").write_text(text, "utf-8")
    with pytest.raises(BadTraining):
        read(tmp_path / "bad.txt")


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 4)), max_size=8))
def test_chunks_survive_being_written_as_bies(runs: list[tuple[str, int]]) -> None:
    tags = [f"{'B' if i == 0 else 'I'}-{label}" for label, length in runs for i in range(length)]
    assert chunks(bies(tags)) == chunks(tags)
    assert [end - start for start, end, _ in chunks(tags)] == [length for _, length in runs]


def test_scores_count_whole_chunks() -> None:
    gold, found = [[(0, 2, "a"), (2, 3, "b")]], [[(0, 2, "a"), (2, 4, "b"), (4, 5, "c")]]
    assert score(gold, found) == (1 / 3, 1 / 2, 0.4)


def test_gradients_are_those_of_the_loss() -> None:
    rng = np.random.default_rng(3)
    network = Network.fresh([(5, 3), (4, 2)], 4, 3, seed=1)
    network.weights = {name: w.astype(np.float64) for name, w in network.weights.items()}
    batch = Batch(rng.integers(0, 4, (2, 6, 3)), rng.integers(0, 3, (6, 3)), np.array([6, 4, 2]))

    def loss() -> float:
        p, _ = network.forward(batch)
        right = np.take_along_axis(p, batch.labels[:, :, None], 2)[:, :, 0]
        return float(-(np.log(right) * batch.mask).sum() / batch.mask.sum())

    p, kept = network.forward(batch)
    grads = network.backward(batch, p, kept)
    for name in ("w", "u", "b", "v", "c"):
        weights, place = network.weights[name], tuple(rng.integers(0, n) for n in network.weights[name].shape)
        before, step = weights[place], 1e-2
        weights[place] = before + step
        above = loss()
        weights[place] = before - step
        below = loss()
        weights[place] = before
        assert grads[name][place] == pytest.approx((above - below) / (2 * step), rel=0.05, abs=2e-4), name
