"""Filling: drafts with what is known, submissions that are checked, versioned and brought into their dataset."""

import json
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from mumian.elements.catalog.api import Catalog, Tables
from mumian.elements.catalog.contracts import TableInfo
from mumian.elements.catalog.kinds import CodeListSpec, DatasetSpec, ElementSpec, FieldSpec
from mumian.elements.collection.events import Submitted
from mumian.elements.collection.forms import rules, store
from mumian.elements.collection.forms.models import FormField, FormSpec
from mumian.elements.protection.api import DatasetGrant, Gate, Grant, Limits, RowRequest
from mumian.foundation.identity.api import Caller
from mumian.foundation.storage.contracts import LakeTransaction
from mumian.kernel.background import Loop
from mumian.kernel.declarations.kinds import Declared
from mumian.kernel.errors import Fault, Invalid, NotFound, Stale
from mumian.kernel.ids import new_id
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Row, Transaction, encode

_BATCH = 2000
_SQL = {"integer": "BIGINT", "number": "DOUBLE", "boolean": "BOOLEAN", "date": "DATE", "time": "TIMESTAMPTZ"}


@dataclass(frozen=True)
class Place:
    """A field of a form as it stands before it is filled in.

    `origin` is the dataset that knows the value (`submission`: the last one of this form), None where nobody does. With
    `read_only` that dataset is its one authoritative source: the form does not ask.
    """

    spec: FieldSpec
    form: FormField
    value: Any
    origin: str | None
    read_only: bool
    required: bool


@dataclass(frozen=True)
class Draft:
    """A form about one subject: its fields, and the version of the submission that it follows (0 for none)."""

    form: Declared[FormSpec]
    subject: str
    version: int
    places: tuple[Place, ...]


