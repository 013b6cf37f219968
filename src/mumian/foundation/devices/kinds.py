"""Kinds of the device ledger: DeviceKind 设备类型, Device 设备 and CoverageTarget 布设目标."""

from collections.abc import Iterable
from typing import Any

from mumian.foundation.devices.models import CoverageTargetSpec, DeviceKindSpec, DeviceSpec
from mumian.foundation.devices.rules import device as rules
from mumian.foundation.devices.service.declared import apply_device
from mumian.kernel.declarations.documents import Document
from mumian.kernel.declarations.kinds import Catalogue, Kind
from mumian.kernel.errors import Fault

__all__ = ["KINDS", "CoverageTargetSpec", "DeviceKindSpec", "DeviceSpec"]


def check_device(document: Document, spec: DeviceSpec, catalogue: Catalogue) -> Iterable[Fault]:
    """The owner, the kind and the streams exist, and the kind knows the properties and the keys of the streams."""
    code = rules.code_fault(document.name)
    if code is not None:
        yield document.fault("name", code.key, **code.values)
    kind = catalogue.get("DeviceKind", spec.kind)
    if kind is None:
        yield document.fault("spec.kind", "field.reference", kind="DeviceKind", name=spec.kind)
        return
    draft: dict[str, Any] = {**spec.model_dump(), "name": document.title["zh"]}
    owners = {declared.name: None for declared in catalogue.all("Organisation")}
    for fault in rules.faults(draft, kind.spec, owners):
        yield document.fault(f"spec.{fault.field}", fault.key, **fault.values)
    for key, stream in spec.streams.items():
        if key not in kind.spec.streams:
            yield document.fault(f"spec.streams.{key}", "field.unknown", expected=", ".join(kind.spec.streams) or "–")
        if not catalogue.has("Stream", stream):
            yield document.fault(f"spec.streams.{key}", "field.reference", kind="Stream", name=stream)


def check_target(document: Document, spec: CoverageTargetSpec, catalogue: Catalogue) -> Iterable[Fault]:
    """The kind and the layer exist."""
    if spec.kind is not None and not catalogue.has("DeviceKind", spec.kind):
        yield document.fault("spec.kind", "field.reference", kind="DeviceKind", name=spec.kind)
    if spec.layer is not None and not catalogue.has("Layer", spec.layer):
        yield document.fault("spec.layer", "field.reference", kind="Layer", name=spec.layer)


KINDS = [
    Kind("DeviceKind", DeviceKindSpec, "A kind of device: its streams, commands, properties, heartbeat and costs."),
    Kind("Device", DeviceSpec, "A device that is declared in a file.", check=check_device, on_apply=apply_device),
    Kind("CoverageTarget", CoverageTargetSpec, "How dense a kind of device shall stand.", check=check_target),
]
