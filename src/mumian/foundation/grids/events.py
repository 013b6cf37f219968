"""Events of grids: every change is a batch of versions with a digest over what was recorded and what ended."""

from dataclasses import dataclass
from typing import Any, ClassVar

from mumian.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class GridsRecorded(Event):
    """The batch named by the subject changed a register: grid, building, component or visit.

    `action` is import, add, change, split, merge, recode, end, open or close. `digest` and `ended_digest` are SHA-256 over the
    versions recorded and ended (see `store.Register.digest`), `codes` the first hundred codes concerned.
    """

    type: ClassVar[str] = "foundation.grids.recorded"
    register: str
    action: str
    rows: int
    digest: str
    ended: int
    ended_digest: str
    codes: list[str]
    detail: dict[str, Any]
