"""Evidence that declarations in force are those that were applied: their digests are held against the ledgered events."""

import json
from collections.abc import Iterator
from hashlib import sha256

from mumian.foundation.ledger.api import Fault
from mumian.kernel.unit_of_work import Session


def declaration_faults(session: Session) -> Iterator[Fault]:
    """Every declaration that differs from what its last `declarations.applied` event says, or that no event speaks of."""
    digests: dict[tuple[str, str], str] = {}
    for row in session.rows("SELECT payload FROM kernel_outbox WHERE type = 'declarations.applied' ORDER BY id"):
        for change in json.loads(row["payload"])["changes"]:
            digests[change["kind"], change["name"]] = change["digest"]
    for row in session.rows("SELECT kind, name, document FROM declaration_current ORDER BY kind, name"):
        expected = digests.pop((row["kind"], row["name"]), "no declaration")
        found = sha256(row["document"].encode()).hexdigest()
        if found != expected:
            yield Fault("declaration_current", f"{row['kind']} {row['name']}", "document", expected, found)
    for (kind, name), digest in digests.items():
        if digest:
            yield Fault("declaration_current", f"{kind} {name}", "document", digest, "nothing")
