"""Opening the messages: the engine that the settings name."""

from mumian.foundation.storage.messages.jetstream import JetStreamMessages
from mumian.foundation.storage.messages.outbox import OutboxMessages
from mumian.foundation.storage.messages.port import Messages
from mumian.foundation.storage.messages.relay import Relay
from mumian.kernel.errors import Fault, Invalid
from mumian.kernel.platform import Platform


def provide_messages(platform: Platform) -> None:
    """Provide `Messages` on `outbox` or `nats://host:port`; with NATS a background job carries the outbox there."""
    url = platform.settings.messages
    messages: Messages
    if url == "outbox":
        messages = OutboxMessages(platform.records, platform.bus)
    elif url.startswith(("nats://", "tls://")):
        messages = JetStreamMessages(url)
        platform.background(Relay(platform.records, messages, platform.clock))
    else:
        raise Invalid(Fault("MUMIAN_MESSAGES", "field.choice", {"expected": "outbox, nats://host:port"}))
    platform.provide(Messages, messages)  # type: ignore[type-abstract]
