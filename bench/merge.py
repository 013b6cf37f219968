"""Reports of one event found by their words: the title of a message must find its own body among thousands of others."""

import csv
import gzip
import time
from pathlib import Path
from typing import Any

import numpy as np

from mumian.brain.understanding.contracts import Report
from mumian.brain.understanding.rules.same import LEAST, score
from mumian.foundation.models.contracts import Shelf, fingerprint
from mumian.kernel.clock import parse_iso

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data" / "gov_messages_tipdm2020C" / "train_messages_hot.csv.gz"
_SHORTEST = 30
ASKED = 400


def run(data: Path | None) -> list[dict[str, Any]]:
    """Recall and precision of the candidate rule where the truth is known: title and body were written of one event.

    Bodies are the shelf, titles ask, times are left out. A candidate is right when it is the title's own body; other messages
    about the same event count as wrong, so that precision is a lower bound.
    """
    bodies, titles = _read(data or SHARED)
    began = time.perf_counter()
    shelf = Shelf([fingerprint(body) for body in bodies])
    best, own, found = 0, 0, 0
    now = Report(number="", time=parse_iso("2020-01-01T00:00:00Z"))
    for number, title in enumerate(titles[:ASKED]):
        alike = shelf.likeness(fingerprint(title))
        sure = np.flatnonzero([score(float(each), now, now) >= LEAST if each >= LEAST / 2 else False for each in alike])
        found += len(sure)
        own += int(number in sure)
        best += int(alike.argmax() == number)
    took = time.perf_counter() - began
    size = f"{ASKED} titles among {len(bodies)} bodies, threshold {LEAST}"
    return [
        {"name": "merge-recall", "value": round(own / ASKED, 4), "unit": "share", "size": size},
        {"name": "merge-precision", "value": round(own / max(found, 1), 4), "unit": "share, a lower bound", "size": size},
        {"name": "merge-first", "value": round(best / ASKED, 4), "unit": "share ranked first", "size": size},
        {"name": "merge-speed", "value": round(ASKED / took), "unit": "reports/s", "size": size},
    ]


def _read(file: Path) -> tuple[list[str], list[str]]:
    with gzip.open(file, "rt", encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.reader(stream))
    title, body = rows[0].index("留言主题"), rows[0].index("留言详情")
    kept = [row for row in rows[1:] if len(row[body]) >= _SHORTEST]
    distinct = {row[body]: row[title] for row in kept}
    return list(distinct), list(distinct.values())
