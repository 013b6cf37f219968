"""The trained parser: a few networks that vote, trained on labelled addresses and kept in one folder."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from mumian.foundation.addresses.contracts import KINDS_OF_ELEMENT, Element
from mumian.foundation.addresses.errors import BadModel
from mumian.foundation.addresses.learning import features
from mumian.foundation.addresses.learning.labelled import Sentence, bies, chunks, kind_of, labels, tokens
from mumian.foundation.addresses.learning.network import Adam, Batch, Floats, Ints, Network, batches
from mumian.foundation.addresses.rules.divisions import Divisions

FOLDS, BATCH, RATE, DROPOUT = 10, 48, 0.003, 0.45
_HIDDEN = {"token": 0.03, "left": 0.1, "right": 0.1}
_IMPOSSIBLE = -1e9
Vocabulary = list[dict[str, int]]


class Model:
    """Labels tokens as its training data did; `elements` speaks of kinds of elements."""

    def __init__(
        self, name: str, vocabulary: Vocabulary, known: dict[str, str], label_names: list[str], divisions: Divisions
    ) -> None:
        self.name = name
        self.labels = label_names
        self.networks: list[Network] = []
        self._vocabulary = vocabulary
        self._known = known
        self._divisions = divisions

    @classmethod
    def load(cls, folder: Path, divisions: Divisions) -> "Model":
        """Read a model that `save` wrote; raises BadModel."""
        try:
            about = json.loads((folder / "model.json").read_text("utf-8"))
            model = cls(about["name"], about["vocabulary"], about["known"], about["labels"], divisions)
            for member in range(about["members"]):
                with (folder / f"network-{member}.npz").open("rb") as file, np.load(file, allow_pickle=False) as kept:
                    model.networks.append(Network({name: kept[name].astype(np.float32) for name in kept.files}))
        except (OSError, ValueError, KeyError, TypeError, BadZipFile) as error:
            raise BadModel(name=folder.name) from error
        return model

    def save(self, folder: Path) -> None:
        """Write the model: plain JSON and arrays, nothing that runs."""
        folder.mkdir(parents=True, exist_ok=True)
        for member, network in enumerate(self.networks):
            np.savez(folder / f"network-{member}.npz", **{n: w.astype(np.float16) for n, w in network.weights.items()})  # type: ignore[arg-type]
        about = {"name": self.name, "members": len(self.networks), "labels": self.labels}
        about |= {"vocabulary": self._vocabulary, "known": self._known}
        (folder / "model.json").write_text(json.dumps(about, ensure_ascii=False), "utf-8")

    def encode(self, words: Sequence[str], known: dict[str, str] | None = None) -> Ints:
        """The feature ids of a sequence (features, tokens); 0 is what training did not meet."""
        found = features.columns(words, self._known if known is None else known, self._divisions)
        return np.array([[ids.get(value, 0) for value in column] for ids, column in zip(self._vocabulary, found, strict=True)])

    def tag(self, sequences: Sequence[Sequence[str]]) -> list[list[str]]:
        """The labels of each sequence of tokens, as BIES."""
        encoded = [self.encode(words) for words in sequences]
        empty = [np.zeros(ids.shape[1], np.int64) for ids in encoded]
        found: list[list[str]] = [[] for _ in sequences]
        for positions, batch in batches(encoded, empty, 128):
            total = np.mean([network.forward(batch)[0] for network in self.networks], axis=0)
            for column, position in enumerate(positions):
                found[position] = self._best(np.log(total[: batch.lengths[column], column] + 1e-9))
        return found

    def elements(self, text: str) -> list[Element]:
        """The elements of a plain text."""
        words = features.tokenise(text)
        ends = np.cumsum([0, *map(len, words)]).tolist()
        made = []
        for start, end, label in chunks(self.tag([words])[0]):
            kind = kind_of(label)
            kind = kind if kind in KINDS_OF_ELEMENT else "other"
            made.append(Element(kind, text[ends[start] : ends[end]], ends[start], ends[end]))
        return made

    @cached_property
    def _rules(self) -> tuple[Floats, Floats, Floats]:
        """Scores of transitions, first and last labels: 0 where possible in BIES, far below where not."""
        inside = np.array([label[0] in "BI" for label in self.labels])
        going_on = np.array([label[0] in "IE" for label in self.labels])
        same = np.array([[a[2:] == b[2:] for b in self.labels] for a in self.labels])
        fits = (inside[:, None] & going_on[None, :] & same) | (~inside[:, None] & ~going_on[None, :])
        costs = [np.where(fine, 0.0, _IMPOSSIBLE).astype(np.float32) for fine in (fits, ~going_on, ~inside)]
        return costs[0], costs[1], costs[2]

    def _best(self, scores: Floats) -> list[str]:
        """The most likely sequence of labels that is well-formed (Viterbi 1967)."""
        between, first, last = self._rules
        best, before = scores[0] + first, []
        for row in scores[1:]:
            ways = best[:, None] + between
            before.append(ways.argmax(axis=0))
            best = ways.max(axis=0) + row
        path = [int((best + last).argmax())]
        for origin in reversed(before):
            path.append(int(origin[path[-1]]))
        return [self.labels[position] for position in reversed(path)]


def train(
    sentences: Sequence[Sentence],
    divisions: Divisions,
    name: str,
    members: int = 2,
    rounds: int = 14,
    hidden: int = 128,
    tell: Callable[[str], None] = lambda line: None,
) -> Model:
    """Train `members` networks for `rounds` passes over labelled addresses.

    What chunks are known from training is told to each tenth from the other nine, so that the networks learn to doubt it.
    """
    folds = [features.known_chunks(s for i, s in enumerate(sentences) if i % FOLDS != fold) for fold in range(FOLDS)]
    found = [features.columns(tokens(s), folds[i % FOLDS], divisions) for i, s in enumerate(sentences)]
    vocabulary = [_vocabulary((row[k] for row in found), least) for k, least in enumerate(features.LEAST)]
    label_names = sorted({label for s in sentences for label in bies(labels(s))})
    model = Model(name, vocabulary, features.known_chunks(sentences), label_names, divisions)
    encoded = [np.array([[ids.get(v, 0) for v in row[k]] for k, ids in enumerate(vocabulary)]) for row in found]
    numbers = {label: number for number, label in enumerate(label_names)}
    wanted = [np.array([numbers[label] for label in bies(labels(s))]) for s in sentences]
    sizes = [(len(ids) + 1, size) for ids, size in zip(vocabulary, features.DIMENSIONS, strict=True)]
    for member in range(members):
        network = Network.fresh(sizes, hidden, len(label_names), seed=member + 1)
        model.networks.append(_fitted(network, encoded, wanted, rounds, member, tell))
    return model


def _vocabulary(columns: Any, least: int) -> dict[str, int]:
    counts = Counter(value for column in columns for value in column)
    return {value: number for number, value in enumerate(sorted(v for v, n in counts.items() if n >= least), 1)}


def _fitted(
    network: Network, encoded: Sequence[Ints], wanted: Sequence[Ints], rounds: int, member: int, tell: Callable[[str], None]
) -> Network:
    """The network after all rounds: the mean of its weights over the second half of them (Polyak averaging)."""
    rng, adam = np.random.default_rng(1000 + member), Adam(network)
    mean = {name: np.zeros_like(value) for name, value in network.weights.items()}
    late = max(1, rounds - rounds // 2)
    for number in range(rounds):
        for _, batch in batches(encoded, wanted, BATCH, rng):
            ids = batch.ids.copy()
            for feature, share in enumerate(_HIDDEN.get(name, 0.0) for name in features.NAMES):
                ids[feature][rng.random(ids[feature].shape) < share] = 0
            hidden = Batch(ids, batch.labels, batch.lengths)
            probabilities, kept = network.forward(hidden, rng, DROPOUT)
            adam.step(network.backward(hidden, probabilities, kept), RATE * (1 - number / rounds))
        if number >= rounds - late:
            for name, value in network.weights.items():
                mean[name] += value / late
        tell(f"network {member + 1}: round {number + 1} of {rounds}")
    return Network(mean)
