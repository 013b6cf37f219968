"""Matching demands with duties and datasets 供需对接: by the data elements they name, and by the words they share."""

from collections.abc import Sequence
from dataclasses import dataclass

_SHOWN = 10
_LEAST = 0.08


@dataclass(frozen=True)
class Candidate:
    """A duty or a dataset that may meet a demand: its texts, and the data elements that it holds."""

    kind: str
    name: str
    organisation: str
    text: str
    elements: frozenset[str]


@dataclass(frozen=True)
class Match:
    """How well a candidate fits (0 – 1), and by which data elements."""

    kind: str
    name: str
    organisation: str
    score: float
    elements: tuple[str, ...]


def best(text: str, elements: frozenset[str], offered: Sequence[Candidate]) -> list[Match]:
    """The best candidates: 0.6 × the share of wanted elements they hold + 0.4 × the share of the demand's words (Chinese: pairs
    of characters) that they have; without wanted elements the words alone count.
    """
    wanted = words(text)
    found = []
    for each in offered:
        alike = len(wanted & words(each.text)) / len(wanted) if wanted else 0.0
        held = elements & each.elements
        score = alike if not elements else 0.6 * len(held) / len(elements) + 0.4 * alike
        if score >= _LEAST:
            found.append(Match(each.kind, each.name, each.organisation, round(score, 4), tuple(sorted(held))))
    return sorted(found, key=lambda match: (-match.score, match.kind, match.name))[:_SHOWN]


def words(text: str) -> frozenset[str]:
    """Words in lower case; of Chinese text every pair of neighbouring characters."""
    found: set[str] = set()
    word, before = "", ""
    for character in text.casefold() + " ":
        wide = "\u3400" <= character <= "\u9fff"
        if character.isalnum() and not wide:
            word += character
        else:
            if len(word) > 2:
                found.add(word)
            word = ""
        if wide and before:
            found.add(before + character)
        before = character if wide else ""
    return frozenset(found)
