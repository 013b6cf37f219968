"""The form of an event on the wire: CloudEvents 1.0, structured JSON, so that any consumer can read it."""

from typing import Any

import msgspec

from mumian.kernel.clock import iso, parse_iso
from mumian.kernel.events import DeliveredEvent
from mumian.kernel.unit_of_work import encode

CONTENT_TYPE = "application/cloudevents+json"


class _CloudEvent(msgspec.Struct):
    id: str
    type: str
    subject: str
    time: str
    actor: str
    data: dict[str, Any]


def pack(event: DeliveredEvent, source: str) -> bytes:
    """Write `event` as one CloudEvent; `actor` is an extension attribute."""
    return encode(
        {
            "specversion": "1.0",
            "id": str(event.id),
            "source": source,
            "type": event.type,
            "subject": event.subject,
            "time": iso(event.time),
            "actor": event.actor,
            "datacontenttype": "application/json",
            "data": event.data,
        }
    )


def unpack(body: bytes) -> DeliveredEvent:
    """Read an event that `pack` wrote; raises msgspec.DecodeError or ValueError for anything else."""
    read = msgspec.json.decode(body, type=_CloudEvent)
    return DeliveredEvent(int(read.id), read.type, read.subject, parse_iso(read.time), read.actor, read.data)
