"""Features of texts: runs of characters of the whole, its head and its end, and words, weighed by tf-idf."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mumian.foundation.models.text.grams import Keys, Numbers, grams, plain, spelled

HEAD = 60
VIEWS = ("text", "head", "tail", "words")
WEIGHTS = (1.0, 0.7, 0.5, 0.7)
LEAST = 2
_LONGEST_WORD = 40
_WORD = re.compile(r"\w+")
Floats = NDArray[np.float32]
Matrix = Any  # scipy.sparse.csr_matrix, which has no types


@dataclass(frozen=True)
class Document:
    """A text to learn from or to judge: its head (a title, or how it begins), its end, and the whole, all made `plain`."""

    text: str
    head: str
    tail: str


def document(parts: Sequence[str]) -> Document:
    """The document of a text in parts: the first of several is its head; of a single one, the first 60 characters."""
    given = [part for part in parts if part.strip()]
    whole = plain("\n".join(given))
    return Document(whole, plain(given[0] if len(given) > 1 else whole[:HEAD]), plain(whole[-HEAD:]))


@dataclass(frozen=True)
class Vocabulary:
    """What a model knows of each view: sorted keys of runs, and words; `weights` holds the idf of all of them in that order."""

    text: Keys
    head: Keys
    tail: Keys
    words: tuple[str, ...]
    weights: Floats

    @property
    def sizes(self) -> tuple[int, int, int, int]:
        """How many features each view has."""
        return len(self.text), len(self.head), len(self.tail), len(self.words)

    def name(self, feature: int) -> str:
        """The characters of a feature."""
        for keys in (self.text, self.head, self.tail):
            if feature < len(keys):
                return spelled(int(keys[feature]))
            feature -= len(keys)
        return self.words[feature]


class Featuriser:
    """Turns documents into rows of a sparse matrix, one column for each feature of a vocabulary."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self._words = {word: number for number, word in enumerate(vocabulary.words)}

    def matrix(self, documents: Sequence[Document]) -> Matrix:
        """The documents' features; each view has length one times its weight (or nothing known in it)."""
        from scipy import sparse

        known = self.vocabulary
        counted = (
            _runs([d.text for d in documents], known.text),
            _runs([d.head for d in documents], known.head),
            _runs([d.tail for d in documents], known.tail),
            _told([words(d.text) for d in documents], self._words),
        )
        offset, blocks = 0, []
        for view, size, weight in zip(counted, known.sizes, WEIGHTS, strict=True):
            blocks.append(_weighed(view, known.weights[offset : offset + size], weight, (len(documents), size)))
            offset += size
        return sparse.hstack(blocks, format="csr", dtype=np.float32)


def words(text: str) -> list[str]:
    """The words of a plain text and its pairs of neighbours; only of use where words are set apart."""
    single = _WORD.findall(text)
    return single + [f"{one} {two}" for one, two in pairwise(single)]


def learned(documents: Sequence[Document], least: int = LEAST) -> Vocabulary:
    """The vocabulary of documents: what at least `least` of them hold; idf is ln((1+n)/(1+df)) + 1."""
    text, text_df = _frequent([d.text for d in documents], least)
    head, head_df = _frequent([d.head for d in documents], least)
    tail, tail_df = _frequent([d.tail for d in documents], least)
    counted = Counter(word for d in documents for word in set(words(d.text)))
    kept = sorted(word for word, count in counted.items() if count >= least and len(word) <= _LONGEST_WORD)
    df = np.concatenate([text_df, head_df, tail_df, np.array([counted[word] for word in kept], dtype=np.int64)])
    return Vocabulary(text, head, tail, tuple(kept), (np.log((1 + len(documents)) / (1 + df)) + 1).astype(np.float32))


def narrowed(vocabulary: Vocabulary, kept: NDArray[np.bool_]) -> Vocabulary:
    """The vocabulary without the features that are not `kept`."""
    text, head, tail, word = np.split(kept, np.cumsum(vocabulary.sizes)[:-1])
    chosen = tuple(known for known, fine in zip(vocabulary.words, word, strict=True) if fine)
    known = vocabulary
    return Vocabulary(known.text[text], known.head[head], known.tail[tail], chosen, known.weights[kept])


Counted = tuple[Numbers, Numbers, Numbers]  # rows, columns, counts


def _runs(texts: Sequence[str], known: Keys) -> Counted:
    if not len(known):
        return (np.zeros(0, np.int64),) * 3
    keys, owners = grams(texts)
    found = np.searchsorted(known, keys)
    found[found == len(known)] = 0
    hit = known[found] == keys
    return _counted(owners[hit], found[hit], len(known))


def _told(given: Sequence[Sequence[str]], known: dict[str, int]) -> Counted:
    pairs = [(row, known[word]) for row, own in enumerate(given) for word in own if word in known]
    table = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return _counted(table[:, 0], table[:, 1], len(known))


def _counted(rows: Numbers, columns: Numbers, width: int) -> Counted:
    """How often each pair of row and column occurs, ordered by both."""
    pairs = np.sort(rows * width + columns)
    first = np.flatnonzero(np.diff(pairs, prepend=-1))
    distinct = pairs[first]
    return distinct // max(width, 1), distinct % max(width, 1), np.diff(first, append=len(pairs))


def _weighed(counted: Counted, idf: Floats, weight: float, shape: tuple[int, int]) -> Matrix:
    from scipy import sparse

    rows, columns, counts = counted
    values = (1 + np.log(counts.astype(np.float32))) * idf[columns]
    length = np.sqrt(np.bincount(rows, values.astype(np.float64) ** 2, minlength=shape[0]))
    values *= (weight / length[rows]).astype(np.float32)
    starts = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=shape[0]))])
    return sparse.csr_matrix((values.astype(np.float32), columns, starts), shape=shape)


def _frequent(texts: Sequence[str], least: int) -> tuple[Keys, Numbers]:
    """The keys that at least `least` texts hold, sorted, and how many hold each."""
    keys, owners = grams(texts)
    distinct = np.unique(keys)
    columns = np.searchsorted(distinct, keys)
    _, found, _ = _counted(owners, columns, len(distinct))
    df = np.bincount(found, minlength=len(distinct))
    return distinct[df >= least], df[df >= least]
