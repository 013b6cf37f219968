"""What the gate knows of datasets: their tables, their labels in force, and what a caller may do with them."""

import re
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from mumian.elements.catalog.api import TableInfo, Tables
from mumian.elements.protection import store
from mumian.elements.protection.contracts import DatasetGrant, Label, Mask, RowRequest
from mumian.elements.protection.errors import NotGranted
from mumian.elements.protection.rules import masking, policy
from mumian.elements.protection.rules.parsing import bad
from mumian.elements.protection.rules.policy import FieldFacts, MaskFor, Rights, Shown
from mumian.elements.protection.rules.rewriting import TablePolicy
from mumian.elements.protection.service.hot import Hot
from mumian.kernel.errors import Invalid
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Session

_FRESH = 1.0  # another process on the same records may decide on a label
_PURPOSE = re.compile(r"[a-z][a-z-]{0,79}")
SYSTEM_FIELDS = (FieldFacts("_id", "integer"), FieldFacts("_load", "integer"))


class Known:
    """Labels are remembered until one changes; in another process that is seen within a second."""

    def __init__(self, platform: Platform, hot: Hot) -> None:
        self._platform = platform
        self.hot = hot
        self._lock = threading.Lock()
        self._labels: dict[str, dict[str, tuple[str, Label]]] = {}
        self._stamp = -1
        self._looked = -_FRESH
        self._withheld: tuple[int, frozenset[str]] = (0, frozenset())
        self.withholders: list[Callable[[Session], Iterable[str]]] = []

    def forget(self) -> None:
        """Look again at the next question: a label changed here."""
        self._looked = -_FRESH

    @property
    def revision(self) -> tuple[int, int, int, int]:
        """What plans depend on; it changes with the declarations, every label, every hot copy and all that is withheld."""
        return self._platform.declarations.revision, self._stamp, self.hot.revision, self._withheld[0]

    @property
    def stale(self) -> bool:
        """Whether it is time to `refresh`."""
        return time.monotonic() - self._looked >= _FRESH

    def refresh(self) -> None:
        """Look whether labels or hot datasets changed; never on the event loop."""
        with self._lock:
            stamp = self._platform.records.read_now(store.stamp)
            if stamp != self._stamp:
                self._labels.clear()
                self._stamp = stamp
            held = self._platform.records.read_now(lambda s: frozenset(name for ask in self.withholders for name in ask(s)))
            if held != self._withheld[1]:
                self._withheld = (self._withheld[0] + 1, held)
            for dataset, copy in self.hot.datasets().items():
                info = self._platform.records.read_now(lambda s, d=dataset: self._platform.get(Tables).describe(s, d))  # type: ignore[misc]
                if info is None or (info.rows, info.loaded_at) != (copy.rows, copy.loaded_at):
                    self.hot.drop(dataset)
            self._looked = time.monotonic()

    def fields(self, info: TableInfo) -> list[FieldFacts]:
        """The fields of a dataset with their labels in force: declared, and proposed or confirmed (the stricter counts)."""
        found = self._labels.get(info.dataset)
        if found is None:
            found = self._platform.records.read_now(lambda session: store.in_force(session, info.dataset))
            self._labels[info.dataset] = found
        return [FieldFacts(f.name, f.type, _label(f, found.get(f.name.casefold()))) for f in info.fields]

    def table(self, dataset: str) -> TableInfo:
        """The table of a dataset; raises NotFound, and BadQuery while it has no rows."""
        info = self._platform.records.read_now(lambda session: self._platform.get(Tables).describe(session, dataset))
        if info is None:
            raise bad("protection.sql.empty", name=dataset)
        return info

    def policy(self, dataset: str, request: RowRequest) -> TablePolicy:
        """How a dataset is shown to this request; raises NotFound, NotGranted, BadQuery, and Invalid for a bad `match`."""
        info = self.table(dataset)
        rights = self.rights(dataset, request)
        if not rights.any:
            raise NotGranted(action="row:read", dataset=dataset)
        fields = policy.shown(self.fields(info), rights, self._masks(request.caller.actor.roles))
        system = [Shown(field, "plain") for field in SYSTEM_FIELDS]
        rows = rights.terms.rows if rights.terms is not None else None
        match = _matched(info, fields, rights, request)
        hot = self.hot.table(info, match[0][0]) if match else None
        return TablePolicy(dataset, hot or info.name, (*fields, *system), rows, match)

    def asked(self, datasets: Sequence[str], fields: Sequence[str]) -> None:
        """Rows of datasets were asked for by the value of fields: perhaps a copy in memory pays."""
        for info in map(self.table, datasets):
            names = {field.name.casefold(): field.name for field in info.fields}
            first = next((names[name.casefold()] for name in fields if name.casefold() in names), None)
            if first is not None:
                self.hot.asked(info, first)

    def rights(self, dataset: str, request: RowRequest) -> Rights:
        """What the caller may do with a dataset: by its declaration, by Cedar policies, and by the grant."""
        caller, spec = request.caller, self._platform.declarations.get("Dataset", dataset).spec
        named = _PURPOSE.fullmatch(request.purpose) is not None
        shared = spec.share == "unconditional" and not caller.anonymous and caller.organisation is not None
        return Rights(
            own=caller.allowed("row:read", spec.owner),
            free=shared or (spec.opened == "unconditional" and dataset not in self._withheld[1]),
            terms=_terms(request, dataset),
            personal=named and caller.allowed(f"unmask:{request.purpose}", spec.owner),
            sensitive=named and caller.allowed(f"unmask-sensitive:{request.purpose}", spec.owner),
        )

    def _masks(self, roles: Sequence[str]) -> MaskFor:
        rules = [declared.spec for declared in self._platform.declarations.all("MaskRule")]
        mine = [rule for rule in rules if not rule.roles or set(rule.roles) & set(roles)]

        def mask_for(type_: str, label: Label) -> Mask:
            fitting = [
                rule for rule in mine if rule.category in (None, label.category) and rule.personal in (None, label.personal)
            ]
            if not fitting:
                return masking.default_mask(type_, label.category)
            best = max(fitting, key=lambda rule: (bool(rule.roles), rule.category is not None, rule.personal is not None))
            return Mask(best.method, best.first, best.last, best.value)

        return mask_for


def _label(field: Any, found: tuple[str, Label] | None) -> Label:
    declared = Label(field.grade, field.personal)
    if found is None:
        return declared
    return declared if found[0] == "rejected" else policy.stricter(declared, found[1])


def _terms(request: RowRequest, dataset: str) -> DatasetGrant | None:
    grant = request.grant
    return None if grant is None else next((terms for terms in grant.datasets if terms.dataset == dataset), None)


def _matched(info: TableInfo, fields: list[Shown], rights: Rights, request: RowRequest) -> tuple[tuple[str, str], ...]:
    allowed = policy.findable(fields, rights, info.key)
    have = {field.name.casefold(): field.name for field in info.fields}
    found = []
    for index, name in enumerate(request.match):
        if name.casefold() not in have:
            continue
        if name.casefold() not in allowed:
            raise Invalid.field(f"match.{name}", "protection.match", name=name)
        found.append((have[name.casefold()], f"mumian_m{index}"))
    return tuple(found)
