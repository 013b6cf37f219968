"""Labelled addresses: files of one token and its label a line, chunks of labels, and what labels mean as kinds of elements."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from mumian.foundation.addresses.errors import BadTraining

Sentence = list[tuple[str, str]]
Chunk = tuple[int, int, str]
MOST_TOKENS = 400
KIND_OF_LABEL = {
    "prov": "province", "devzone": "zone", "town": "street", "roadno": "number", "subroadno": "subnumber", "houseno": "building",
    "cellno": "unit", "floorno": "floor", "roomno": "room", "person": "occupant", "assist": "relation", "redundant": "noise",
    "otherinfo": "other", "village_group": "road", "intersection": "relation", "distance": "relation",
}  # fmt: skip


def kind_of(label: str) -> str:
    """The kind of element that a label of training data stands for; kinds stand for themselves."""
    return KIND_OF_LABEL.get(label.lower(), label.lower())


def read(file: Path) -> list[Sentence]:
    """The sentences of a CoNLL file (`token label` a line, BIO or BIES, an empty line between addresses); raises BadTraining."""
    sentences: list[Sentence] = []
    current: Sentence = []
    with file.open(encoding="utf-8", errors="replace") as lines:
        for number, line in enumerate(lines, 1):
            words = line.split()
            if not words:
                sentences += [current] if current else []
                current = []
                continue
            prefix, dash, label = words[-1].partition("-")
            if len(words) != 2 or prefix not in ("B", "I", "E", "S", "O") or (dash and not label) or len(current) >= MOST_TOKENS:
                raise BadTraining(file=file.name, line=number)
            current.append((words[0], words[1]))
    sentences += [current] if current else []
    if not sentences:
        raise BadTraining(file=file.name, line=1)
    return sentences


def tokens(sentence: Sentence) -> list[str]:
    """The tokens of a sentence."""
    return [token for token, _ in sentence]


def labels(sentence: Sentence) -> list[str]:
    """The labels of a sentence."""
    return [label for _, label in sentence]


def chunks(tags: Sequence[str]) -> list[Chunk]:
    """Runs of one label as (start, end, label), decided as conlleval.pl does: B and S begin one, so does another label."""
    found: list[Chunk] = []
    start, open_label = 0, ""
    for position, tag in enumerate([*tags, "O"]):
        prefix, _, label = tag.partition("-")
        if prefix in ("B", "S") or label != open_label:
            if open_label:
                found.append((start, position, open_label))
            start, open_label = position, label
    return found


def bies(tags: Sequence[str]) -> list[str]:
    """The same chunks with marks for their last token (E) and for single ones (S)."""
    made = ["O"] * len(tags)
    for start, end, label in chunks(tags):
        if end - start == 1:
            made[start] = f"S-{label}"
            continue
        made[start:end] = [f"B-{label}", *[f"I-{label}"] * (end - start - 2), f"E-{label}"]
    return made


def score(gold: Iterable[Iterable[Chunk]], found: Iterable[Iterable[Chunk]]) -> tuple[float, float, float]:
    """Precision, recall and F1 over chunks, each right when start, end and label agree (CoNLL-2000)."""
    right = wanted = given = 0
    for true, predicted in zip(gold, found, strict=True):
        a, b = set(true), set(predicted)
        right, wanted, given = right + len(a & b), wanted + len(a), given + len(b)
    precision, recall = right / given if given else 0.0, right / wanted if wanted else 0.0
    return precision, recall, 2 * right / (wanted + given) if wanted + given else 0.0
