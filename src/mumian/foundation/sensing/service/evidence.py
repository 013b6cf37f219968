"""Evidence that the lake holds just the observations that were recorded: every fold's digest is computed again."""

import json
from collections.abc import Iterator

from mumian.foundation.ledger.api import Fault
from mumian.foundation.sensing import rules
from mumian.foundation.sensing.service.finder import Finder
from mumian.kernel.unit_of_work import Session

_EVENTS = "SELECT payload FROM kernel_outbox WHERE type = 'sensing.observations.recorded' ORDER BY id"


def faults(session: Session, finder: Finder) -> Iterator[Fault]:
    """Every recorded batch whose rows are not as its event says, or cannot be read any more."""
    for row in session.rows(_EVENTS):
        told = json.loads(row["payload"])
        place = f"{told['first_id']}–{told['last_id']}"
        try:
            kept = finder.numbered(told["first_id"], told["last_id"])
            found = rules.digest(kept)
        except Exception as error:
            yield Fault("lake observations", place, "rows", "readable", f"{type(error).__name__}: {str(error)[:200]}")
            continue
        if len(kept) != told["count"]:
            yield Fault("lake observations", place, "count", str(told["count"]), str(len(kept)))
        elif found != told["digest"]:
            yield Fault("lake observations", place, "digest", told["digest"], found)
