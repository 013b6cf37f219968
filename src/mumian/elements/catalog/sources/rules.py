"""Rules of sources: how alike names and definitions are, how far values overlap, and which fields may be a second source."""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

Role = Literal["authoritative", "copy", "different"]
NAME_WEIGHT, DEFINITION_WEIGHT, VALUES_WEIGHT = 0.35, 0.15, 0.5
LEAST_SCORE = 0.3
LEAST_VALUES = 20
SKETCH = 1024


@dataclass(frozen=True, order=True)
class Place:
    """A field of a dataset."""

    dataset: str
    field: str


@dataclass(frozen=True)
class Told:
    """What is said of a field: its names and titles, its description, its type, and the data element that it says to be."""

    place: Place
    names: frozenset[str]
    definition: str
    type: str
    element: str | None


@dataclass(frozen=True)
class Sketch:
    """The smallest hashes of the distinct values of a field, and how many distinct values it has (counted, or estimated)."""

    hashes: frozenset[int]
    distinct: int


@dataclass(frozen=True)
class Candidate:
    """A field that may be another source of an element, with the reasons from 0 to 1 each; None: no values to compare."""

    place: Place
    declared: bool
    name: float
    definition: float
    values: float | None
    score: float


def plain(text: str) -> str:
    """A name without case, spaces and signs."""
    return "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum())


def alike(one: str, other: str) -> float:
    """How alike two texts are: the Dice coefficient of their pairs of characters; 1 for equal ones."""
    a, b = plain(one), plain(other)
    if not a or not b:
        return 0.0
    if a == b:
        return 1.0
    pairs = [{text[i : i + 2] for i in range(len(text) - 1)} or {text} for text in (a, b)]
    return 2 * len(pairs[0] & pairs[1]) / (len(pairs[0]) + len(pairs[1]))


def names_alike(one: Iterable[str], other: Iterable[str]) -> float:
    """How alike the two most alike names are."""
    others = list(other)
    return max((alike(a, b) for a in one for b in others), default=0.0)


def overlap(one: Sketch, other: Sketch) -> float:
    """The share of the smaller set of values that is in the larger one (containment), estimated from bottom-k sketches.

    Of the k smallest hashes of both together those in both estimate the Jaccard index (Beyer et al. 2007), from which
    containment follows with the numbers of distinct values; exact where the sketches hold all values.
    """
    smaller = min(one.distinct, other.distinct)
    if smaller == 0:
        return 0.0
    common = one.hashes & other.hashes
    if len(one.hashes) >= one.distinct and len(other.hashes) >= other.distinct:
        return len(common) / smaller
    k = min(len(one.hashes), len(other.hashes))
    least = set(sorted(one.hashes | other.hashes)[:k])
    jaccard = len(least & common) / len(least)
    return min(1.0, jaccard * (one.distinct + other.distinct) / (1 + jaccard) / smaller)


def judge(element: Told, field: Told, sketches: Mapping[Place, Sketch], source: Place | None) -> Candidate | None:
    """Whether a field may be a source of an element: it says so, or names, definitions and values together speak for it.

    Values are compared with those of the authoritative `source`; sets of fewer than 20 values prove nothing. Fields of
    another type are no candidates.
    """
    declared = field.element == element.place.field
    if not declared and (field.element is not None or field.type != element.type):
        return None
    name, definition = names_alike(element.names, field.names), alike(element.definition, field.definition)
    values = None
    if source is not None and source in sketches and field.place in sketches:
        mine, its = sketches[source], sketches[field.place]
        if min(mine.distinct, its.distinct) >= LEAST_VALUES:
            values = overlap(mine, its)
    score = weigh(name, definition, values)
    if not declared and score < LEAST_SCORE:
        return None
    return Candidate(field.place, declared, name, definition, values, score)


def weigh(name: float, definition: float, values: float | None) -> float:
    """The reasons as one number from 0 to 1; where there are no values the others count for all."""
    told = NAME_WEIGHT * name + DEFINITION_WEIGHT * definition
    if values is None:
        return told / (NAME_WEIGHT + DEFINITION_WEIGHT) if name >= 0.5 else 0.0
    return told + VALUES_WEIGHT * values
