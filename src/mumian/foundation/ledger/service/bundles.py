"""Bundles: one entry with all that is needed to verify it offline, as a JSON file for tools/verify_ledger.py."""

from typing import Any

from mumian.foundation.cryptography.api import Cryptography
from mumian.foundation.ledger import rules, store
from mumian.foundation.ledger.contracts import Head
from mumian.foundation.ledger.errors import NotCovered
from mumian.kernel.errors import NotFound
from mumian.kernel.unit_of_work import Session

FORMAT = "mumian-ledger-bundle/1"


def bundle(session: Session, cryptography: Cryptography, index: int, since: int | None) -> dict[str, Any]:
    """The evidence for an entry: body, payload while the outbox has it, inclusion, head, and consistency with an earlier head.

    The earlier head is the last one of at most `since` entries; without `since`, the last one before the entry.
    """
    rows = store.entry_rows(session, index, 1) if index >= 0 else []
    if not rows:
        raise NotFound(kind="ledger entry", name=str(index))
    head = store.head(session)
    if head is None or head.size <= index:
        raise NotCovered(kind="head", name=str(index), size=0 if head is None else head.size)
    fetch = store.fetch(session)
    made: dict[str, Any] = {
        "format": FORMAT,
        "entry": {"index": index, "body": rows[0]["body"]},
        "path": [step.hex() for step in rules.inclusion(fetch, index, head.size)],
        "head": head_json(head),
        "keys": [
            {"algorithm": k.algorithm, "key_id": k.key_id, "value": k.value, "pem": k.pem} for k in cryptography.public_keys()
        ],
    }
    events = store.outbox_rows(session, index, 1)
    if events:
        made["payload"] = events[0]["payload"]
    earlier = store.head(session, index if since is None else min(since, head.size - 1))
    if earlier is not None and earlier.size > 0:
        path = rules.consistency(fetch, earlier.size, head.size)
        made["earlier"], made["earlier_path"] = head_json(earlier), [step.hex() for step in path]
    return made


def head_json(head: Head) -> dict[str, Any]:
    """A head as JSON, as the API and bundles show it."""
    signatures = [{"algorithm": s.algorithm, "key_id": s.key_id, "value": s.value} for s in head.signatures]
    return {"size": head.size, "root": head.root, "time": head.time, "signatures": signatures}
