"""Recording: versions written and ended as one batch, in one commit with its event."""

from collections.abc import Mapping, Sequence
from typing import Any

from mumian.foundation.grids.contracts import Versioned
from mumian.foundation.grids.errors import NotInForce
from mumian.foundation.grids.events import GridsRecorded
from mumian.foundation.grids.store import Register
from mumian.kernel.errors import NotFound
from mumian.kernel.ids import new_id
from mumian.kernel.unit_of_work import Session, Transaction

_CODES = 100


def record(
    tx: Transaction,
    register: Register[Any],
    action: str,
    new: Sequence[Versioned],
    ended: Sequence[tuple[Versioned, str]] = (),
    detail: Mapping[str, Any] | None = None,
) -> str:
    """Write versions and end others (each with its last day or instant); returns the batch's name; raises NotInForce."""
    batch = new_id()
    for version, until in ended:
        if not register.end(tx.session, version, until, batch):
            raise NotInForce(code=version.code, date=until)
    register.insert(tx.session, new, batch)
    rows, digest, count, ended_digest = register.digest(tx.session, batch)
    codes = list(dict.fromkeys([*(v.code for v in new), *(v.code for v, _ in ended)]))[:_CODES]
    tx.emit(
        GridsRecorded(
            subject=batch,
            register=register.name,
            action=action,
            rows=rows,
            digest=digest,
            ended=count,
            ended_digest=ended_digest,
            codes=codes,
            detail=dict(detail or {}),
        )
    )
    return batch


def newest(session: Session, register: Register[Any], code: str) -> Any:
    """The open version of a code; raises NotFound, NotInForce."""
    versions = register.history(session, code)
    if not versions:
        raise NotFound(kind=register.name, name=code)
    if versions[-1].valid_to:
        raise NotInForce(code=code, date=versions[-1].valid_to)
    return versions[-1]
