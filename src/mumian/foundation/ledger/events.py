"""Events of the ledger: what became of stores that lie outside the records."""

from dataclasses import dataclass
from typing import Any, ClassVar

from mumian.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class LakeSealed(Event):
    """The lake changed and is now as told; the subject says who changed it.

    `added` files have `table`, `name`, `bytes` and `sha256`; `removed` are names. `catalogue` is the SHA-256 of the catalogue's
    content.
    """

    type: ClassVar[str] = "ledger.lake.sealed"
    added: list[dict[str, Any]]
    removed: list[str]
    catalogue: str
