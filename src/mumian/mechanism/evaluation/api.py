"""Evaluation for other components: `platform.get(Evaluation)` gives the figures of incident handling."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from mumian.foundation.spatial.api import Spatial
from mumian.kernel.clock import iso
from mumian.kernel.errors import NotFound
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Row, Session
from mumian.mechanism.evaluation import store
from mumian.mechanism.evaluation.rules import Facts, Figures, figures

__all__ = ["By", "Evaluation", "Figures", "Group"]

By = Literal["district", "organisation"]
_EVER = "0001"
_NOWHERE = ""


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
        return figures(_facts(store.incidents(session, _since(now, window_days), types)), iso(now))

    def groups(self, session: Session, by: By, now: datetime, window_days: int | None = None) -> list[Group]:
        """The same for each district or organisation that has any, in the order of their keys."""
        members: dict[str, list[Row]] = {}
        for row in store.incidents(session, _since(now, window_days)):
            members.setdefault(row[by] or _NOWHERE, []).append(row)
        return [Group(key, self._label(by, key), figures(_facts(rows), iso(now))) for key, rows in sorted(members.items())]

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


def _facts(rows: Iterable[Row]) -> list[Facts]:
    return [Facts(**{name: row[name] for name in Facts.__dataclass_fields__}) for row in rows]
