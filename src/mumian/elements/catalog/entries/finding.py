"""Finding: words and filters over all entries, ordered and counted; many at a time, each in milliseconds."""

from collections import OrderedDict
from threading import Lock
from typing import Any

import numpy as np

from mumian.elements.catalog.entries.contracts import Answer, Question
from mumian.elements.catalog.entries.entering import SCOPE
from mumian.elements.catalog.entries.shelf import FRESHNESS, PLAIN, Columns, Shelf
from mumian.foundation.search.api import Search, Selection
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Session

_SCORED = 500  # up to so many matches each is scored by its words; beyond, whether they stand in the title and use decide
_REMEMBERED = 256


class Finder:
    """Answers questions over the shelf; what words select is remembered until an entry changes."""

    def __init__(self, platform: Platform) -> None:
        self.shelf = Shelf(platform)
        self._platform = platform
        self._lock = Lock()
        self._known: OrderedDict[tuple[int, int, str], tuple[np.ndarray, np.ndarray, Selection]] = OrderedDict()

    def find(self, session: Session, question: Question) -> Answer:
        """One page, with the counts of facets."""
        columns = self.shelf.columns(session)
        count = len(columns.names)
        chosen, score, selection = np.ones(count, bool), np.zeros(count), None
        if question.text.strip():
            places, scores, selection = self._matches(session, columns, question.text)
            chosen = np.zeros(count, bool)
            chosen[places] = True
            score[places] = scores
        if not question.every:
            chosen = chosen & columns.public
        fresh = self.shelf.freshness(columns) if question.facets or "freshness" in question.wanted else np.zeros(count, np.int64)
        masks = {facet: _wanted(columns, fresh, facet, values) for facet, values in question.wanted.items() if values}
        kept = chosen
        for mask in masks.values():
            kept = kept & mask
        facets = _facets(columns, fresh, chosen, masks) if question.facets else {}
        hits, more = _page(columns, kept, _order(columns, score, question.order), question)
        read_as, relaxed = (None, False) if selection is None else (selection.read_as, selection.relaxed)
        return Answer(hits, int(kept.sum()), facets, read_as, relaxed, more)

    def _matches(self, session: Session, columns: Columns, text: str) -> tuple[np.ndarray, np.ndarray, Selection | None]:
        key = (columns.stamp, self._platform.declarations.revision, text)
        with self._lock:
            known = self._known.get(key)
            if known is not None:
                self._known.move_to_end(key)
                return known
        found = self._select(session, columns, text)
        if found[2] is not None:
            with self._lock:
                self._known[key] = found  # type: ignore[assignment]
                while len(self._known) > _REMEMBERED:
                    self._known.popitem(last=False)
        return found

    def _select(self, session: Session, columns: Columns, text: str) -> tuple[np.ndarray, np.ndarray, Selection | None]:
        search = self._platform.get(Search)
        selection = search.select(session, SCOPE, text)
        if selection is None:
            return np.empty(0, np.int64), np.empty(0), None
        places = columns.places(search.numbers(session, selection))
        if len(places) <= _SCORED:
            rows = session.rows(selection.sql, **selection.params)
            scores = {row["key"]: float(row["score"]) for row in rows}
            return places, np.array([scores.get(name, 0.0) for name in columns.names[places]]), selection
        in_title = columns.places(search.numbers(session, search.in_title(selection)))
        scores_ = np.zeros(len(columns.names))
        scores_[in_title] = 1.0
        return places, scores_[places] + np.log1p(columns.uses[places]) / 100, selection


def _wanted(columns: Columns, fresh: np.ndarray, facet: str, values: tuple[str, ...]) -> np.ndarray:
    count = len(columns.names)
    if facet == "freshness":
        return np.isin(fresh, [FRESHNESS.index(value) for value in values if value in FRESHNESS])
    labels = columns.labels[facet]
    codes = [labels.index(value) for value in values if value in labels]
    if facet == "format":
        return np.asarray(columns.formats[codes].any(axis=0)) if codes else np.zeros(count, bool)
    return np.isin(columns.codes[facet], codes)


def _facets(columns: Columns, fresh: np.ndarray, chosen: np.ndarray, masks: dict[str, np.ndarray]) -> dict[str, dict[str, int]]:
    found = {}
    every = chosen
    for mask in masks.values():
        every = every & mask
    common = np.flatnonzero(every)
    for facet in (*PLAIN, "freshness", "format"):
        at = common
        if facet in masks:
            left = chosen
            for other, mask in masks.items():
                left = left if other == facet else left & mask
            at = np.flatnonzero(left)
        if facet == "format":
            counts, labels = np.count_nonzero(columns.formats[:, at], axis=1), columns.labels["format"]
        else:
            codes = fresh if facet == "freshness" else columns.codes[facet]
            labels = list(FRESHNESS) if facet == "freshness" else columns.labels[facet]
            counts = np.bincount(codes[at] + 1, minlength=len(labels) + 1)[1:]
        found[facet] = {label: int(number) for label, number in zip(labels, counts.tolist(), strict=True) if number}
    return found


def _order(columns: Columns, score: np.ndarray, order: str) -> np.ndarray:
    """The greater, the earlier; equals stand by name."""
    if order == "relevance":
        return score
    return {"changed": columns.changed.astype(np.float64), "uses": columns.uses, "score": columns.score}.get(
        order, np.zeros(len(score))
    )


def _page(columns: Columns, kept: np.ndarray, by: np.ndarray, question: Question) -> tuple[tuple[tuple[float, str], ...], bool]:
    if question.after is not None:
        limit, name = question.after
        behind = np.searchsorted(columns.names, name, side="right")
        after = by == limit
        after[:behind] = False
        kept = kept & ((by < limit) | after)
    places = np.flatnonzero(kept)
    wanted = question.limit + 1
    if len(places) > wanted and by.any():
        least = np.partition(by[places], len(places) - wanted)[len(places) - wanted]
        above = places[by[places] > least]
        places = np.concatenate([above, places[by[places] == least][: wanted - len(above)]])
    ordered = places[np.lexsort((places, -by[places]))] if by.any() else places
    hits: list[Any] = [(float(by[i]), str(columns.names[i])) for i in ordered[: question.limit]]
    return tuple(hits), len(ordered) > question.limit
