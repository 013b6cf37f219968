"""Sameness: incidents of late that may be of the same event as a text, and the hot issues among them."""

from collections import OrderedDict
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

from mumian.brain.understanding import store
from mumian.brain.understanding.contracts import HotIssue, Report, Same
from mumian.brain.understanding.rules.same import LEAST, groups, hot, metres, score
from mumian.brain.understanding.settings import UnderstandingSettings
from mumian.foundation.models.contracts import Shelf, fingerprint
from mumian.kernel.clock import iso, parse_iso
from mumian.kernel.unit_of_work import Row, Session

_SHOWN = 5
_LEAST_ALIKE = 0.1


class Sameness:
    """Compares texts with those of late; thread-safe. Fingerprints are kept in memory, texts in the records."""

    def __init__(self, settings: UnderstandingSettings) -> None:
        self._settings = settings
        self._lock = Lock()
        self._known: OrderedDict[str, Any] = OrderedDict()

    def candidates(self, session: Session, text: str, report: Report) -> list[Same]:
        """The incidents that most likely are of the same event, the best first; never the report's own."""
        rows = [row for row in self._recent(session, report.time) if row["incident"] != report.number]
        alike = self._shelf(rows).likeness(fingerprint(text))
        found = []
        for row, likeness in zip(rows, alike.tolist(), strict=True):
            other = _report(row)
            sure = score(likeness, report, other) if likeness >= _LEAST_ALIKE else 0.0
            if sure >= LEAST:
                apart = metres(report, other)
                found.append(
                    Same(
                        incident=other.number,
                        score=round(sure, 4),
                        alike=round(likeness, 4),
                        metres=None if apart is None else round(apart, 1),
                        reported=row["time"],
                    )
                )
        return sorted(found, key=lambda same: (-same.score, same.incident))[:_SHOWN]

    def hot(self, session: Session, until: datetime, days: float, limit: int) -> list[HotIssue]:
        """The hot issues of a span of days that ends at `until`, the hottest first."""
        rows = self._recent(session, until, days)
        reports = [_report(row) for row in rows]
        pairs = self._shelf(rows).pairs(_LEAST_ALIKE)
        scored = [(one, other, score(alike, reports[one], reports[other])) for one, other, alike in pairs]
        return hot(reports, groups(scored, len(rows), LEAST), until)[:limit]

    def _recent(self, session: Session, until: datetime, days: float | None = None) -> list[Row]:
        since = until - timedelta(days=days or self._settings.look_back_days)
        return store.recent(session, iso(since), iso(until), self._settings.looked_at)

    def _shelf(self, rows: list[Row]) -> Shelf:
        with self._lock:
            for row in rows:
                if row["incident"] not in self._known:
                    self._known[row["incident"]] = fingerprint(f"{row['title']}\n{row['text']}")
            found = [self._known[row["incident"]] for row in rows]
            while len(self._known) > 2 * self._settings.looked_at:
                self._known.popitem(last=False)
        return Shelf(found)


def _report(row: Row) -> Report:
    return Report(
        number=row["incident"],
        time=parse_iso(row["time"]),
        longitude=row["longitude"],
        latitude=row["latitude"],
        by=row["person"],
    )
