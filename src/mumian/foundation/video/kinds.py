"""Kinds of video: analytic tasks 视频分析任务 and models 视觉模型."""

import base64
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from mumian.foundation.video import store
from mumian.foundation.video.errors import BadFile
from mumian.foundation.video.models import AnalyticTaskSpec, VisionModelSpec
from mumian.foundation.video.rules.areas import line_fault, polygon_fault
from mumian.kernel.declarations.documents import Document
from mumian.kernel.declarations.kinds import Catalogue, Change, Kind
from mumian.kernel.errors import Fault
from mumian.kernel.unit_of_work import Transaction

__all__ = ["KINDS", "AnalyticTaskSpec", "VisionModelSpec"]
MOST_BYTES = 16 * 1024 * 1024


def check_task(document: Document, spec: AnalyticTaskSpec, catalogue: Catalogue) -> Iterable[Fault]:
    """Zones and lines that cannot be, names that stand twice, and references to what is not declared."""
    seen: set[str] = set()
    zones = [(f"spec.zones[{i}]", "polygon", zone.name, polygon_fault(zone.polygon)) for i, zone in enumerate(spec.zones)]
    lines = [(f"spec.lines[{i}]", "points", line.name, line_fault(line.points)) for i, line in enumerate(spec.lines)]
    for path, field, name, key in [*zones, *lines]:
        if key is not None:
            yield document.fault(f"{path}.{field}", key, name=name)
        if name in seen:
            yield document.fault(f"{path}.name", "field.duplicate", name=name)
        seen.add(name)
    yield from _references(document, spec, catalogue)


def _references(document: Document, spec: AnalyticTaskSpec, catalogue: Catalogue) -> Iterable[Fault]:
    if spec.model is not None:
        model = catalogue.get("VisionModel", spec.model)
        if model is None:
            yield document.fault("spec.model", "field.reference", kind="VisionModel", name=spec.model)
        else:
            for index, label in enumerate(spec.labels):
                if label not in model.spec.labels:
                    yield document.fault(f"spec.labels[{index}]", "field.choice", expected=", ".join(model.spec.labels[:50]))
    if spec.candidate is not None and not catalogue.has("IncidentType", spec.candidate.incident_type):
        name = spec.candidate.incident_type
        yield document.fault("spec.candidate.incident_type", "field.reference", kind="IncidentType", name=name)


def check_model(document: Document, spec: VisionModelSpec, catalogue: Catalogue) -> Iterable[Fault]:
    """The file is there and is the one that the digest names; declared elsewhere, it must be registered already."""
    if document.folder is None:
        return
    content = _content(document.folder, spec)
    if content is None:
        yield document.fault("spec.source", "video.model.absent", name=spec.source)
    elif len(content) > MOST_BYTES:
        yield document.fault("spec.source", "field.length", expected=f"≤ {MOST_BYTES} bytes")
    elif (found := sha256(content).hexdigest()) != spec.sha256:
        yield document.fault("spec.sha256", "video.model.digest", found=found)


def _content(folder: Path, spec: VisionModelSpec) -> bytes | None:
    file = (folder / spec.source).resolve()
    inside = file.is_relative_to(folder.resolve()) and file.is_file()
    return file.read_bytes() if inside and file.stat().st_size <= MOST_BYTES else b"\0" * (MOST_BYTES + 1) if inside else None


def apply_model(tx: Transaction, change: Change) -> None:
    """Keep the file in the records, so that it goes where the declarations go."""
    if change.new is None:
        return
    spec: VisionModelSpec = change.new.spec
    content = None if change.folder is None else _content(change.folder, spec)
    if content is not None:
        store.keep_model(tx.session, change.name, spec.sha256, base64.b64encode(content).decode())
    elif store.model_digest(tx.session, change.name) != spec.sha256:
        raise BadFile(Fault("spec.source", "video.model.absent", {"name": spec.source}))


KINDS = [
    Kind("VisionModel", VisionModelSpec, "A classifier of pictures (ONNX) with digest and licence.", check_model, apply_model),
    Kind("AnalyticTask", AnalyticTaskSpec, "What cameras are watched for, and what becomes of a detection.", check_task),
]
