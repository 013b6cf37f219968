"""Errors of sensing."""

from mumian.kernel.errors import Conflict, Fault, Invalid, Unavailable


class BadRows(Invalid):
    """Rows of a batch that cannot be recorded; `rows[i]` is the row of `faults[i]`, whose field names the column."""

    def __init__(self, rows: list[int], faults: list[Fault], total: int) -> None:
        self.rows = rows
        self.total = total
        super().__init__(*faults)


class KeyReused(Invalid):
    """The Idempotency-Key came with a different batch before."""

    key = "error.idempotency"


class JournalDamaged(Unavailable):
    """Bytes of the journal that were acknowledged cannot be read any more; values: `file`, `offset`."""

    key = "sensing.journal.damaged"


class Behind(Unavailable):
    """More observations wait for the lake than may; values: `rows`."""

    key = "sensing.behind"


class NotStarted(Conflict):
    """Sensing was asked to record before the platform was started."""

    key = "sensing.not_started"
