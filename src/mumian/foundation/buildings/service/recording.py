"""Recording: versions written as one batch, in one commit with its event."""

from collections.abc import Sequence

from mumian.foundation.buildings.contracts import Versioned
from mumian.foundation.buildings.events import BuildingsRecorded
from mumian.foundation.buildings.store import Register, V
from mumian.kernel.ids import new_id
from mumian.kernel.unit_of_work import Transaction

_CODES = 100


def record(
    tx: Transaction, register: Register[V], action: str, versions: Sequence[V], source: str = "", file: str = ""
) -> tuple[str, str]:
    """Write versions and tell of them; returns the batch's name and its digest."""
    batch = new_id()
    register.write(tx.session, versions, batch)
    rows, digest = register.digest(tx.session, batch)
    codes = [version.code for version in _several(versions)]
    tx.emit(
        BuildingsRecorded(
            subject=batch, register=register.name, action=action, rows=rows, digest=digest, codes=codes, source=source, file=file
        )
    )
    return batch, digest


def _several(versions: Sequence[Versioned]) -> Sequence[Versioned]:
    return versions[:_CODES]
