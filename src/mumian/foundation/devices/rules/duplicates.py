"""Duplicate building 重复建设: near devices of different owners gathered into clusters, and how many of them could be spared."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mumian.foundation.devices.rules.near import Float64, Int64


@dataclass(frozen=True, eq=False)
class Group:
    """A cluster: indices of its members, of those that could be spared, and the least distance between two owners' devices."""

    members: Int64
    spared: Int64
    nearest: float


def groups(count: int, left: Int64, right: Int64, apart: Float64, order: Int64) -> list[Group]:
    """Clusters of `count` points that the pairs connect; `order` ranks whom to keep first.

    In that order a point is kept unless a kept one is paired with it: each point that is spared has another owner's kept point
    within the distance, and all that are kept have none.
    """
    labels = components(count, left, right)
    linked = np.unique(np.concatenate([left, right]))
    kept = _kept(count, left, right, order)
    by_label = linked[np.argsort(labels[linked], kind="stable")]
    cuts = np.flatnonzero(np.diff(labels[by_label])) + 1
    least = np.full(count, np.inf)
    np.minimum.at(least, labels[left], apart)
    parts = np.split(by_label, cuts) if len(by_label) else []
    return [Group(part, part[~kept[part]], float(least[labels[part[0]]])) for part in parts]


def components(count: int, left: Int64, right: Int64) -> Int64:
    """The smallest index that each point is connected to through the pairs."""
    labels = np.arange(count)
    while True:
        low = np.minimum(labels[left], labels[right])
        merged = labels.copy()
        np.minimum.at(merged, labels[left], low)
        np.minimum.at(merged, labels[right], low)
        while (merged != merged[merged]).any():
            merged = merged[merged]
        merged = merged[labels]
        if (merged == labels).all():
            return labels
        labels = merged


def _kept(count: int, left: Int64, right: Int64, order: Int64) -> NDArray[np.bool_]:
    """Pairs by who comes first in them: by then it is decided whether that one is kept, and then it spares the other."""
    rank = np.empty(count, np.int64)
    rank[order] = np.arange(count)
    before = rank[left] < rank[right]
    first, second = np.where(before, left, right), np.where(before, right, left)
    by_rank = np.argsort(rank[first], kind="stable")
    spared = bytearray(count)
    for one, other in zip(first[by_rank].tolist(), second[by_rank].tolist(), strict=True):
        if not spared[one]:
            spared[other] = 1
    kept: NDArray[np.bool_] = np.frombuffer(bytes(spared), np.uint8) == 0
    return kept
