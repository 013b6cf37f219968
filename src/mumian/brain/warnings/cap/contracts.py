"""The parts of a CAP 1.2 message (OASIS Common Alerting Protocol 1.2, 1 July 2010), as plain values."""

from dataclasses import dataclass, field

Pair = tuple[str, str]


@dataclass(frozen=True)
class Area:
    """Where: a description, polygons ("lat,lon lat,lon …"), circles ("lat,lon radius in km") and geocodes (name, value)."""

    description: str
    polygons: tuple[str, ...] = ()
    circles: tuple[str, ...] = ()
    geocodes: tuple[Pair, ...] = ()


@dataclass(frozen=True)
class Info:
    """What, in one language; times are ISO 8601 with offset, or None."""

    language: str
    categories: tuple[str, ...]
    event: str
    urgency: str
    severity: str
    certainty: str
    onset: str | None = None
    effective: str | None = None
    expires: str | None = None
    sender_name: str = ""
    headline: str = ""
    description: str = ""
    instruction: str = ""
    web: str = ""
    event_codes: tuple[Pair, ...] = ()
    parameters: tuple[Pair, ...] = ()
    areas: tuple[Area, ...] = ()


@dataclass(frozen=True)
class Alert:
    """A message: `references` lists "sender,identifier,sent" of the messages that it updates or cancels."""

    identifier: str
    sender: str
    sent: str
    status: str
    message_type: str
    scope: str
    references: tuple[str, ...] = ()
    incidents: tuple[str, ...] = ()
    note: str = ""
    source: str = ""
    restriction: str = ""
    addresses: str = ""
    infos: tuple[Info, ...] = field(default=())

    @property
    def reference(self) -> str:
        """How later messages refer to this one."""
        return f"{self.sender},{self.identifier},{self.sent}"
