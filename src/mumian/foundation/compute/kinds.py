"""Kinds of compute: ComputePool 算力池 and JobType 作业类型."""

from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from mumian.foundation.compute import store
from mumian.foundation.compute.events import ScriptKept
from mumian.foundation.compute.models import JobTypeSpec, PoolSpec
from mumian.kernel.declarations.documents import Document
from mumian.kernel.declarations.kinds import Catalogue, Change, Kind
from mumian.kernel.errors import Fault, Invalid
from mumian.kernel.unit_of_work import Transaction

__all__ = ["KINDS", "JobTypeSpec", "PoolSpec"]

_MOST_BYTES = 1024 * 1024


def check_pool(document: Document, spec: PoolSpec, catalogue: Catalogue) -> Iterable[Fault]:
    """The owner exists."""
    if not catalogue.has("Organisation", spec.owner):
        yield document.fault("spec.owner", "field.reference", kind="Organisation", name=spec.owner)


def apply_type(tx: Transaction, change: Change) -> None:
    """Keep the script as it is beside the declaration now: what runs later is what was applied, whatever becomes of the file."""
    spec: JobTypeSpec | None = None if change.new is None else change.new.spec
    if spec is None or spec.script is None:
        if store.drop_script(tx.session, change.name):
            tx.emit(ScriptKept(subject=change.name, file="", sha256=""))
        return
    if change.folder is None:
        kept = store.script(tx.session, change.name)
        if kept is None or kept["file"] != spec.script:
            raise Invalid.field("spec.script", "compute.no_folder", file=spec.script)
        return
    text = _text(change.folder, spec.script)
    if spec.sha256 not in (None, sha256(text.encode()).hexdigest()):
        raise Invalid.field("spec.sha256", "compute.digest", file=spec.script, digest=sha256(text.encode()).hexdigest())
    before = store.script(tx.session, change.name)
    digest = store.keep_script(tx.session, change.name, spec.script, text)
    if before is None or (before["file"], before["sha256"]) != (spec.script, digest):
        tx.emit(ScriptKept(subject=change.name, file=spec.script, sha256=digest))


def _text(folder: Path, name: str) -> str:
    root, file = folder.resolve(), (folder / name).resolve()
    if not file.is_relative_to(root) or not file.is_file():
        raise Invalid.field("spec.script", "compute.no_script", file=name)
    if file.stat().st_size > _MOST_BYTES:
        raise Invalid.field("spec.script", "field.length", expected=f"≤ {_MOST_BYTES} bytes")
    try:
        return file.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise Invalid.field("spec.script", "field.syntax", reason=f"byte {error.start} is not UTF-8") from error


KINDS = [
    Kind("ComputePool", PoolSpec, "Processors that jobs may use: capacity, price, labels of data.", check=check_pool),
    Kind("JobType", JobTypeSpec, "A programme that may run as a job.", on_apply=apply_type),
]
