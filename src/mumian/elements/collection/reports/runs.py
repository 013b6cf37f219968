"""Runs as people see them: progress, and what went wrong in their language."""

from typing import Any

from pydantic import BaseModel

from mumian.elements.collection.contracts import Run
from mumian.elements.collection.rules import marks
from mumian.kernel.i18n import text


class RunView(BaseModel):
    """A run: rows read, good and bad so far, `share` of all where the source says how many there are, and how it ended."""

    id: str
    connector: str
    dataset: str
    state: str
    trigger: str
    actor: str
    queued_at: str
    started_at: str | None
    ended_at: str | None
    read: int
    good: int
    bad: int
    mended: int
    bytes: int
    total: int | None
    share: float | None
    batches: int
    watermark: str | None
    load: int | None
    drift: dict[str, Any] | None
    error: str | None
    error_key: str | None
    faults: list[dict[str, Any]]
    guessed: dict[str, Any]


def run_view(run: Run, language: str = "en") -> RunView:
    """A run for people, its error in a language."""
    error = run.error or {}
    faults = [
        {"field": f["field"], "key": f["key"], "message": text(f["key"], language, **f["values"])}
        for f in error.get("faults", [])
    ]
    share = None if not run.total else min(1.0, round(run.read / run.total, 4))
    told = {key: value for key, value in run.__dict__.items() if key != "error"}
    told["watermark"] = marks.shown(run.watermark)
    message = text(error["key"], language, **error["values"]) if error else None
    return RunView(**told, share=share, error=message, error_key=error.get("key"), faults=faults)
