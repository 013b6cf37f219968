"""Events of exchange jobs."""

from dataclasses import dataclass, field
from typing import ClassVar

from mumian.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class ExchangeMoved(Event):
    """A step of the exchange job `subject`: from state `source` to `target`.

    `job` is the SHA-256 of the job as it was declared, `record` that of the whole record after this step. When it is done,
    `manifest` is the SHA-256 of the signed manifest and `digest` what the manifest says of all parts.
    """

    type: ClassVar[str] = "elements.sharing.exchange"
    version: int
    source: str
    target: str
    dataset: str
    grant: str
    holder: str
    organisation: str
    job: str
    record: str
    reason: str = ""
    read: int = 0
    written: int = 0
    rejected: int = 0
    rules: dict[str, int] = field(default_factory=dict)
    manifest: str = ""
    digest: str = ""
