"""What can go wrong with the ledger."""

from mumian.kernel.errors import NotFound, Unavailable


class LedgerDamaged(Unavailable):
    """What is stored does not lead to the last signed head, so no new head is signed; values: `size`."""

    key = "ledger.damaged"


class NotCovered(NotFound):
    """No signed head covers the entry or size yet; values: `size`."""

    key = "ledger.not_covered"
