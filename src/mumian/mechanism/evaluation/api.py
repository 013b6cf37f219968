"""Evaluation for other components: `platform.get(Evaluation)` gives the figures of incident handling."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from mumian.foundation.spatial.api import Spatial
from mumian.kernel.clock import iso
from mumian.kernel.errors import NotFound
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Row, Session
from mumian.mechanism.evaluation import store

__all__ = ["By", "Evaluation", "Figures", "Group"]

By = Literal["district", "organisation"]
_EVER = "0001"
_NOWHERE = ""


@dataclass(frozen=True)
class Figures:
    """The figures over a set of incidents: on-time rate = closed on time / closed; a rate or median over none is None."""

    closed: int
    on_time: int
    open: int
    overdue: int
    on_time_rate: float | None
    median_hours: float | None


@dataclass(frozen=True)
class Group:
    """The figures of one district or organisation; `key` is its code or name, empty for what has none."""

    key: str
    label: dict[str, str]
    figures: Figures


class Evaluation:
    """Reads the facts that the brain's events left in evaluation's own table."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def city(self, session: Session, now: datetime, window_days: int | None = None, types: tuple[str, ...] = ()) -> Figures:
        """The figures of the whole city: incidents open now, and those closed in the last `window_days` (None: ever)."""
        rows = store.figures(session, "", _since(now, window_days), iso(now), types)
        return _figures(rows[0]) if rows else Figures(0, 0, 0, 0, None, None)

    def groups(self, session: Session, by: By, now: datetime, window_days: int | None = None) -> list[Group]:
        """The same for each district or organisation that has any, in the order of their keys."""
        rows = store.figures(session, by, _since(now, window_days), iso(now))
        return [Group(row["key"], self._label(by, row["key"]), _figures(row)) for row in rows]

    def _label(self, by: By, key: str) -> dict[str, str]:
        spatial = self._platform.get(Spatial)
        if key == _NOWHERE:
            city = spatial.city()
            nobody = {"zh": "未分拨", "en": "Not dispatched"}
            return nobody if by == "organisation" else city.title if city else {"zh": "全市", "en": "The city"}
        if by == "district":
            district = spatial.district(key)
            return district.title if district else {"zh": key, "en": key}
        try:
            return self._platform.declarations.get("Organisation", key).title
        except NotFound:
            return {"zh": key, "en": key}


def _since(now: datetime, window_days: int | None) -> str:
    return _EVER if window_days is None else iso(now - timedelta(days=window_days))


def _figures(row: Row) -> Figures:
    closed, on_time = int(row["closed"]), int(row["on_time"])
    rate = on_time / closed if closed else None
    return Figures(closed, on_time, int(row["open"]), int(row["overdue"]), rate, row["median"])
