"""Events of addresses: every change of the library is a batch of rows with a digest over what was recorded and closed."""

from dataclasses import dataclass
from typing import Any, ClassVar

from mumian.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class AddressesRecorded(Event):
    """The batch named by the subject recorded `rows` versions of addresses and closed `closed` older ones.

    `action` is import, add, change, retire or rename. `digest` and `closed_digest` are SHA-256 over the rows, see
    `store.batch_digest`; `detail` says what was asked: the file, the code, or the names of a renamed road.
    """

    type: ClassVar[str] = "foundation.addresses.recorded"
    action: str
    rows: int
    digest: str
    closed: int
    closed_digest: str
    detail: dict[str, Any]
