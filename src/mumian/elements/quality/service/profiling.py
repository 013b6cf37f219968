"""Profiling: describes each field of a dataset, and finds keys, references and code lists that nobody declared."""

from collections.abc import Iterator
from dataclasses import asdict, replace
from itertools import combinations, pairwise
from typing import Any

import yaml

from mumian.elements.catalog.api import TableInfo, Tables
from mumian.elements.protection.api import Labels
from mumian.elements.quality.errors import NothingToProfile
from mumian.elements.quality.events import SuggestionDeclined
from mumian.elements.quality.rules import profiling
from mumian.elements.quality.rules.compiling import Frame
from mumian.elements.quality.rules.profiling import FieldProfile
from mumian.elements.quality.rules.suggesting import NEARLY, Facts, Suggestion, suggestions
from mumian.elements.quality.service.asking import Asking
from mumian.elements.quality.service.reading import BadRule, Reader, Snapshot
from mumian.elements.quality.settings import QualitySettings
from mumian.elements.quality.store import profiles
from mumian.kernel.clock import parse_iso
from mumian.kernel.errors import NotFound
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import SYSTEM, Actor, Row, Session, Transaction

_TEXTUAL = ("text",)
_MOST_KEYS = 200
_LEAST_VALUES = 20


class Profiling:
    """Profiles datasets when asked, and suggests rules from the last profile."""

    def __init__(self, platform: Platform, reader: Reader, asking: Asking, settings: QualitySettings) -> None:
        self._platform = platform
        self._reader = reader
        self._asking = asking
        self._settings = settings

    async def profile(self, dataset: str, actor: Actor = SYSTEM) -> Row:
        """Look at a dataset now, and keep what was found; raises NotFound, NothingToProfile, CannotRead."""
        spec = self._platform.declarations.get("Dataset", dataset).spec
        info, labelled = await self._platform.records.read(lambda session: self._known(session, dataset))
        loads = [load for load in await self._platform.get(Tables).loads(dataset, None, 30) if load.state == "done"]
        if info is None or not info.rows:
            raise NothingToProfile(name=dataset)
        frame, others = self._asking.frame(info), await self._keys(dataset)
        found = await self._reader.work(lambda s: self._look(s, frame, info.rows, labelled, others, tuple(spec.key)))
        found["totals"] = [load.total or 0 for load in loads]
        ends = [parse_iso(load.ended_at) for load in loads if load.ended_at is not None]
        found["intervals"] = [(a - b).total_seconds() for a, b in pairwise(ends)]
        await self._platform.records.write(lambda tx: profiles.put(tx, dataset, loads[0].number, info.rows, found), actor)
        row = await self._platform.records.read(lambda session: profiles.profile(session, dataset))
        assert row is not None
        return row

    async def suggestions(self, dataset: str) -> list[Suggestion]:
        """Rules that the last profile speaks for, but those declared already or declined; raises NotFound."""
        rules = self._asking.rules(dataset)

        def read(session: Session) -> tuple[Row | None, dict[str, Row]]:
            return profiles.profile(session, dataset), profiles.declined(session, dataset)

        row, declined = await self._platform.records.read(read)
        if row is None:
            return []
        known = [_gist(rule.check.model_dump(mode="json")) for rule in rules]
        wanted = suggestions(_facts(row["profile"]))
        return [one for one in wanted if one.id not in declined and _gist(one.rule) not in known]

    async def accepted(self, dataset: str, ids: list[str]) -> str:
        """The declaration, as YAML, with the suggestions accepted beside the rules there are; raises NotFound."""
        offered = {one.id: one for one in await self.suggestions(dataset)}
        missing = next((name for name in ids if name not in offered), None)
        if missing is not None:
            raise NotFound(kind="Suggestion", name=missing)
        name, title, spec = self._document(dataset)
        taken = {rule["id"] for rule in spec["rules"]}
        for each in dict.fromkeys(ids):
            rule = dict(offered[each].rule)
            while rule["id"] in taken:
                rule["id"] += "-2"
            taken.add(rule["id"])
            spec["rules"].append(rule)
        body = {"kind": "QualityRule", "name": name, "title": title, "spec": spec}
        return yaml.safe_dump(body, allow_unicode=True, sort_keys=False, width=120)

    def decline(self, tx: Transaction, dataset: str, suggestion: str, reason: str) -> None:
        """Decline a suggestion, so that it does not come again."""
        self._platform.declarations.get("Dataset", dataset)
        profiles.decline(tx, dataset, suggestion, reason)
        tx.emit(SuggestionDeclined(subject=dataset, suggestion=suggestion, reason=reason))

    def _document(self, dataset: str) -> tuple[str, dict[str, str], dict[str, Any]]:
        """The dataset's first document of rules as it stands, or an empty one."""
        for declared in self._platform.declarations.all("QualityRule"):
            if declared.spec.dataset == dataset:
                body = declared.body["spec"]
                return declared.name, dict(declared.title), {**body, "rules": [dict(rule) for rule in body["rules"]]}
        title = self._platform.declarations.get("Dataset", dataset).title
        named = {"zh": f"{title['zh']}：质量规则", "en": f"{title['en']}: quality"}
        return dataset, named, {"dataset": dataset, "rules": []}

    def _known(self, session: Session, dataset: str) -> tuple[TableInfo | None, frozenset[str]]:
        labels = self._platform.get(Labels).in_force(session, dataset)
        secret = {name for name, label in labels.items() if label.personal != "none" or label.grade != "general"}
        return self._platform.get(Tables).describe(session, dataset), frozenset(secret)

    async def _keys(self, dataset: str) -> list[tuple[str, str, Frame]]:
        """Single keys of other datasets that have rows: what fields may refer to."""
        found: list[tuple[str, str, Frame]] = []
        for declared in self._platform.declarations.all("Dataset"):
            if declared.name == dataset or len(declared.spec.key) != 1 or len(found) >= _MOST_KEYS:
                continue
            info = await self._platform.records.read(
                lambda session, name=declared.name: self._platform.get(Tables).describe(session, name)  # type: ignore[misc]
            )
            if info is not None and info.rows:
                found.append((declared.name, declared.spec.key[0], self._asking.frame(info)))
        return found

    def _look(
        self,
        snapshot: Snapshot,
        frame: Frame,
        rows: int,
        labelled: frozenset[str],
        others: list[tuple[str, str, Frame]],
        declared_key: tuple[str, ...],
    ) -> dict[str, Any]:
        from_ = profiling.source(frame, rows, self._settings.sample_rows)
        outline = profiling.read_outline(frame, snapshot.rows(profiling.outline(frame, from_, rows))[0], labelled)
        fields = [self._field(snapshot, frame, one, from_) for one in outline]
        whole = f"lake.main.{frame.table}"
        keys = list(_candidate_keys(snapshot, frame, fields, whole, rows, declared_key))
        return {
            "sampled": fields[0].rows if fields else 0,
            "fields": [asdict(one) for one in fields],
            "keys": keys,
            "references": list(self._references(snapshot, frame, fields, others, from_)),
            "lists": self._lists(fields),
        }

    @staticmethod
    def _field(snapshot: Snapshot, frame: Frame, one: FieldProfile, from_: str) -> FieldProfile:
        """A field with its commonest values, forms and formats, where it has any."""
        if not one.given:
            return one
        found = one
        if not one.labelled and one.type != "json":
            top = tuple((row[0], int(row[1])) for row in snapshot.rows(profiling.top(frame, one.name, from_, profiling.TOP + 1)))
            distinct = len(top) if len(top) <= profiling.TOP else one.distinct
            found = replace(found, top=tuple((v[:200], n) for v, n in top[: profiling.TOP]), distinct=distinct)
        if one.type in _TEXTUAL:
            counts = snapshot.rows(profiling.written(frame, one.name, from_))[0]
            shares = {name: n / one.given for name, n in zip(profiling.FORMATS, counts, strict=True) if n}
            forms = tuple((row[0], int(row[1])) for row in snapshot.rows(profiling.shapes(frame, one.name, from_)))
            found = replace(found, formats=shares, shapes=forms)
        return found

    def _references(
        self,
        snapshot: Snapshot,
        frame: Frame,
        fields: list[FieldProfile],
        others: list[tuple[str, str, Frame]],
        from_: str,
    ) -> Iterator[tuple[str, str, str, float]]:
        """Fields (with enough different values to prove anything) whose values are nearly all keys of another dataset."""
        for one in fields:
            if one.type not in ("text", "integer") or one.distinct < _LEAST_VALUES:
                continue
            for dataset, key, other in others:
                if other.types[other.field(key)] != one.type:
                    continue
                distinct, there = snapshot.rows(profiling.contained(frame, one.name, other, key, from_))[0]
                if distinct >= _LEAST_VALUES and there >= NEARLY * distinct:
                    yield one.name, dataset, key, there / distinct

    def _lists(self, fields: list[FieldProfile]) -> dict[str, tuple[str, float]]:
        """For fields of few values: the code list that holds nearly all of them, the shortest that does."""
        lists = [(d.name, {code.code for code in d.spec.codes}) for d in self._platform.declarations.all("CodeList")]
        found = {}
        for one in fields:
            seen = sum(count for _, count in one.top)
            if len(one.top) < 2 or seen < NEARLY * one.given or one.type not in ("text", "integer"):
                continue
            fitting = []
            for name, codes in lists:
                share = sum(count for value, count in one.top if value in codes) / one.given
                if share >= NEARLY:
                    fitting.append((len(codes), name, share))
            if fitting:
                _, name, share = min(fitting)
                found[one.name] = (name, share)
        return found


