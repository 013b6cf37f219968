"""Training from files: labelled addresses in, a model's folder out, with its score on a part that it never saw."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mumian.foundation.addresses.divisions import national
from mumian.foundation.addresses.learning.labelled import Sentence, chunks, labels, read, score, tokens
from mumian.foundation.addresses.learning.model import Model, train

SHARE, SEED = 0.1, 7


@dataclass(frozen=True)
class Trained:
    """Where the model lies, how many addresses it learned from, and its chunk scores on those held out (share 0–1)."""

    folder: Path
    learned: int
    held_out: int
    precision: float
    recall: float
    f1: float


def train_file(
    file: Path, folder: Path, name: str, members: int, rounds: int, tell: Callable[[str], None] = lambda line: None
) -> Trained:
    """Train on nine tenths of a labelled file and score on the rest; raises BadTraining.

    The model that is kept has learned from the nine tenths alone, so that the score is its own.
    """
    sentences = read(file)
    sentences = [sentences[i] for i in np.random.default_rng(SEED).permutation(len(sentences))]
    held = sentences[: max(1, int(len(sentences) * SHARE))] if len(sentences) > 1 else []
    model = train(sentences[len(held) :], national(), name, members, rounds, tell=tell)
    model.save(folder / name)
    precision, recall, f1 = evaluate(model, held)
    return Trained(folder / name, len(sentences) - len(held), len(held), precision, recall, f1)


def evaluate(model: Model, sentences: list[Sentence]) -> tuple[float, float, float]:
    """Precision, recall and F1 of a model over the chunks of labelled addresses."""
    found = model.tag([tokens(sentence) for sentence in sentences])
    return score((chunks(labels(s)) for s in sentences), (chunks(tags) for tags in found))
