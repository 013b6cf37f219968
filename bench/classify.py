"""Tickets classified: macro-F1 on texts that nobody tuned on and tickets per second, beside TF-IDF with a linear SVM."""

import csv
import gzip
import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from mumian.foundation.models.api import Labelled
from mumian.foundation.models.text.calibration import error
from mumian.foundation.models.text.model import TextModel
from mumian.foundation.models.text.training import train

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
TIPDM, BENCH = SHARED / "gov_messages_tipdm2020C", SHARED / "gov_msgabench" / "train_messages_11529_type_field_emotion.csv.gz"
SETS: dict[str, tuple[Path, tuple[str, ...], str, str]] = {
    "segmented": (TIPDM / "train_full9210_segmented_labelled.csv.gz", ("tokens",), "label", "macro-F1 0.92, 0.938 (test split)"),
    "type": (BENCH, ("留言",), "问题类型", "accuracy 0.817 (test split)"),
    "field": (BENCH, ("留言",), "问题领域", "accuracy 0.746 (test split)"),
    "emotion": (BENCH, ("留言",), "情感类别", "accuracy 0.908 (test split)"),
}
WANTED = os.environ.get("MUMIAN_BENCH_CLASSIFY", "segmented").split(",")
THREADS = 2


def run(data: Path | None) -> list[dict[str, Any]]:
    """A fifth of each set, chosen by the digest of the text, is judged; `data` is a folder that holds the sets by their names.

    MUMIAN_BENCH_CLASSIFY names the sets: segmented (default), type, field, emotion.
    """
    return [dict(figure) for name in WANTED for figure in _measured(name, data)]


@cache
def _measured(name: str, data: Path | None) -> tuple[dict[str, Any], ...]:
    """Measured once a process: training is repeatable, and takes minutes."""
    file, columns, label, published = SETS[name]
    texts = _read(next(iter(data.rglob(file.name))) if data else file, columns, label)
    learn, judge = [each for each in texts if not _held(each)], [each for each in texts if _held(each)]
    began = time.perf_counter()
    made = train(learn)
    took = time.perf_counter() - began
    truth = [each.label for each in judge]
    began = time.perf_counter()
    answers = _parallel(made.model, [each.parts for each in judge])
    speed = len(judge) / (time.perf_counter() - began)
    said = [answer.candidates[0][0] for answer in answers]
    right = np.array([one == other for one, other in zip(said, truth, strict=True)])
    confidence = np.array([answer.confidence for answer in answers])
    answered = np.array([bool(answer.label) for answer in answers])
    peer = _peer(learn, judge)
    size = f"{len(learn)} texts learned in {took:.0f} s, {len(judge)} judged once; published: {published}"
    more = {
        "accuracy": round(float(right.mean()), 4),
        "peer_accuracy": round(float(np.mean([one == other for one, other in zip(peer, truth, strict=True)])), 4),
        "calibration_error": round(error(confidence, right), 4),
        "answered": round(float(answered.mean()), 4),
        "answered_rightly": round(float(right[answered].mean()), 4) if answered.any() else 0.0,
        "cross_validated": round(made.evaluation.macro_f1, 4),
    }
    told = {"peer": "TF-IDF of words (or 2 characters) + LinearSVC", "peer_value": round(macro_f1(truth, peer), 4)}
    figure = {"name": f"classify-{name}-f1", "value": round(macro_f1(truth, said), 4), "unit": "macro-F1", "size": size}
    pace = {"name": f"classify-{name}-speed", "value": round(speed), "unit": "tickets/s"}
    return {**figure, **told, **more}, {**pace, "size": f"{len(judge)} on {THREADS} threads"}


def _parallel(model: TextModel, parts: Sequence[tuple[str, ...]]) -> list[Any]:
    step = -(-len(parts) // THREADS)
    with ThreadPoolExecutor(THREADS) as pool:
        made = pool.map(model.predict, [parts[start : start + step] for start in range(0, len(parts), step)])
        return [answer for answers in made for answer in answers]


def _peer(learn: Sequence[Labelled], judge: Sequence[Labelled]) -> list[str]:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.svm import LinearSVC

    apart = np.mean([text.parts[-1].count(" ") / max(len(text.parts[-1]), 1) for text in learn[:200]]) > 0.1
    words = {"token_pattern": r"(?u)\S+"} if apart else {"analyzer": "char", "ngram_range": (1, 2)}
    vectors = TfidfVectorizer(**words)
    machine = LinearSVC().fit(vectors.fit_transform("\n".join(t.parts) for t in learn), [t.label for t in learn])
    return [str(label) for label in machine.predict(vectors.transform("\n".join(t.parts) for t in judge))]


def macro_f1(truth: Sequence[str], said: Sequence[str]) -> float:
    """The mean F1 of the labels that occur in the truth."""
    found = []
    for label in set(truth):
        hits = sum(one == other == label for one, other in zip(truth, said, strict=True))
        found.append(2 * hits / (truth.count(label) + said.count(label)))
    return float(np.mean(found))


def _held(each: Labelled) -> bool:
    return int(sha256(("held" + "\n".join(part.strip() for part in each.parts)).encode()).hexdigest()[:8], 16) % 5 == 0


def _read(file: Path, columns: tuple[str, ...], label: str) -> list[Labelled]:
    with gzip.open(file, "rt", encoding="utf-8-sig", newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row[label]]
    return [Labelled(str(i), tuple(row[name] for name in columns), row[label]) for i, row in enumerate(rows)]
