"""Events of buildings: every change is a batch with a digest over what was written."""

from dataclasses import dataclass
from typing import ClassVar

from mumian.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class BuildingsRecorded(Event):
    """The batch named by the subject wrote versions to a register: building, model or premises.

    `action` is add, change, import, link or verify; `digest` is SHA-256 over the versions (see `store.Register.digest`), `codes`
    the first hundred codes concerned, `source` where they came from and `file` the SHA-256 of the file, if there was one.
    """

    type: ClassVar[str] = "foundation.buildings.recorded"
    register: str
    action: str
    rows: int
    digest: str
    codes: list[str]
    source: str = ""
    file: str = ""


@dataclass(frozen=True, kw_only=True)
class NetworkRecorded(Event):
    """A network of pipes was brought in whole, in place of what it was; the subject is its name.

    `digest` is SHA-256 over the network, its nodes and its edges as kept; `file` that of the file.
    """

    type: ClassVar[str] = "foundation.buildings.network_recorded"
    kind: str
    version: int
    nodes: int
    edges: int
    digest: str
    file: str


@dataclass(frozen=True, kw_only=True)
class NetworkRemoved(Event):
    """A network of pipes was taken away; the subject is its name."""

    type: ClassVar[str] = "foundation.buildings.network_removed"
    version: int
