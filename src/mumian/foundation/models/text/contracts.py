"""What a text classifier answers: labels with calibrated confidence, or none, and why."""

import msgspec


class Labelled(msgspec.Struct, frozen=True):
    """A text to learn from: where it comes from, its parts (title, body …), and its label."""

    reference: str
    parts: tuple[str, ...]
    label: str


class Reason(msgspec.Struct, frozen=True):
    """A piece of the text and how much it speaks for the label (in units of the score; below zero: against)."""

    piece: str
    weight: float


class Case(msgspec.Struct, frozen=True):
    """A case that the model learned from: its reference, its label, how similar it is (0–1), and the pieces shared most."""

    reference: str
    label: str
    similarity: float
    shared: tuple[str, ...]


class Answer(msgspec.Struct, frozen=True):
    """The likeliest labels with calibrated confidence, the best first; `label` is empty where the model abstains."""

    label: str
    confidence: float
    candidates: tuple[tuple[str, float], ...]
    threshold: float


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """Measures by cross-validation: no text was judged by a model that had learned it.

    `macro_f1` is the mean of the labels' F1, `error` the expected calibration error (ten bins), `threshold` the confidence from
    which answers are right with the probability asked for, `coverage` the share of texts that reach it and `precision` theirs.
    """

    texts: int
    folds: int
    macro_f1: float
    accuracy: float
    error: float
    threshold: float
    coverage: float
    precision: float
    labels: dict[str, dict[str, float]]
