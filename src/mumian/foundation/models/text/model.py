"""The text classifier: a linear model over runs of characters, and the most similar cases where it doubts."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mumian.foundation.models.text.calibration import Array, log_softmax
from mumian.foundation.models.text.contracts import Answer, Case, Reason
from mumian.foundation.models.text.features import Document, Featuriser, Floats, Matrix, Vocabulary, document

SURE = 0.97
NEIGHBOURS = 10
_FLOOR = 1e-3
_BATCH = 512
_ROUND = 6


@dataclass(frozen=True)
class Cases:
    """Cases that the model remembers: their rare features (`rare` says which are), of length one, their labels and references."""

    rare: NDArray[np.bool_]
    matrix: Matrix
    labels: NDArray[np.int64]
    references: tuple[str, ...]


@dataclass(frozen=True)
class Mixing:
    """How scores become probabilities: the factor of the linear scores, the say of similar cases, and the factor of both."""

    linear: float
    cases: float
    both: float
    threshold: float


class TextModel:
    """Judges texts; thread-safe. `labels` in order, `weights` (features × labels) and `bias` of the linear part."""

    def __init__(
        self, labels: Sequence[str], vocabulary: Vocabulary, weights: Floats, bias: Floats, cases: Cases, mixing: Mixing
    ) -> None:
        self.labels = tuple(labels)
        self.vocabulary = vocabulary
        self.weights = weights
        self.bias = bias
        self.cases = cases
        self.mixing = mixing
        self._featuriser = Featuriser(vocabulary)

    def predict(self, texts: Sequence[Sequence[str]], candidates: int = 3) -> list[Answer]:
        """An answer for each text, given in parts (title, body …) as it was learned."""
        probabilities = self.probabilities([document(parts) for parts in texts])
        order = np.argsort(-probabilities, axis=1, kind="stable")[:, :candidates]
        return [self._answer(row, best) for row, best in zip(probabilities, order, strict=True)]

    def probabilities(self, documents: Sequence[Document]) -> Array:
        """The calibrated probability of each label (texts × labels)."""
        made = [self._judged(documents[start : start + _BATCH]) for start in range(0, len(documents), _BATCH)]
        return np.concatenate(made) if made else np.zeros((0, len(self.labels)))

    def reasons(self, parts: Sequence[str], label: str, most: int = 8) -> list[Reason]:
        """The pieces of a text that speak most for a label, against the mean of all labels."""
        row = self._featuriser.matrix([document(parts)])
        column = self.labels.index(label)
        said = row.data * (self.weights[row.indices, column] - self.weights[row.indices].mean(axis=1))
        order = np.argsort(-said, kind="stable")
        told = ((self.vocabulary.name(int(row.indices[i])), float(said[i])) for i in order[: 20 * most] if said[i] > 0)
        return [Reason(piece, round(weight, 4)) for piece, weight in distinct(told, most)]

    def similar(self, parts: Sequence[str], most: int = 5) -> list[Case]:
        """The most similar cases that the model learned from, and the pieces they share with the text."""
        row = self._remembered(self._featuriser.matrix([document(parts)]))
        closeness = np.asarray((row @ self._transposed).todense()).ravel()
        best = [i for i in np.argsort(-closeness, kind="stable")[:most] if closeness[i] > 0]
        return [self._case(row, int(i), float(closeness[i])) for i in best]

    def _case(self, row: Matrix, number: int, closeness: float) -> Case:
        both = row.multiply(self.cases.matrix[number]).tocsr()
        order = np.argsort(-both.data, kind="stable")
        names = ((self.vocabulary.name(int(both.indices[i])), 1.0) for i in order[:60])
        shared = tuple(piece for piece, _ in distinct(names, 6))
        return Case(self.cases.references[number], self.labels[self.cases.labels[number]], round(closeness, 4), shared)

    def _answer(self, row: Array, best: NDArray[np.int64]) -> Answer:
        confidence = round(float(row[best[0]]), _ROUND)
        label = self.labels[best[0]] if confidence >= self.mixing.threshold else ""
        told = tuple((self.labels[i], round(float(row[i]), _ROUND)) for i in best)
        return Answer(label, confidence, told, self.mixing.threshold)

    def _judged(self, documents: Sequence[Document]) -> Array:
        matrix = self._featuriser.matrix(documents)
        logs = log_softmax(self.mixing.linear * self.scores(matrix))
        doubtful = np.flatnonzero(logs.max(axis=1) < np.log(SURE))
        if self.mixing.cases and len(doubtful) and len(self.cases.labels):
            logs[doubtful] += self.mixing.cases * self.votes(matrix[doubtful])
        probabilities: Array = np.exp(log_softmax(self.mixing.both * logs))
        return probabilities

    def scores(self, matrix: Matrix) -> Array:
        """The linear scores of rows of features."""
        return np.asarray(matrix @ self.weights, dtype=np.float64) + self.bias

    def votes(self, matrix: Matrix) -> Array:
        """The logarithm of the share of each label among the ten most similar cases, weighed by similarity to the third power."""
        close = np.asarray((self._remembered(matrix) @ self._transposed).todense())
        count = min(NEIGHBOURS, close.shape[1])
        top = np.argpartition(-close, count - 1, axis=1)[:, :count]
        weight = np.take_along_axis(close, top, axis=1).astype(np.float64) ** 3
        votes = np.zeros((close.shape[0], len(self.labels)))
        np.add.at(votes, (np.arange(len(top))[:, None], self.cases.labels[top]), weight)
        shares: Array = np.log(votes / (votes.sum(axis=1, keepdims=True) + 1e-9) + _FLOOR)
        return shares

    def _remembered(self, matrix: Matrix) -> Matrix:
        return of_length_one(only(matrix, self.cases.rare))

    @cached_property
    def _transposed(self) -> Any:
        return self.cases.matrix.T.tocsr()


def only(matrix: Matrix, wanted: NDArray[np.bool_]) -> Matrix:
    """A sparse matrix in which only the wanted columns are left."""
    matrix = matrix.tocsr(copy=True)
    matrix.data *= wanted[matrix.indices]
    matrix.eliminate_zeros()
    return matrix


def of_length_one(matrix: Matrix) -> Matrix:
    """The rows of a sparse matrix, each divided by its length; empty rows stay empty."""
    matrix = matrix.tocsr(copy=True)
    squares = np.bincount(
        np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr)), matrix.data.astype(np.float64) ** 2, matrix.shape[0]
    )
    length = np.sqrt(np.where(squares > 0, squares, 1))
    matrix.data /= np.repeat(length, np.diff(matrix.indptr)).astype(np.float32)
    return matrix


def distinct(told: Any, most: int) -> list[tuple[str, float]]:
    """The first pieces of a list that say something new: none lies within another that is taken."""
    taken: list[tuple[str, float]] = []
    for raw, weight in told:
        piece = raw.strip()
        if piece and not any(piece in other or other in piece for other, _ in taken):
            taken.append((piece, weight))
            if len(taken) == most:
                break
    return taken
