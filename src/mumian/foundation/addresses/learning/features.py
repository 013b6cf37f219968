"""Features of tokens: what they are, their neighbours, names of divisions, chunks known from training, and what the rules say."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from mumian.foundation.addresses.learning.labelled import Sentence, chunks, labels, tokens
from mumian.foundation.addresses.rules.divisions import Divisions
from mumian.foundation.addresses.rules.parsing import parse
from mumian.foundation.addresses.rules.text import NUMERAL, plain

NAMES = ("token", "left", "right", "shape", "rule", "division", "known", "shapes")
DIMENSIONS = (64, 48, 48, 12, 24, 16, 24, 24)
LEAST = (2, 2, 2, 1, 1, 3, 3, 2)
_TOKEN = re.compile(r"\d+(?:[A-Za-z](?![A-Za-z]))?|[A-Za-z]+\d*|.", re.DOTALL)
_DIGITS = re.compile(r"\d+")
_UNCOMMON = re.compile(r"[0-9A-Za-z\-]+.?")
_LONGEST = 12
_SIGNS = {
    "p": "省", "c": "市", "d": "区县旗", "t": "镇乡", "v": "村社庄", "r": "路街道巷弄", "n": "号", "h": "幢栋座", "f": "楼层",
    "m": "室", "u": "单元", "o": "园苑城厦店司场厂院", "s": "期", "a": "口旁面近", "-": "-", "g": "组队",
}  # fmt: skip
_SHAPES = {character: kind for kind, characters in _SIGNS.items() for character in characters}


def tokenise(text: str) -> list[str]:
    """Single characters; digits and letters that stand together are one token."""
    return _TOKEN.findall(text)


def known_chunks(sentences: Iterable[Sentence]) -> dict[str, str]:
    """Chunks of two or more characters that are not mostly digits, with the labels that they usually have."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for sentence in sentences:
        words = tokens(sentence)
        for start, end, label in chunks(labels(sentence)):
            text = "".join(words[start:end])
            if len(text) > 1 and not _UNCOMMON.fullmatch(text):
                counts[text][label] += 1
    return {
        text: "+".join(sorted(label for label, n in found.items() if n >= max(1, 0.2 * found.total())))
        for text, found in counts.items()
    }


def columns(words: Sequence[str], known: Mapping[str, str], divisions: Divisions) -> list[list[str]]:
    """The features of a sequence, one list a feature in the order of NAMES."""
    folded = [_folded(word) for word in words]
    shapes = [_shape(word) for word in words]
    padded, padded_shapes = ["#", *folded, "#"], ["#", *shapes, "#"]
    count = len(words)
    return [
        folded,
        [padded[i] + padded[i + 1] for i in range(count)],
        [padded[i + 1] + padded[i + 2] for i in range(count)],
        shapes,
        _ruled(words, divisions),
        _named(words, lambda text: "".join(sorted({str(len(name.code)) + str(name.form) for name in divisions.having(text)}))),
        _named(words, lambda text: known.get(text, "")),
        [padded_shapes[i] + padded_shapes[i + 1] + padded_shapes[i + 2] for i in range(count)],
    ]


def _folded(word: str) -> str:
    if word.isascii() and word.isdigit():
        return f"D{min(len(word), 5)}"
    if word.isascii() and any(character.isdigit() for character in word):
        return _DIGITS.sub("9", word)
    return word.upper()


def _shape(word: str) -> str:
    if word.isascii():
        if word.isdigit():
            return "0" * min(len(word), 4)
        if word.isalpha():
            return "A" if len(word) == 1 else "AA"
        return "x" + word[0] + ("d" if any(character.isdigit() for character in word) else "")
    return "N" if word in NUMERAL + "壹贰" else _SHAPES.get(word, "C")


def _mark(start: int, end: int, position: int) -> str:
    """Whether a position begins (B), is inside (I), ends (E) or is all (S) of a span."""
    if end - start == 1:
        return "S"
    return "B" if position == start else "E" if position == end - 1 else "I"


def _named(words: Sequence[str], meaning: Callable[[str], str]) -> list[str]:
    """From each position the longest run of tokens with a meaning, marked on all tokens that it covers."""
    marks: list[set[str]] = [set() for _ in words]
    for start in range(len(words)):
        text, best = "", None
        for end in range(start + 1, min(len(words), start + _LONGEST) + 1):
            text += words[end - 1]
            if found := meaning(text):
                best = (end, found)
        if best is not None:
            for position in range(start, best[0]):
                marks[position].add(_mark(start, best[0], position) + best[1])
    return ["|".join(sorted(found)) for found in marks]


def _ruled(words: Sequence[str], divisions: Divisions) -> list[str]:
    """What the rules say about each token."""
    elements, _ = parse(divisions, plain("".join(words)))
    covering = {position: element for element in elements for position in range(element.start, element.end)}
    found, at = [], 0
    for word in words:
        element, end = covering.get(at), at + len(word)
        if element is None:
            found.append("O")
        else:
            first, last = element.start >= at, element.end <= end
            found.append(("S" if first and last else "B" if first else "E" if last else "I") + element.kind)
        at = end
    return found
