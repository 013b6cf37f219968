"""Calibration: scores become probabilities that come true as often as they say, and a threshold below which nothing is said.

Temperature scaling after Guo, Pleiss, Sun and Weinberger, "On Calibration of Modern Neural Networks", ICML 2017.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
_FACTORS = np.geomspace(0.05, 30, 120)
BINS = 10


def log_softmax(scores: Array) -> Array:
    """The logarithms of the probabilities that scores stand for, row by row."""
    shifted = scores - scores.max(axis=1, keepdims=True)
    logs: Array = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return logs


def loss(scores: Array, truth: Indices) -> float:
    """The mean negative log-likelihood of the true labels."""
    return float(-log_softmax(scores)[np.arange(len(truth)), truth].mean())


def factor(scores: Array, truth: Indices) -> float:
    """The factor by which scores are multiplied so that they are likeliest: one over the temperature."""
    return float(min(_FACTORS, key=lambda each: loss(each * scores, truth)))


def error(confidence: Array, right: NDArray[np.bool_]) -> float:
    """The expected calibration error: how far confidence and share of right answers lie apart, over ten bins."""
    if not len(confidence):
        return 0.0
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    count = np.bincount(bins, minlength=BINS)
    told = np.bincount(bins, confidence, minlength=BINS)
    true = np.bincount(bins, right.astype(float), minlength=BINS)
    return float(np.abs(told - true).sum() / count.sum())


def threshold(confidence: Array, right: NDArray[np.bool_], wanted: float) -> float:
    """The lowest confidence from which on at least the share `wanted` of the answers is right; 1 if there is none."""
    if not len(confidence):
        return 1.0
    order = np.argsort(-confidence, kind="stable")
    share = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    last = np.append(np.diff(confidence[order]) != 0, True)  # equal confidence is answered alike
    enough = np.flatnonzero((share >= wanted) & last)
    return float(confidence[order][enough[-1]]) if len(enough) else 1.0
