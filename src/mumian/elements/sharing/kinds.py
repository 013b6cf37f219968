"""Kinds of sharing: SharingRule 共享规则, WorkCalendar 工作日历, PushTarget 推送目标, ReturnFlow 属地回流."""

from collections.abc import Iterable

from mumian.elements.sharing.models import PushTargetSpec, ReturnFlowSpec, SharingRuleSpec, WorkCalendarSpec
from mumian.kernel.declarations.documents import Document
from mumian.kernel.declarations.kinds import Catalogue, Kind
from mumian.kernel.errors import Fault

__all__ = ["KINDS", "PushTargetSpec", "ReturnFlowSpec", "SharingRuleSpec", "WorkCalendarSpec"]


def _rule(document: Document, spec: SharingRuleSpec, catalogue: Catalogue) -> Iterable[Fault]:
    """Organisations and datasets exist, and purposes and tokens name fields that the datasets have."""
    for place, name in (("owner", spec.owner), ("bureau", spec.bureau)):
        if name is not None and not catalogue.has("Organisation", name):
            yield document.fault(f"spec.{place}", "field.reference", kind="Organisation", name=name)
    for i, name in enumerate(spec.datasets):
        dataset = catalogue.get("Dataset", name)
        if dataset is None:
            yield document.fault(f"spec.datasets[{i}]", "field.reference", kind="Dataset", name=name)
            continue
        known = {field.name for field in dataset.spec.fields}
        wanted = [("tokens", each) for each in spec.tokens]
        wanted += [(f"purposes.{purpose}", each) for purpose, fields in spec.purposes.items() for each in fields]
        for place, each in wanted:
            if each not in known:
                yield document.fault(f"spec.{place}", "sharing.no_such_field", name=each, dataset=name)


def _target(document: Document, spec: PushTargetSpec, catalogue: Catalogue) -> Iterable[Fault]:
    if not catalogue.has("Organisation", spec.holder):
        yield document.fault("spec.holder", "field.reference", kind="Organisation", name=spec.holder)


def _flow(document: Document, spec: ReturnFlowSpec, catalogue: Catalogue) -> Iterable[Fault]:
    """The dataset and its fields exist, and what gets a district's rows belongs to that district."""
    dataset = catalogue.get("Dataset", spec.dataset)
    if dataset is None:
        yield document.fault("spec.dataset", "field.reference", kind="Dataset", name=spec.dataset)
        return
    known = {field.name for field in dataset.spec.fields}
    for place, names in (("field", [spec.field]), ("fields", spec.fields), ("plain", spec.plain), ("tokens", spec.tokens)):
        for name in names:
            if name not in known:
                yield document.fault(f"spec.{place}", "sharing.no_such_field", name=name, dataset=spec.dataset)
    for i, target in enumerate(spec.targets):
        kind = "Dataset" if target.dataset is not None else "PushTarget"
        name = target.dataset or target.target or ""
        found = catalogue.get(kind, name)
        if found is None or target.dataset == spec.dataset:
            yield document.fault(f"spec.targets[{i}]", "field.reference", kind=kind, name=name)
            continue
        owner = catalogue.get("Organisation", found.spec.owner if kind == "Dataset" else found.spec.holder)
        if owner is not None and owner.spec.district != target.district:
            yield document.fault(f"spec.targets[{i}]", "sharing.other_district", name=name, district=target.district)


KINDS = [
    Kind(
        "SharingRule", SharingRuleSpec, "How datasets are shared: deadlines, review, quotas, purposes and what is refused.", _rule
    ),
    Kind("WorkCalendar", WorkCalendarSpec, "Which days are working days, for deadlines that are counted in them."),
    Kind("PushTarget", PushTargetSpec, "A PostgreSQL database of an organisation that grants may be delivered to.", _target),
    Kind("ReturnFlow", ReturnFlowSpec, "Rows of a city's dataset that go back to the districts they are about.", _flow),
]
