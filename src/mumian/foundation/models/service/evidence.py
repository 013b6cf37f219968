"""Evidence of models: versions must be what the events told, and artefacts what was registered."""

from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any

import msgspec

from mumian.foundation.ledger.api import Fault, differences
from mumian.foundation.models import store
from mumian.foundation.storage.contracts import Objects
from mumian.kernel.errors import NotFound
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Session

_EVENTS = "SELECT type, subject, payload FROM kernel_outbox WHERE type LIKE 'foundation.models.%' ORDER BY id"
_TOLD = ("sha256", "bytes", "data", "evaluation", "compared")


def checking(platform: Platform) -> Callable[[Session], Iterator[Fault]]:
    """The check of a platform's models."""

    def faults(session: Session) -> Iterator[Fault]:
        told: dict[str, dict[str, Any]] = {}
        for event in session.rows(_EVENTS):
            data = msgspec.json.decode(event["payload"])
            key = f"{event['subject']}@{data.get('number')}"
            if event["type"] == "foundation.models.registered":
                told[key] = {name: data[name] for name in _TOLD} | {"state": "draft", "decided_by": ""}
            elif event["type"] == "foundation.models.decided":
                told.setdefault(key, {}).update({"state": data["state"], "decided_by": data["by"]})
        versions = store.everything(session)
        kept = ((f"{each.model}@{each.number}", msgspec.structs.asdict(each)) for each in versions)
        yield from differences("models_version", told, kept)
        objects = platform.get(Objects)  # type: ignore[type-abstract]
        digests = {each.sha256 for each in versions} | {each.data["sha256"] for each in versions if "sha256" in each.data}
        for digest in sorted(digests):
            try:
                found = sha256(objects.get(f"models/{digest}")).hexdigest()
            except NotFound:
                found = "nothing"
            if found != digest:
                yield Fault("objects", f"models/{digest}", "sha256", digest, found)

    return faults
