"""Asking: what is to be judged about a dataset, gathered before its rows are read."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from typing import Any

from mumian.elements.catalog.api import Load, TableInfo, Tables
from mumian.elements.catalog.kinds import DatasetSpec
from mumian.elements.quality.contracts import Outcome, Rule
from mumian.elements.quality.models import Codes, Consistent, Drift, Freshness, Reference
from mumian.elements.quality.rules.compiling import Frame
from mumian.elements.quality.rules.implied import in_force
from mumian.elements.quality.store import runs
from mumian.foundation.sensing.api import Sensing
from mumian.kernel.clock import parse_iso
from mumian.kernel.errors import NotFound
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Row, Session

_MOST_LOADS = 200
LATE = 2  # as in the catalogue: data are late after two periods of their frequency


@dataclass(frozen=True)
class Other:
    """Another dataset that a rule speaks of, and its newest load."""

    frame: Frame
    load: int
    rows: int


@dataclass
class Asked:
    """All that judging a dataset needs to know; `load` is the newest load, 0 where there are no rows of its own.

    `loads` are the loads done, newest first; `reached` is when data came last; `before` is what the last run found, by rule.
    """

    dataset: str
    spec: DatasetSpec
    rules: list[Rule]
    now: datetime
    frame: Frame | None
    info: TableInfo | None
    load: int
    loads: list[Load]
    reached: datetime | None
    others: dict[str, Other]
    last: Row | None
    before: dict[str, Outcome]
    readable: list[bool]
    asked: dict[str, str] = field(default_factory=dict)
    baselines: dict[str, tuple[int, Any] | None] = field(default_factory=dict)

    def appended_since(self, load: int) -> bool:
        """Whether all that came after a load was added to what was there, so that the rows judged then are still the same."""
        since = [each for each in self.loads if each.number > load]
        complete = len(self.loads) < _MOST_LOADS or len(since) < len(self.loads)
        return load > 0 and complete and all(each.mode == "append" for each in since)


class Asking:
    """Gathers what is to be judged."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def documents(self) -> list[tuple[str, Any]]:
        """The rule documents in force, by name."""
        return [(declared.name, declared.spec) for declared in self._platform.declarations.all("QualityRule")]

    def rules(self, dataset: str) -> list[Rule]:
        """The rules of a dataset in force; raises NotFound."""
        spec = self._platform.declarations.get("Dataset", dataset).spec
        return in_force(dataset, spec, self.documents())

    async def ask(self, dataset: str) -> Asked:
        """What is to be judged about a dataset now; raises NotFound."""
        spec: DatasetSpec = self._platform.declarations.get("Dataset", dataset).spec
        rules = [self._resolved(rule, spec) for rule in self.rules(dataset)]
        tables = self._platform.get(Tables)
        loads = [load for load in await tables.loads(dataset, None, _MOST_LOADS) if load.state == "done"]
        others = await self._others(rules)

        def read(session: Session) -> tuple[TableInfo | None, Row | None, dict[str, Outcome], list[bool]]:
            last = runs.runs(session, dataset, None, 29)
            found = next((run for run in last if run["readable"]), None)
            before = {} if found is None else runs.outcomes(session, found["number"])
            readable = [run["readable"] for run in reversed(last)]
            return tables.describe(session, dataset), found, before, readable

        info, last, before, readable = await self._platform.records.read(read)
        frame = None if info is None else self.frame(info)
        asked = Asked(
            dataset=dataset,
            spec=spec,
            rules=rules,
            now=self._platform.clock.now(),
            frame=frame,
            info=info,
            load=loads[0].number if loads else 0,
            loads=loads,
            reached=self._reached(spec, loads),
            others=others,
            last=last,
            before=before,
            readable=readable,
        )
        asked.asked = {rule.name: _digest(rule, asked) for rule in rules}
        await self._baselines(asked)
        return asked

    async def _baselines(self, asked: Asked) -> None:
        wanted = [rule.name for rule in asked.rules if isinstance(rule.check, Drift)]
        if wanted:
            asked.baselines = await self._platform.records.read(
                lambda session: {name: runs.baseline(session, asked.dataset, name, asked.asked[name]) for name in wanted}
            )

    async def _others(self, rules: list[Rule]) -> dict[str, Other]:
        found = {}
        tables = self._platform.get(Tables)
        for name in {rule.check.dataset for rule in rules if isinstance(rule.check, Reference | Consistent)}:
            try:
                info = await self._platform.records.read(lambda session, n=name: tables.describe(session, n))  # type: ignore[misc]
            except NotFound:
                continue
            loads = [load for load in await tables.loads(name, None, 20) if load.state == "done"]
            if info is not None:
                found[name] = Other(self.frame(info), loads[0].number if loads else 0, info.rows)
        return found

    def frame(self, info: TableInfo) -> Frame:
        """A dataset's table as rules see it."""
        codes = {each.name: self._codes(each.code_list) for each in info.fields if each.code_list is not None}
        return Frame(info.name, {each.name: each.type for each in info.fields}, codes)

    def _codes(self, name: str) -> tuple[str, ...]:
        try:
            return tuple(code.code for code in self._platform.declarations.get("CodeList", name).spec.codes)
        except NotFound:
            return ()

    def _resolved(self, rule: Rule, spec: DatasetSpec) -> Rule:
        """The rule with what it leaves out: the values of a code list, the key of another dataset, the age that is allowed."""
        check = rule.check
        if isinstance(check, Codes) and check.values is None and check.code_list is not None:
            return replace(rule, check=check.model_copy(update={"values": list(self._codes(check.code_list))}))
        if isinstance(check, Reference) and not check.target:
            with suppress(NotFound):
                key = self._platform.declarations.get("Dataset", check.dataset).spec.key
                return replace(rule, check=check.model_copy(update={"target": list(key)}))
        if isinstance(check, Freshness) and check.seconds is None and spec.frequency_seconds is not None:
            return replace(rule, check=check.model_copy(update={"seconds": LATE * spec.frequency_seconds}))
        return rule

    def _reached(self, spec: DatasetSpec, loads: list[Load]) -> datetime | None:
        """When data came last: the last load, or the newest observation of a dataset that is made of streams."""
        if loads and loads[0].ended_at is not None:
            return parse_iso(loads[0].ended_at)
        if spec.observed_property is None:
            return None
        sensing = self._platform.get(Sensing)
        numbers = [stream.id for stream in sensing.streams({spec.observed_property})]
        latest = sensing.latest(numbers) if numbers else None
        if latest is None or not len(latest.times):
            return None
        return datetime.fromtimestamp(int(latest.times.max()) / 1e6, self._platform.clock.now().tzinfo)


def _digest(rule: Rule, asked: Asked) -> str:
    """What a rule asks, as a digest: while it is the same, rows that were judged need not be judged again."""
    told: dict[str, Any] = {"check": rule.check.model_dump(mode="json", exclude={"title", "severity", "ticket", "deadline_days"})}
    if asked.frame is not None:
        told["types"] = dict(asked.frame.types)
        if isinstance(rule.check, Codes) and rule.check.values is None:
            told["codes"] = {name: list(codes) for name, codes in asked.frame.codes.items()}
    if isinstance(rule.check, Reference | Consistent):
        other: Mapping[str, Any] = {}
        if rule.check.dataset in asked.others:
            held = asked.others[rule.check.dataset]
            other = {"load": held.load, "types": dict(held.frame.types)}
        told["other"] = other
    return sha256(json.dumps(told, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