class Forms:
    """`platform.get(Forms)`: drafts and submissions."""

    name = "elements.collection.forms"

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._loop = Loop(self.name, platform.clock, self.settle, 1.0)

    async def start(self) -> None:
        """Begin to bring submissions into their datasets."""
        self._loop.start()

    async def stop(self) -> None:
        """Finish the load under way."""
        await self._loop.stop()

    async def draft(self, name: str, subject: str, caller: Caller, known: bool) -> Draft:
        """The form as far as it can be filled already; without `known` only from its own last submission.

        Raises NotFound, Invalid.
        """
        form: Declared[FormSpec] = self._platform.declarations.get("Form", name)
        dataset: DatasetSpec = self._platform.declarations.get("Dataset", form.spec.dataset).spec
        fields = {each.name: each for each in dataset.fields}
        wrong = self._wrong(fields[form.spec.subject], subject, None)
        if wrong is not None:
            raise Invalid(Fault("subject", *wrong))
        row = await self._platform.records.read(lambda session: store.last(session, name, subject))
        told = await self._known(form, fields, subject, caller) if known else {}
        before = store.values(row) if row is not None else {}
        places = [await self._place(each, fields[each.field], form.spec, told, before) for each in form.spec.fields]
        return Draft(form, subject, int(row["version"]) if row is not None else 0, tuple(places))

    async def _place(
        self, given: FormField, spec: FieldSpec, form: FormSpec, told: dict[str, dict[str, Any]], before: dict[str, Any]
    ) -> Place:
        required = spec.required if given.required is None else given.required
        known = {dataset: values[spec.name] for dataset, values in told.items() if spec.name in values}
        source = None if spec.element is None else await self._platform.get(Catalog).source_of(spec.element)
        elsewhere = source is not None and source[0] != form.dataset
        if elsewhere and source is not None and known.get(source[0]) is not None:
            return Place(spec, given, known[source[0]], source[0], True, required)
        if before.get(spec.name) is not None:
            return Place(spec, given, before[spec.name], "submission", False, required)
        order = [form.dataset, *(form.prefill.datasets if form.prefill else ())]
        origin = rules.preferred(known, order)
        return Place(spec, given, known[origin] if origin else None, origin, False, required)

    async def _known(
        self, form: Declared[FormSpec], fields: dict[str, FieldSpec], subject: str, caller: Caller
    ) -> dict[str, dict[str, Any]]:
        """What each dataset says of the subject, by field of the form: fields are the same where their element is the same."""
        prefill, key = form.spec.prefill, fields[form.spec.subject]
        if prefill is None or key.element is None:
            return {}
        wanted = {fields[each.field].element: each.field for each in form.spec.fields if fields[each.field].element}
        found = {}
        for name in dict.fromkeys(prefill.datasets):
            spec: DatasetSpec = self._platform.declarations.get("Dataset", name).spec
            keys = [f.name for f in spec.fields if f.element == key.element]
            same = {f.name: wanted[f.element] for f in spec.fields if f.element in wanted}
            info = await self._platform.records.read(lambda s, n=name: self._platform.get(Tables).describe(s, n))  # type: ignore[misc]
            if keys and same and info is not None and info.rows:
                values = await self._ask(form, name, keys[0], subject, list(same), caller)
                found[name] = {same[field]: value for field, value in values.items() if value is not None}
        return found

    async def _ask(
        self, form: Declared[FormSpec], dataset: str, key: str, subject: str, names: list[str], caller: Caller
    ) -> dict[str, Any]:
        """The one row of a dataset about the subject; of several none is taken, since nobody can tell which holds."""
        assert form.spec.prefill is not None
        terms = DatasetGrant(dataset, fields=(key, *names), lookup=(key,), plain=tuple(names))
        grant = Grant(f"form:{form.name}", (terms,), (form.spec.prefill.purpose,))
        columns = ", ".join(f'"{name}"' for name in names)
        sql = f'SELECT {columns} FROM "{dataset}"'
        request = RowRequest(caller, form.spec.prefill.purpose, sql, {}, grant, Limits(rows=2), {key: subject})
        answer = await self._platform.get(Gate).query(request)
        if len(answer.rows) != 1:
            return {}
        return dict(zip(names, answer.rows[0], strict=True))

    async def submit(self, name: str, subject: str, values: dict[str, Any], version: int, caller: Caller, known: bool) -> Row:
        """Check and keep a submission; `version` is that of the draft. Raises NotFound, Stale, and Invalid naming every fault."""
        draft = await self.draft(name, subject, caller, known)
        if draft.version != version:
            raise Stale(expected=version, found=draft.version)
        kept, origins = self._checked(draft, values)
        spec = draft.form.spec
        keys = self._platform.get(Gate).keys
        digest = keys.token("evidence", encode([name, subject, version + 1, kept]).decode())
        row: dict[str, Any] = {
            "id": new_id(),
            "form": name,
            "dataset": spec.dataset,
            "subject": subject,
            "version": version + 1,
            "row_values": json.dumps(kept, ensure_ascii=False),
            "origins": json.dumps(origins, ensure_ascii=False),
            "digest": digest,
        }

        def work(tx: Transaction) -> Row:
            now = store.last(tx.session, name, subject)
            if (now["version"] if now else 0) != version:
                raise Stale(expected=version, found=now["version"] if now else 0)
            store.enter(tx, row)
            key = keys.token("evidence", subject)
            tx.emit(Submitted(subject=name, submission=row["id"], key=key, version=version + 1, digest=digest))
            found = store.get(tx.session, name, row["id"])
            assert found is not None
            return found

        found = await self._platform.records.write(work, caller.actor)
        self._loop.wake()
        return found

    def _checked(self, draft: Draft, values: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
        """The values to keep and where each is from; raises Invalid."""
        places = {place.spec.name: place for place in draft.places}
        faults = [Fault(f"values.{key}", "field.unknown", {"expected": ", ".join(places)}) for key in values if key not in places]
        kept: dict[str, Any] = {}
        origins: dict[str, str] = {}
        for name, place in places.items():
            value = values.get(name)
            if place.read_only:
                if value is not None and not rules.same(value, place.value, place.spec.type):
                    faults.append(Fault(f"values.{name}", "collection.form.elsewhere", {"dataset": place.origin}))
                kept[name], origins[name] = place.value, str(place.origin)
                continue
            if value is None or value == "":
                if place.required:
                    faults.append(Fault(f"values.{name}", "field.missing", {}))
                continue
            wrong = self._wrong(place.spec, value, place.form.check)
            if wrong is not None:
                faults.append(Fault(f"values.{name}", *wrong))
            kept[name], origins[name] = value, "filled"
        if faults:
            raise Invalid(*faults)
        return kept, origins

    def _wrong(self, spec: FieldSpec, value: Any, check: str | None) -> rules.Wrong | None:
        declarations, now = self._platform.declarations, self._platform.clock.now()
        element: ElementSpec | None = None if spec.element is None else declarations.get("DataElement", spec.element).spec
        listed = spec.code_list or (element.code_list if element is not None else None)
        codes: CodeListSpec | None = None if listed is None else declarations.get("CodeList", listed).spec
        found = rules.wrong(spec, value, element, codes, check, now.date())
        if found is None and element is not None and element.pattern and not _matches(element.pattern, str(value)):
            return "field.pattern", {"expected": element.pattern}
        return found

    def choices(self, spec: FieldSpec) -> list[tuple[str, dict[str, str]]]:
        """The codes that a field may have, with their titles, at most 1,000; none where it has no code list."""
        listed = spec.code_list
        if listed is None and spec.element is not None:
            listed = self._platform.declarations.get("DataElement", spec.element).spec.code_list
        if listed is None:
            return []
        codes: CodeListSpec = self._platform.declarations.get("CodeList", listed).spec
        return [(each.code, each.title.model_dump()) for each in codes.codes[:1000]]

    async def submission(self, form: str, id_: str) -> Row:
        """One submission with its values; raises NotFound."""
        row = await self._platform.records.read(lambda session: store.get(session, form, id_))
        if row is None:
            raise NotFound(kind="submission", name=id_)
        return row

    async def settle(self) -> bool:
        """Bring submissions that wait into their datasets, those of one form in one load; doing it again changes nothing."""
        waiting = await self._platform.records.read(lambda session: store.waiting(session, _BATCH))
        tables = self._platform.get(Tables)
        for form in dict.fromkeys(row["form"] for row in waiting):
            rows = [row for row in waiting if row["form"] == form]
            spec: FormSpec = self._platform.declarations.get("Form", form).spec
            info = await tables.ensure(spec.dataset)
            source = f"form {form} through {rows[-1]['id']}"
            load = await tables.load(spec.dataset, partial(_fill, rows=rows, info=info, form=spec), "upsert", source)
            ids = [row["id"] for row in rows]
            await self._platform.records.write(partial(store.loaded, ids=ids, load=load.number))
        return bool(waiting)


def _fill(work: LakeTransaction, rows: list[Row], info: TableInfo, form: FormSpec) -> str:
    """Rows of submissions; fields that the form does not have stay as they are in the dataset."""
    subject = form.subject
    given = [{subject: row["subject"], **store.values(row)} for row in rows]
    asked = {subject, *(each.field for each in form.fields)}
    columns: dict[str, Any] = {"number": np.arange(len(given), dtype=np.int64)}
    parts = []
    for i, field in enumerate(info.fields):
        name = '"' + field.name + '"'
        if field.name not in asked:
            parts.append(f"t.{name} AS {name}")
            continue
        columns[f"c{i}"] = np.array([_cell(row.get(field.name)) for row in given], dtype=object)
        value = f"CAST(g.c{i} AS {_SQL.get(field.type, 'VARCHAR')})"
        parts.append(f"{f'timezone({chr(39)}UTC{chr(39)}, {value})' if field.type == 'time' else value} AS {name}")
    work.offer("submitted", columns)
    key = next(i for i, field in enumerate(info.fields) if field.name == subject)
    kind = _SQL.get(info.fields[key].type, "VARCHAR")
    joined = f'LEFT JOIN {info.name} t ON t."{subject}" = CAST(g.c{key} AS {kind})'
    return f"SELECT {', '.join(parts)} FROM submitted g {joined} ORDER BY g.number"


def _cell(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _matches(pattern: str, text: str) -> bool:
    """Whether a whole text matches, in time that grows only with its length (RE2)."""
    import re2  # type: ignore[import-untyped]

    try:
        return re2.fullmatch(pattern, text) is not None
    except re2.error:
        return True
