"""Labels: proposed by detectors and along lineage, confirmed or rejected by people with a reason, never changed unseen."""

import asyncio
import contextlib
import json
import re
from dataclasses import asdict, dataclass
from typing import Any

from mumian.elements.catalog.api import TableInfo, Tables
from mumian.elements.protection import store
from mumian.elements.protection.contracts import Label
from mumian.elements.protection.errors import BelowDeclared
from mumian.elements.protection.events import LabelDecided, LabelProposed
from mumian.elements.protection.rules import detecting, policy
from mumian.elements.protection.rules.masking import quoted
from mumian.elements.protection.service.known import Known
from mumian.elements.protection.settings import ProtectionSettings
from mumian.foundation.storage.contracts import Lake
from mumian.kernel.background import Loop
from mumian.kernel.errors import Invalid, NotFound
from mumian.kernel.events import DeliveredEvent
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Row, Session, Transaction

_EXAMPLES = 3
_PAUSE = 2.0
_TEXTUAL = ("text", "integer", "number")


@dataclass(frozen=True)
class Decision:
    """What a person says about a proposal: the label that holds (None: rejected), and why."""

    label: Label | None
    reason: str


class Labels:
    """`platform.get(Labels)`: looks at datasets after they were loaded, and keeps what people decide."""

    name = "elements.protection.labels"

    def __init__(self, platform: Platform, known: Known, settings: ProtectionSettings) -> None:
        self._platform = platform
        self._known = known
        self._settings = settings
        self._due: dict[str, None] = {}
        self._loop = Loop(self.name, platform.clock, self.settle, _PAUSE)

    async def start(self) -> None:
        """Begin with what is due."""
        self._loop.start()

    async def stop(self) -> None:
        """Finish the datasets under way."""
        await self._loop.stop()

    async def settle(self) -> bool:
        """Look at all datasets that were loaded."""
        worked = False
        while self._due:
            dataset = next(iter(self._due))
            del self._due[dataset]
            worked = True
            with contextlib.suppress(NotFound, Invalid):  # withdrawn since it was loaded
                await self.examine(dataset)
        return worked

    def loaded(self, _: Transaction, event: DeliveredEvent) -> None:
        """A dataset was loaded: it is looked at soon (or when it is loaded next, should the process end before)."""
        self._due[event.subject] = None
        self._known.hot.drop(event.subject)

    async def examine(self, dataset: str) -> list[Row]:
        """Look at a sample of a dataset now and propose labels; returns its labels. Raises NotFound."""
        info = await self._platform.records.read(lambda session: self._platform.get(Tables).describe(session, dataset))
        if info is None:
            raise NotFound(kind="Rows", name=dataset)
        found = await asyncio.to_thread(self._detect, info)
        await self._platform.records.write(lambda tx: self._propose(tx, info, found))
        self._known.forget()
        return await self._platform.records.read(lambda session: store.labels(session, {"dataset": dataset}, None, 2000))

    def propose(self, tx: Transaction, dataset: str, field: str, label: Label, origin: str, evidence: dict[str, Any]) -> bool:
        """Propose a label where nobody has decided and nothing as strict is known; whether anything was proposed."""
        row = store.label(tx.session, dataset, field)
        if row is not None and row["state"] != "proposed":
            return False
        known = Label() if row is None else Label(row["grade"], row["personal"], row["category"])
        wanted = policy.stricter(label, known) if row is not None else label
        if row is not None and (wanted.grade, wanted.personal) == (known.grade, known.personal):
            return False
        facts = {"state": "proposed", **asdict(wanted), "origin": origin, "evidence": evidence, "reason": None}
        store.put(tx, dataset, field, facts)
        tx.emit(LabelProposed(subject=f"{dataset}#{field}", origin=origin, evidence=evidence, **asdict(wanted)))
        self._known.forget()
        return True

    def decide(self, tx: Transaction, dataset: str, field: str, decision: Decision) -> Row:
        """Confirm, change or reject; raises NotFound, and BelowDeclared for a label below the declared one."""
        row = store.label(tx.session, dataset, field)
        declared = self.declared(dataset, field)
        if row is None and decision.label is None:
            raise NotFound(kind="Label", name=f"{dataset}#{field}")
        label = decision.label or Label()
        floor = policy.stricter(label, declared)
        if decision.label is not None and (floor.grade, floor.personal) != (label.grade, label.personal):
            raise BelowDeclared(field=f"{dataset}#{field}", grade=declared.grade, personal=declared.personal)
        state = "confirmed" if decision.label is not None else "rejected"
        evidence = {} if row is None else json.loads(row["evidence"])
        origin = "person" if row is None else row["origin"]
        store.put(
            tx,
            dataset,
            field,
            {"state": state, **asdict(label), "origin": origin, "evidence": evidence, "reason": decision.reason},
        )
        tx.emit(LabelDecided(subject=f"{dataset}#{field}", state=state, reason=decision.reason, **asdict(label)))
        self._known.forget()
        kept = store.label(tx.session, dataset, field)
        assert kept is not None
        return kept

    def declared(self, dataset: str, field: str) -> Label:
        """The label that the declaration gives a field; raises NotFound."""
        spec = self._platform.declarations.get("Dataset", dataset).spec
        for one in spec.fields:
            if one.name == field:
                return Label(one.grade, one.personal)
        raise NotFound(kind="Field", name=f"{dataset}#{field}")

    def in_force(self, session: Session, dataset: str) -> dict[str, Label]:
        """Every field's label as it holds now, by name: declared, confirmed or proposed."""
        spec = self._platform.declarations.get("Dataset", dataset).spec
        kept = store.in_force(session, dataset)
        found = {}
        for field in spec.fields:
            state, label = kept.get(field.name.casefold(), ("rejected", Label()))
            declared = Label(field.grade, field.personal)
            found[field.name] = declared if state == "rejected" else policy.stricter(declared, label)
        return found

    def _propose(self, tx: Transaction, info: TableInfo, found: dict[str, tuple[detecting.Finding, dict[str, Any]]]) -> None:
        for field, (finding, evidence) in found.items():
            label = detecting.LABELS[finding.category]
            declared = self.declared(info.dataset, field)
            told = {"declared": asdict(declared), **evidence}
            if label.personal != "none" or label.grade != "general":
                self.propose(tx, info.dataset, field, label, "detector", told)

    def _detect(self, info: TableInfo) -> dict[str, tuple[detecting.Finding, dict[str, Any]]]:
        """One query for all columns of a sample."""
        lake = self._platform.get(Lake)  # type: ignore[type-abstract]
        fields = [field for field in info.fields if field.type in _TEXTUAL]
        if not fields:
            return {}
        expressions = []
        for field in fields:
            v = quoted(field.name)
            expressions.append(f"count(nullif({v}, ''))")
            expressions += [f"count(*) FILTER ({v} <> '' AND {detecting.condition(c, v)})" for c in detecting.CATEGORIES]
        texts = ", ".join(f"trim(CAST({quoted(f.name)} AS VARCHAR)) AS {quoted(f.name)}" for f in fields)
        sample = f"SELECT {texts} FROM lake.main.{info.name} USING SAMPLE {self._settings.sample_rows} ROWS"
        counts = list(lake.rows(f"SELECT {', '.join(expressions)} FROM ({sample})")[0])
        width = 1 + len(detecting.CATEGORIES)
        found = {}
        for index, field in enumerate(fields):
            values, *matches = counts[index * width : (index + 1) * width]
            if values == 0:
                continue
            shares = {c: matches[i] / values for i, c in enumerate(detecting.CATEGORIES)}
            named = {c: _named(c, field) for c in detecting.CATEGORIES}
            finding = detecting.decide(shares, named)
            if finding is not None:
                found[field.name] = (finding, self._evidence(lake, info, field.name, finding, values))
        return found

    def _evidence(self, lake: Lake, info: TableInfo, name: str, finding: detecting.Finding, values: int) -> dict[str, Any]:
        v = quoted(name)
        some = f"SELECT trim(CAST({v} AS VARCHAR)) AS v FROM lake.main.{info.name} LIMIT {self._settings.sample_rows}"
        sql = f"SELECT v FROM ({some}) WHERE v <> '' AND {detecting.condition(finding.category, 'v')} LIMIT {_EXAMPLES}"
        examples = [detecting.masked_example(row[0]) for row in lake.rows(sql)]
        return {"share": round(finding.share, 4), "values": values, "named": finding.named, "examples": examples}


def _named(category: str, field: Any) -> bool:
    title = "" if field.title is None else field.title.zh
    text = f"{field.name} {title}"
    return re.search(detecting.name_pattern(category), text, re.IGNORECASE) is not None