def _candidate_keys(
    snapshot: Snapshot, frame: Frame, fields: list[FieldProfile], whole: str, rows: int, declared: tuple[str, ...]
) -> Iterator[tuple[str, ...]]:
    """Single fields, else pairs, whose values differ in every row: guessed from the profile, proven on all rows."""
    full = [one for one in fields if not one.missing and one.type in ("text", "integer", "date", "time")]
    singles = [one.name for one in full if one.distinct >= 0.9 * one.rows]
    proven = [name for name in singles[:5] if _unique(snapshot, frame, (name,), whole, rows)]
    yield from ((name,) for name in proven if (name,) != declared)
    if proven or declared:
        return
    likely = sorted(full, key=lambda one: -one.distinct)[:4]
    for a, b in combinations(likely, 2):
        if a.distinct * b.distinct >= rows and _unique(snapshot, frame, (a.name, b.name), whole, rows):
            yield (a.name, b.name)
            return


def _unique(snapshot: Snapshot, frame: Frame, names: tuple[str, ...], whole: str, rows: int) -> bool:
    try:
        distinct, there = snapshot.rows(profiling.exact(frame, names, whole))[0]
    except BadRule:  # too large to prove: then it is not suggested
        return False
    return bool(distinct == there == rows)


def _facts(profile: dict[str, Any]) -> Facts:
    fields = [
        FieldProfile(
            **{
                **one,
                "top": tuple((value, count) for value, count in one["top"]),
                "shapes": tuple((form, count) for form, count in one["shapes"]),
            }
        )
        for one in profile["fields"]
    ]
    return Facts(
        fields=fields,
        keys=[tuple(key) for key in profile["keys"]],
        references=[tuple(each) for each in profile["references"]],
        lists={name: (each[0], each[1]) for name, each in profile["lists"].items()},
        totals=profile["totals"],
        intervals=profile["intervals"],
    )


def _gist(rule: dict[str, Any]) -> tuple[str, ...]:
    """What a rule is about: of one kind, one for the same fields is enough."""
    names = rule.get("fields") or [rule.get("field") or ""]
    return (str(rule["check"]), *sorted(str(name).casefold() for name in names))
