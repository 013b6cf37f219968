"""Warnings at work: every round of vitals is judged, and what changes is kept with its event."""

import json
from dataclasses import dataclass
from typing import Any

from mumian.brain.vitals.api import CITY, Subject, Vitals
from mumian.brain.warnings import rules, store
from mumian.brain.warnings.events import WarningChanged, WarningEvent, WarningLifted, WarningRaised
from mumian.brain.warnings.kinds import WarningSpec
from mumian.brain.warnings.rules import LEVELS, Line, Rule, Sample, Standing, Track
from mumian.foundation.sensing.api import instant, microseconds
from mumian.kernel.clock import iso, parse_iso
from mumian.kernel.declarations.kinds import Declared
from mumian.kernel.events import DeliveredEvent
from mumian.kernel.i18n import text
from mumian.kernel.ids import new_id
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Row, Session, Transaction

_MINUTE = 60_000_000
_LATE_PERIODS = 3  # vitals wait two periods for what is late


@dataclass(frozen=True)
class Judge:
    """A declared rule with its lines ready to judge."""

    declared: Declared[WarningSpec]
    rule: Rule

    def covers(self, key: str) -> bool:
        """Whether the rule applies to this key."""
        return ("city" if key == CITY else "station") in self.declared.spec.applies_to


class Warnings:
    """Judges values by the warning rules in force."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._revision = -1
        self._judges: dict[str, list[Judge]] = {}

    def evaluated(self, tx: Transaction, event: DeliveredEvent) -> None:
        """Judge a round of vitals."""
        self._refresh()
        samples: dict[tuple[str, str], tuple[Judge, list[Sample]]] = {}
        alive = {vital: self._platform.get(Vitals).keys(vital) for vital in self._judges}
        for value in event.data["values"]:
            for judge in self._judges.get(value["vital"], ()):
                if judge.covers(value["key"]) and value["key"] in alive[value["vital"]]:
                    found = samples.setdefault((judge.declared.name, value["key"]), (judge, []))
                    found[1].append((microseconds(parse_iso(value["time"])), value["value"]))
        for (_, key), (judge, values) in samples.items():
            self._judge(tx, judge, key, values)

    def applied(self, tx: Transaction, event: DeliveredEvent) -> None:
        """Withdraw the warnings that the declarations in force do not speak of any more."""
        for change in event.data["changes"]:
            if change["kind"] == "Warning" and change["action"] == "delete":
                store.forget_tracks(tx.session, change["name"])
        self._withdraw_orphans(tx, store.active(tx.session))

    def stream_changed(self, tx: Transaction, event: DeliveredEvent) -> None:
        """Withdraw the warnings about a stream that is retired, or observes something else now."""
        rows = store.active(tx.session, key=event.subject)
        if event.type == "sensing.stream.retired":
            for row in rows:
                self._withdraw(tx, row)
        else:
            self._withdraw_orphans(tx, rows)

    def _withdraw_orphans(self, tx: Transaction, rows: list[Row]) -> None:
        self._refresh()
        judges = {(judge.declared.name, vital): judge for vital, several in self._judges.items() for judge in several}
        for row in rows:
            judge = judges.get((row["rule"], row["vital"]))
            if judge is None or not judge.covers(row["key"]) or row["key"] not in self._platform.get(Vitals).keys(row["vital"]):
                self._withdraw(tx, row)

    def _withdraw(self, tx: Transaction, row: Row) -> None:
        lifted = _row(row) | {"state": "lifted", "lifted_at": tx.now_text}
        self._tell(tx, lifted, "withdrawn", row["level"], tx.now_text)
        store.forget_tracks(tx.session, row["rule"], row["key"])

    def stale(self, session: Session, now: int) -> list[tuple[Judge, str, Sample]]:
        """Active warnings that nobody judges any more (`now` in µs), each with the missing sample that lifts it.

        As long as observations come, marks fall due and their samples lift what is stale; this is for when all has fallen silent.
        """
        self._refresh()
        judges = {judge.declared.name: judge for several in self._judges.values() for judge in several}
        silent: dict[str, int] = {}
        found: list[tuple[Judge, str, Sample]] = []
        for row in store.active(session):
            judge = judges.get(row["rule"])
            known = store.track(session, row["rule"], row["key"])
            if judge is None or known is None or known[0].now.valued_at is None:
                continue
            vital = judge.declared.spec.vital
            if vital not in silent:
                silent[vital] = self._platform.get(Vitals).silent_from(vital)
            stale = max(known[0].now.valued_at, silent[vital]) + judge.rule.stale
            period = self._platform.declarations.get("Vital", vital).spec.frequency_seconds * 1_000_000
            if now >= stale + _LATE_PERIODS * period:
                found.append((judge, row["key"], (stale, None)))
        return found

    def lift_stale(self, tx: Transaction) -> int:
        """Lift the warnings that are stale by the clock; how many."""
        found = self.stale(tx.session, microseconds(tx.now))
        for judge, key, sample in found:
            self._judge(tx, judge, key, [sample])
        return sum(not store.active(tx.session, judge.declared.name, key) for judge, key, _ in found)

    def linked(self, tx: Transaction, event: DeliveredEvent) -> None:
        """Note which incident handles a warning."""
        warning = event.data["incident"].get("warning")
        if warning is not None:
            store.link(tx.session, warning, event.subject)

    def _judge(self, tx: Transaction, judge: Judge, key: str, samples: list[Sample]) -> None:
        name, version = judge.declared.name, judge.declared.version
        known = store.track(tx.session, name, key)
        track = known[0] if known else Track()
        if known is not None and known[1] != version:
            before, track = track.now, rules.refold(judge.rule, track)
            self._change(tx, judge, key, (before, track.now), (track.now.valued_at or 0, track.now.value), late=True)
        for sample in sorted(samples, key=lambda s: s[0]):
            late = bool(track.samples) and sample[0] <= track.samples[-1][0]
            before, track = track.now, rules.take(judge.rule, track, sample)
            self._change(tx, judge, key, (before, track.now), sample, late)
        store.keep_track(tx.session, name, key, version, track)

    def _change(
        self, tx: Transaction, judge: Judge, key: str, step: tuple[Standing, Standing], sample: Sample, late: bool
    ) -> None:
        before, after = step
        if before.severity == after.severity:
            return
        present = store.active(tx.session, judge.declared.name, key)
        if after.severity is None and not present:
            return
        time = iso(instant(sample[0]))
        severity = after.severity if after.severity is not None else before.severity
        assert severity is not None
        shown: dict[str, Any] = {
            "level": LEVELS[severity],
            "value": sample[1],
            "threshold": rules.threshold(judge.rule, severity),
            "changed_at": time,
            "lifted_at": None if after.severity is not None else time,
            "state": "active" if after.severity is not None else "lifted",
        }
        subject = self._platform.get(Vitals).subject(key)
        if after.severity is not None:
            shown["title"] = self._title(judge, subject, shown)
        row = (_row(present[0]) if present else self._new(judge, subject, time)) | shown
        reason = "corrected" if late else _reason(before, after)
        self._tell(tx, row, reason, present[0]["level"] if present else None, time, subject)

    def _tell(
        self, tx: Transaction, row: dict[str, Any], reason: str, previous: str | None, time: str, subject: Subject | None = None
    ) -> None:
        """Keep a warning and emit what happened to it."""
        kind: type[WarningEvent] = WarningLifted if row["lifted_at"] else WarningRaised if previous is None else WarningChanged
        if previous is None:
            store.insert(tx.session, row)
        else:
            store.update(tx.session, row)
        tx.emit(
            kind(
                subject=row["id"],
                reason=reason,
                previous=previous,
                time=time,
                longitude=subject.longitude if subject else None,
                latitude=subject.latitude if subject else None,
                **{
                    name: row[name]
                    for name in ("rule", "key", "dimension", "level", "vital", "value", "threshold", "title", "label")
                },
            )
        )

    def _new(self, judge: Judge, subject: Subject, time: str) -> dict[str, Any]:
        return {
            "id": new_id(),
            "rule": judge.declared.name,
            "key": subject.key,
            "dimension": subject.dimension,
            "label": subject.label,
            "vital": judge.declared.spec.vital,
            "raised_at": time,
            "incident": None,
        }

    def _title(self, judge: Judge, subject: Subject, shown: dict[str, Any]) -> dict[str, str]:
        vital = self._platform.declarations.get("Vital", judge.declared.spec.vital)
        message = judge.declared.spec.message
        return {
            language: template.format(
                label=subject.label[language],
                level=text(f"warnings.level.{shown['level']}", language),
                value=_number(shown["value"]),
                threshold=_number(shown["threshold"]),
                unit=vital.spec.unit,
                vital=vital.title[language],
            )
            for language, template in (("zh", message.zh), ("en", message.en))
        }

    def _refresh(self) -> None:
        declarations = self._platform.declarations
        if self._revision == declarations.revision:
            return
        self._judges = {}
        for declared in declarations.all("Warning"):
            self._judges.setdefault(declared.spec.vital, []).append(Judge(declared, rule_of(declared.spec)))
        self._revision = declarations.revision


def rule_of(spec: WarningSpec) -> Rule:
    """A declared rule, ready to judge."""
    sign = 1 if spec.when == "above" else -1
    lines = tuple(
        Line(LEVELS.index(line.level), line.enter * sign, line.leave * sign, int(line.for_minutes * _MINUTE))
        for line in spec.levels
    )
    return Rule(lines, sign, int(spec.stale_minutes * _MINUTE))


def _reason(before: Standing, after: Standing) -> str:
    if before.severity is None:
        return "entered"
    if after.severity is None:
        return "stale" if after.stale else "below"
    return "escalated" if after.severity > before.severity else "eased"


def _row(row: Row) -> dict[str, Any]:
    return {**row, "title": json.loads(row["title"]), "label": json.loads(row["label"])}


def _number(value: float | None) -> str:
    return "–" if value is None else f"{round(value, 1):g}"
