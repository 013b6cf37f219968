"""What channels take and hand out: messages, who they are for, and how their delivery stands."""

from dataclasses import dataclass, field
from typing import Literal

Text = dict[str, str]
Urgency = Literal["low", "normal", "high"]
Way = Literal["inbox", "email", "sms", "webhook", "wecom", "dingtalk"]
PERSONAL: tuple[Way, ...] = ("inbox", "email", "sms")


@dataclass(frozen=True)
class Recipient:
    """Whom to reach by a channel: a person by login, all who hold a role (in an organisation, or in any), or a bare address.

    A channel that leads to one group or system (`webhook`, `wecom`, `dingtalk`) needs none of them.
    """

    channel: str
    person: str | None = None
    role: str | None = None
    organisation: str | None = None
    address: str | None = None


@dataclass(frozen=True)
class Message:
    """A message: `subject` and `body` in both languages, `about` the path of a page of this city, `topic` what it belongs to.

    `key` names the occasion: a second message with the same key never reaches the same recipient by the same channel again.
    """

    key: str
    topic: str
    subject: Text
    body: Text
    about: str = ""
    urgency: Urgency = "normal"


@dataclass(frozen=True)
class Outgoing:
    """A message on its way to one address; `language` is the one it is written in."""

    id: str
    to: str
    subject: str
    body: str
    about: str
    topic: str
    urgency: str
    created: str
    extra: Text = field(default_factory=dict)


@dataclass(frozen=True)
class Sent:
    """How handing a message in ended: `reference` is what the receiver calls it."""

    reference: str = ""
