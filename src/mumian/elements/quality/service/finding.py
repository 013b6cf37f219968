"""Finding: what the rows of a dataset say to its rules, in as few scans as the rules allow."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from mumian.elements.quality.contracts import Outcome, Rule, State
from mumian.elements.quality.models import (
    Between,
    Codes,
    Condition,
    Consistent,
    Drift,
    Formatted,
    Freshness,
    NotNull,
    Reference,
    RowsSpec,
    Unique,
    Volume,
)
from mumian.elements.quality.rules import comparing, compiling, scoring
from mumian.elements.quality.rules.compiling import KEPT, quoted
from mumian.elements.quality.service.asking import Asked
from mumian.elements.quality.service.reading import BadRule, Snapshot
from mumian.kernel.clock import iso, parse_iso

SCANNED = (NotNull, Formatted, Between, Codes, Condition, Unique)
_AGAIN = timedelta(days=1)


class Moved(Exception):
    """The dataset was loaded while it was looked at; that load is told of soon."""


@dataclass
class Found:
    """What was found, and the new baselines of rules that compare with one: load and bins, by rule."""

    outcomes: dict[str, Outcome] = field(default_factory=dict)
    baselines: dict[str, tuple[int, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Counted:
    checked: int
    failing: int
    rows: tuple[int, ...]


class Finding:
    """Judges one dataset on one snapshot; SQL rules, which go through the gate, are not done here."""

    def __init__(self, asked: Asked, snapshot: Snapshot, anew: bool, recheck: timedelta) -> None:
        self._asked = asked
        self._snapshot = snapshot
        self._anew = anew
        self._recheck = recheck
        self._found = Found()

    def run(self) -> Found:
        """All outcomes; raises Moved, CannotRead."""
        self._steady()
        self._scans()
        for rule in self._asked.rules:
            if rule.name in self._found.outcomes:
                continue
            outcome = self._one(rule)
            if outcome is not None:
                self._found.outcomes[rule.name] = outcome
        if self._snapshot.renewed:
            self._steady()
        return self._found

    def _steady(self) -> None:
        """The lake may be ahead of what is told about it, for a moment."""
        info = self._asked.info
        if info is None or not self._asked.load:
            return
        counts = self._snapshot.rows(f"SELECT count(*), coalesce(max(_load), 0) FROM lake.main.{info.name}")[0]
        if counts[0] != info.rows or counts[1] > self._asked.load:
            raise Moved

    def _seen(self, rule: Rule) -> Outcome | None:
        """What was found before, where it still holds for the rows of then."""
        before = self._asked.before.get(rule.name)
        fits = before is not None and before.digest == self._asked.asked[rule.name] and before.state != "error"
        if self._anew or before is None or not fits:
            return None
        return before if before.load == self._asked.load or self._asked.appended_since(before.load) else None

    def _scans(self) -> None:
        """Row rules with the same rows to judge share a scan."""
        asked, groups = self._asked, dict[int, list[Rule]]()
        if asked.frame is None or not asked.load:
            return
        for rule in asked.rules:
            if not isinstance(rule.check, SCANNED):
                continue
            seen = self._seen(rule)
            if seen is not None and seen.load == asked.load:
                self._found.outcomes[rule.name] = seen
                continue
            after = seen.load if seen is not None and not isinstance(rule.check, Unique) else 0
            groups.setdefault(after, []).append(rule)
        for after, rules in groups.items():
            self._scan(after, rules)

    def _scan(self, after: int, rules: list[Rule]) -> None:
        try:
            counted = self._shared([rule.check for rule in rules], after)
        except (BadRule, ValueError, KeyError) as error:
            if len(rules) > 1:
                for rule in rules:
                    self._scan(after, [rule])
                return
            self._found.outcomes[rules[0].name] = self._error(rules[0], error)
            return
        for rule, counts in zip(rules, counted, strict=True):
            self._found.outcomes[rule.name] = self._counted(rule, self._doubles(rule, counts), after)

    def _shared(self, checks: Sequence[Any], after: int) -> Iterator[_Counted]:
        assert self._asked.frame is not None
        row = self._snapshot.rows(compiling.scan(checks, self._asked.frame, after))[0][2:]
        return (_Counted(row[3 * i], row[3 * i + 1], tuple(row[3 * i + 2] or ())) for i in range(len(checks)))

    def _doubles(self, rule: Rule, counts: _Counted) -> _Counted | Exception:
        """For a unique rule: which rows have doubles, looked for in parts that fit in memory."""
        check, asked = rule.check, self._asked
        if not isinstance(check, Unique):
            return counts
        assert asked.frame is not None
        failing, of = 0, comparing.parts(counts.checked)
        rows: list[int] = []
        try:
            for part in range(of):
                if self._snapshot.rows(comparing.doubled(check, asked.frame, part, of)):
                    number, ids = self._snapshot.rows(comparing.doubles(check, asked.frame, part, of))[0]
                    failing += int(number)
                    rows += ids or []
        except BadRule as error:
            return error
        return _Counted(counts.checked, failing, tuple(sorted(rows)[:KEPT]))

    def _counted(self, rule: Rule, counts: _Counted | Exception, after: int) -> Outcome:
        """The outcome of a row rule; what was found before counts where only new rows were judged."""
        if isinstance(counts, Exception):
            return self._error(rule, counts)
        assert isinstance(rule.check, RowsSpec)
        before = self._asked.before[rule.name] if after else None
        checked, failing, rows = counts.checked, counts.failing, counts.rows
        if before is not None:
            checked, failing = checked + (before.checked or 0), failing + (before.failing or 0)
            rows = (*before.rows, *rows)[:KEPT]
        state, score = scoring.rows_state(rule.check, checked, failing)
        return self._outcome(rule, state, score, checked=checked, failing=failing, rows=rows, whole=not after)

    def _one(self, rule: Rule) -> Outcome | None:
        try:
            match rule.check:
                case Reference() | Consistent():
                    return self._compared(rule)
                case Freshness():
                    return self._freshness(rule, rule.check)
                case Volume():
                    return self._volume(rule, rule.check)
                case Drift():
                    return self._drift(rule, rule.check)
                case RowsSpec():
                    return self._outcome(rule, "unknown", None)
                case _:
                    return None
        except (BadRule, ValueError, KeyError) as error:
            return self._error(rule, error)

    def _compared(self, rule: Rule) -> Outcome:
        asked, check = self._asked, rule.check
        assert isinstance(check, Reference | Consistent)
        other = asked.others.get(check.dataset)
        if asked.frame is None or not asked.load or other is None or not other.load:
            return self._outcome(rule, "unknown", None)
        seen = self._seen(rule)
        if seen is not None and seen.load == asked.load:
            return seen
        after = 0 if seen is None else seen.load
        if isinstance(check, Reference):
            sql = comparing.referring(check, asked.frame, other.frame, after)
        else:
            sql = comparing.differing(check, asked.frame, other.frame, after)
        checked, failing, rows = self._snapshot.rows(sql)[0]
        return self._counted(rule, _Counted(checked, failing, tuple(rows or ())), after)

    def _freshness(self, rule: Rule, check: Freshness) -> Outcome:
        asked = self._asked
        reached = asked.reached
        if check.field is not None:
            reached = self._greatest(rule, check.field)
        streamed = asked.info is None and asked.spec.observed_property is not None
        if reached is None or check.seconds is None:
            first = iso(asked.now + self._recheck) if streamed else None  # no load tells of a first observation
            return self._outcome(rule, "unknown", None, due=first)
        age = max(0.0, (asked.now - reached).total_seconds())
        state, score = scoring.at_most(age, float(check.seconds))
        ends = reached + timedelta(seconds=check.seconds, microseconds=1)
        due = ends if state == "passed" else asked.now + (self._recheck if streamed else _AGAIN)
        if streamed and state == "passed":
            due = max(ends, asked.now + timedelta(seconds=1))
        return self._outcome(
            rule, state, score, measure=age, bound=float(check.seconds), detail={"reached": iso(reached)}, due=iso(due)
        )

    def _greatest(self, rule: Rule, name: str) -> datetime | None:
        """The greatest date (its end) or time of a field; that found before where nothing was loaded since."""
        asked = self._asked
        if asked.frame is None or not asked.load:
            return None
        before = asked.before.get(rule.name)
        if before is not None and before.load == asked.load and "reached" in before.detail:
            return parse_iso(before.detail["reached"])
        found = self._snapshot.rows(f"SELECT max({quoted(asked.frame.field(name))}) FROM lake.main.{asked.frame.table}")[0][0]
        if isinstance(found, datetime):
            return found.replace(tzinfo=UTC)
        if isinstance(found, date):
            return datetime(found.year, found.month, found.day, tzinfo=UTC) + timedelta(days=1)
        return None

    def _volume(self, rule: Rule, check: Volume) -> Outcome:
        asked = self._asked
        if not asked.loads:
            return self._outcome(rule, "unknown", None)
        numbers = [(load.total if check.of == "total" else load.rows) or 0 for load in asked.loads]
        before = numbers[1 : 1 + check.loads]
        state, score, bound = scoring.volume(numbers[0], check.least, check.most, check.change, before)
        detail = {"mean_before": sum(before) / len(before)} if before else {}
        return self._outcome(rule, state, score, measure=float(numbers[0]), bound=bound, detail=detail)

    def _drift(self, rule: Rule, check: Drift) -> Outcome:
        """Held against the baseline: the newest rows where rows were added, else all."""
        asked, frame = self._asked, self._asked.frame
        if frame is None or not asked.load:
            return self._outcome(rule, "unknown", None)
        known, before = asked.baselines.get(rule.name), asked.before.get(rule.name)
        if known is None:
            self._found.baselines[rule.name] = (asked.load, self._bins(check, "true"))
            return self._outcome(rule, "unknown", None, detail={"baseline": asked.load})
        if before is not None and before.load == asked.load and before.digest == asked.asked[rule.name]:
            return before
        load, kept = known
        since = load if check.baseline == "previous" or before is None else before.load
        loads = f"_load > {since}" if asked.appended_since(since) else "true"
        counts = self._count(check, kept["bins"], loads)
        skipped = 1 if check.method == "ks" else 0  # missing values have no order
        if not sum(counts[skipped:]) or not sum(kept["counts"][skipped:]):
            return self._outcome(rule, "unknown", None, detail={"baseline": load})
        if check.baseline == "previous":
            self._found.baselines[rule.name] = (asked.load, self._bins(check, loads))
        measure = (comparing.ks if check.method == "ks" else comparing.psi)(kept["counts"][skipped:], counts[skipped:])
        bound = check.most or (0.1 if check.method == "ks" else 0.2)
        state, score = scoring.at_most(measure, bound)
        return self._outcome(rule, state, score, measure=measure, bound=bound, detail={"baseline": load})

    def _bins(self, check: Drift, loads: str) -> dict[str, Any]:
        frame = self._asked.frame
        assert frame is not None
        if comparing.textual(frame, check.field):
            bins: list[Any] = [row[0] for row in self._snapshot.rows(comparing.commonest(frame, check.field, loads))]
        else:
            found = self._snapshot.rows(comparing.edges(frame, check.field, comparing.BINS[check.method], loads))[0][0]
            bins = sorted({float(edge) for edge in found or () if edge is not None and math.isfinite(edge)})
        return {"bins": bins, "counts": self._count(check, bins, loads)}

    def _count(self, check: Drift, bins: list[Any], loads: str) -> list[int]:
        """Rows without a value, then those of each bin; of texts bin 0 is all that are not among the commonest."""
        assert self._asked.frame is not None
        found = dict(self._snapshot.rows(comparing.counted(self._asked.frame, check.field, bins, loads)))
        return [int(found.get(i, 0)) for i in range(-1, len(bins) + 1)]

    def _error(self, rule: Rule, error: Exception) -> Outcome:
        return self._outcome(rule, "error", None, detail={"reason": str(error)[:300]})

    def _outcome(self, rule: Rule, state: State, score: float | None, **more: Any) -> Outcome:
        return Outcome(rule.name, state, score, self._asked.asked[rule.name], self._asked.load, **more)


def earliest(outcomes: Sequence[Outcome]) -> str | None:
    """When something is to be looked at again."""
    return min((outcome.due for outcome in outcomes if outcome.due is not None), default=None)
