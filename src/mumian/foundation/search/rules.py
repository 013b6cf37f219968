"""Rules of search: how texts and questions become tokens, and how far a mistyped word may be from a known one.

Chinese has no spaces, and its words are often of two characters: a run of Chinese characters becomes its overlapping pairs
(as in Lucene's CJK analysis), so that every part of two characters or more is found; single characters are kept apart.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_CJK = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_PARTS = re.compile(rf"[{_CJK}]+|[^\W_{_CJK}]+")
_IS_CJK = re.compile(rf"[{_CJK}]")
MOST_TOKENS = 20_000
MOST_PARTS = 24
MOST_QUERY = 500
LEAST_TYPO = 4


@dataclass(frozen=True)
class Part:
    """One word of a question, or one run of Chinese characters: its tokens in their order; `single`: one character alone."""

    text: str
    tokens: tuple[str, ...]
    single: bool = False
    prefix: bool = False


@dataclass(frozen=True)
class Tokens:
    """A text as tokens: words and pairs in their order, and the distinct Chinese characters."""

    stream: tuple[str, ...]
    singles: tuple[str, ...]

    def words(self) -> set[str]:
        """The words in letters that a mistyped one may be taken for."""
        return {token for token in self.stream if len(token) >= LEAST_TYPO and not _IS_CJK.match(token) and not token.isdigit()}


def plain(text: str) -> str:
    """A text with wide and compatibility characters made plain, in lower case (NFKC, casefold)."""
    return unicodedata.normalize("NFKC", text).casefold()


def tokens(text: str) -> Tokens:
    """The tokens of a text that is to be found; of a very long text the first ones."""
    stream: list[str] = []
    singles: dict[str, None] = {}
    for found in _PARTS.finditer(plain(text)):
        run = found.group()
        if _IS_CJK.match(run):
            stream += _pairs(run)
            singles.update(dict.fromkeys(run))
        else:
            stream.append(run)
        if len(stream) > MOST_TOKENS:
            break
    return Tokens(tuple(stream[:MOST_TOKENS]), tuple(singles))


def parts(query: str) -> tuple[Part, ...]:
    """A question as parts that must all be found; the last word may be unfinished."""
    text = plain(query[:MOST_QUERY])
    runs = [found.group() for found in _PARTS.finditer(text)][:MOST_PARTS]
    made = [_part(run) for run in runs]
    if made and text.endswith(runs[-1]) and not _IS_CJK.match(runs[-1]) and len(runs[-1]) > 1:
        made[-1] = Part(made[-1].text, made[-1].tokens, prefix=True)
    return tuple(made)


def _part(run: str) -> Part:
    if not _IS_CJK.match(run):
        return Part(run, (run,))
    return Part(run, tuple(_pairs(run)) if len(run) > 1 else (run,), single=len(run) == 1)


def _pairs(run: str) -> list[str]:
    return [run[i : i + 2] for i in range(len(run) - 1)] or [run]


def alternatives(query: tuple[Part, ...], synonyms: Mapping[str, Iterable[str]]) -> list[list[Part]]:
    """For each part the parts that may stand for it, itself first; `synonyms` by plain text."""
    found = []
    for part in query:
        others = [other for text in synonyms.get(part.text, ()) for other in parts(text)[:1] if other.text != part.text]
        found.append([part, *(Part(o.text, o.tokens, o.single) for o in others)])
    return found


def typos_allowed(word: str) -> int:
    """How many letters of a word may be wrong: none below four and in numbers, one below eight, else two."""
    return 0 if len(word) < LEAST_TYPO or word.isdigit() else 1 if len(word) < 2 * LEAST_TYPO else 2


def distance(one: str, other: str, most: int) -> int:
    """How many letters must be changed, added, dropped or exchanged with their neighbour (Damerau-Levenshtein, restricted);
    `most` + 1 for anything beyond `most`."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        above, row, earlier = row, [i] + [0] * len(other), before
        for j, b in enumerate(other, 1):
            row[j] = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a != b))
            if earlier and j > 1 and a == other[j - 2] and one[i - 2] == b:
                row[j] = min(row[j], earlier[j - 2] + 1)
        if min(row) > most:
            return most + 1
        before = above
    return min(row[-1], most + 1)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that a mistyped one most likely means: the closest within what is allowed, the first of equals."""
    most = typos_allowed(word)
    letters = set(word)  # each wrong letter makes a difference of two at most, which is quicker to see than the distance
    known = (other for other in known if len(letters.symmetric_difference(other)) <= 2 * most)
    scored = [(distance(word, other, most), other) for other in known if other != word]
    best = min((pair for pair in scored if pair[0] <= most), default=None)
    return None if best is None or most == 0 else best[1]
