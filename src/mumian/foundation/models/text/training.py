"""Training: folds judge each other's texts, what they find sets strength, mixing and threshold, then all texts are learned."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from mumian.foundation.models.errors import NotLearnable
from mumian.foundation.models.text import calibration
from mumian.foundation.models.text.calibration import Array, Indices, log_softmax
from mumian.foundation.models.text.contracts import Evaluation, Labelled
from mumian.foundation.models.text.features import Document, Featuriser, Floats, Matrix, Vocabulary, document, learned, narrowed
from mumian.foundation.models.text.model import SURE, Cases, Mixing, TextModel, of_length_one, only

FOLDS = 5
STRENGTHS = (0.1, 0.3, 1.0)
SAYS = (0.0, 0.3, 0.45)
WANTED = 0.95
MOST_TEXTS, MOST_LABELS, MOST_CASES, MOST_WEIGHTS = 200_000, 1000, 12_000, 24_000_000
_ABSENT = -3.0
_COMMON = 0.1
_FIRST_CASES = 100
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Trained:
    """A model and what cross-validation found of it."""

    model: TextModel
    evaluation: Evaluation


@dataclass(frozen=True)
class _Judged:
    """What models of the other folds said of each text, by strength, and the votes of the cases."""

    scores: dict[float, Array]
    votes: Array


def train(texts: Sequence[Labelled], wanted: float = WANTED, tell: Tell = lambda line: None) -> Trained:
    """Learn labels from texts; repeatable. `wanted` is the share of given answers that shall be right; raises NotLearnable."""
    labels = _labels(texts)
    numbers = {label: number for number, label in enumerate(labels)}
    truth = np.array([numbers[each.label] for each in texts], dtype=np.int64)
    documents = [document(each.parts) for each in texts]
    fold = folds(documents, truth)
    judged = _cross_validated(documents, truth, fold, len(labels), tell)
    strength, mixing, probabilities = _mixed(judged, truth, wanted)
    evaluation = evaluated(labels, truth, probabilities, mixing.threshold, FOLDS)
    tell(f"cross-validation: macro-F1 {evaluation.macro_f1:.4f}, accuracy {evaluation.accuracy:.4f}; learning all texts")
    weights, matrix, vocabulary = _fitted(documents, truth, len(labels), (strength,))
    coefficients, bias = weights[strength]
    kept = _heaviest(coefficients)
    vocabulary = narrowed(vocabulary, kept)
    cases = remembered(matrix[:, np.flatnonzero(kept)], truth, [each.reference for each in texts])
    return Trained(TextModel(labels, vocabulary, coefficients[kept], bias, cases, mixing), evaluation)


def folds(documents: Sequence[Document], truth: Indices) -> Indices:
    """The fold of each text: labels are spread evenly, and equal texts share a fold."""
    by_label: dict[int, dict[bytes, list[int]]] = defaultdict(lambda: defaultdict(list))
    for number, (each, label) in enumerate(zip(documents, truth.tolist(), strict=True)):
        by_label[label][sha256(each.text.encode("utf-8", "replace")).digest()].append(number)
    fold = np.zeros(len(documents), dtype=np.int64)
    first = 0
    for _, groups in sorted(by_label.items()):
        for position, digest in enumerate(sorted(groups), first):
            fold[groups[digest]] = position % FOLDS
        first += len(groups)
    return fold


def evaluated(labels: Sequence[str], truth: Indices, probabilities: Array, threshold: float, count: int) -> Evaluation:
    """Measures of probabilities held against the true labels."""
    said, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    right = said == truth
    answered = confidence >= threshold
    by_label = {}
    for number, label in enumerate(labels):
        hit = int((right & (truth == number)).sum())
        told, real = int((said == number).sum()), int((truth == number).sum())
        f1 = 2 * hit / (told + real) if told + real else 0.0
        by_label[label] = {"texts": float(real), "precision": hit / max(told, 1), "recall": hit / max(real, 1), "f1": f1}
    met = [measures["f1"] for measures in by_label.values() if measures["texts"]]
    return Evaluation(
        texts=len(truth),
        folds=count,
        macro_f1=float(np.mean(met)) if met else 0.0,
        accuracy=float(right.mean()) if len(right) else 0.0,
        error=calibration.error(confidence, right),
        threshold=threshold,
        coverage=float(answered.mean()) if len(right) else 0.0,
        precision=float(right[answered].mean()) if answered.any() else 0.0,
        labels=by_label,
    )


def remembered(matrix: Matrix, truth: Indices, references: Sequence[str]) -> Cases:
    """The cases that a model remembers: at most 12,000, spread evenly; features that more than a tenth holds tell nothing."""
    most = max(_FIRST_CASES, int(_COMMON * matrix.shape[0]))
    rare = np.bincount(matrix.indices, minlength=matrix.shape[1]) <= most
    chosen = np.unique(np.linspace(0, matrix.shape[0] - 1, min(MOST_CASES, matrix.shape[0])).astype(np.int64))
    kept = of_length_one(only(matrix[chosen], rare))
    return Cases(rare, kept, truth[chosen], tuple(references[number] for number in chosen))


def _labels(texts: Sequence[Labelled]) -> list[str]:
    counts = Counter(each.label for each in texts)
    if len(counts) < 2:
        raise NotLearnable(reason="two labels at least / 至少需要两个类别")
    if sum(count >= FOLDS for count in counts.values()) < 2:
        raise NotLearnable(reason=f"{FOLDS} texts of two labels at least / 至少两个类别各需 {FOLDS} 条")
    if len(texts) > MOST_TEXTS or len(counts) > MOST_LABELS:
        raise NotLearnable(reason=f"≤ {MOST_TEXTS} texts, ≤ {MOST_LABELS} labels")
    return sorted(counts)


def _cross_validated(documents: Sequence[Document], truth: Indices, fold: Indices, labels: int, tell: Tell) -> _Judged:
    scores = {strength: np.full((len(truth), labels), _ABSENT) for strength in STRENGTHS}
    votes = np.zeros((len(truth), labels))
    for number in range(FOLDS):
        inside, outside = np.flatnonzero(fold != number).tolist(), np.flatnonzero(fold == number).tolist()
        if not len(outside):
            continue
        fitted, matrix, vocabulary = _fitted([documents[i] for i in inside], truth[inside], labels, STRENGTHS)
        unseen = Featuriser(vocabulary).matrix([documents[i] for i in outside])
        for strength, (weights, bias) in fitted.items():
            scores[strength][outside] = np.asarray(unseen @ weights, dtype=np.float64) + bias
        cases = remembered(matrix, truth[inside], [""] * len(inside))
        plain = Mixing(1.0, 0.0, 1.0, 0.0)
        judge = TextModel([str(i) for i in range(labels)], vocabulary, weights, bias, cases, plain)
        for start in range(0, len(outside), 500):
            votes[outside[start : start + 500]] = judge.votes(unseen[start : start + 500])
        tell(f"fold {number + 1} of {FOLDS}: {len(inside)} texts learned, {len(outside)} judged")
    return _Judged(scores, votes)


def _mixed(judged: _Judged, truth: Indices, wanted: float) -> tuple[float, Mixing, Array]:
    """The strength and the say of the cases that make the true labels likeliest, and the probabilities that they give."""
    best: tuple[float, float, Mixing, Array] | None = None
    for strength, scores in judged.scores.items():
        linear = calibration.factor(scores, truth)
        alone = log_softmax(linear * scores)
        doubtful = (alone.max(axis=1) < np.log(SURE))[:, None]
        for say in SAYS:
            logs = alone + say * judged.votes * doubtful
            both = calibration.factor(logs, truth)
            found = calibration.loss(both * logs, truth)
            if best is None or found < best[0]:
                best = (found, strength, Mixing(linear, say, both, 0.0), np.exp(log_softmax(both * logs)))
    assert best is not None
    _, strength, mixing, probabilities = best
    confidence = probabilities.max(axis=1)
    least = calibration.threshold(confidence, probabilities.argmax(axis=1) == truth, wanted)
    return strength, Mixing(mixing.linear, mixing.cases, mixing.both, least), probabilities


def _fitted(
    documents: Sequence[Document], truth: Indices, labels: int, strengths: Sequence[float]
) -> tuple[dict[float, tuple[Floats, Floats]], Matrix, Vocabulary]:
    """Linear support vector machines, one label against all others, for each strength C."""
    from sklearn.svm import LinearSVC

    vocabulary = learned(documents)
    matrix = Featuriser(vocabulary).matrix(documents)
    made = {}
    for strength in strengths:
        machine = LinearSVC(C=strength, random_state=1).fit(matrix, truth)
        weights = np.zeros((matrix.shape[1], labels), dtype=np.float32)
        bias = np.full(labels, _ABSENT, dtype=np.float32)
        if len(machine.classes_) == 2:
            weights[:, machine.classes_] = np.concatenate([-machine.coef_, machine.coef_]).T
            bias[machine.classes_] = [-machine.intercept_[0], machine.intercept_[0]]
        else:
            weights[:, machine.classes_] = machine.coef_.T
            bias[machine.classes_] = machine.intercept_
        made[strength] = (weights, bias)
    return made, matrix, vocabulary


def _heaviest(weights: Floats) -> NDArray[np.bool_]:
    """Which features to keep, so that a model has at most 24 million weights."""
    most = MOST_WEIGHTS // weights.shape[1]
    kept = np.ones(len(weights), dtype=bool)
    if len(weights) > most:
        heavy = np.abs(weights).max(axis=1)
        kept = heavy > np.partition(heavy, len(heavy) - most - 1)[len(heavy) - most - 1]
    return kept
