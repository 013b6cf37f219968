"""Publishing: what a message does, by its topic — it records observations, or goes to those who subscribed."""

import asyncio

from mumian.foundation.identity.api import Caller
from mumian.foundation.sensing.api import Sensing
from mumian.foundation.sensing.mqtt import addresses, wire
from mumian.foundation.sensing.mqtt.broker import Broker
from mumian.foundation.sensing.mqtt.entries import Entry, Sender
from mumian.foundation.sensing.mqtt.intake import Intake
from mumian.foundation.sensing.mqtt.packets import Publish
from mumian.foundation.sensing.mqtt.sessions import Message, Session
from mumian.foundation.sensing.sta.paths import Path
from mumian.foundation.sensing.sta.writing import requests
from mumian.kernel.errors import Forbidden, MumianError, NotFound

_FORWARDED = (
    wire.PAYLOAD_FORMAT,
    wire.CONTENT_TYPE,
    wire.RESPONSE_TOPIC,
    wire.CORRELATION,
    wire.USER,
)
_MOST_KNOWN = 200_000


class Publishing:
    """Gives publishes their effect; `known` learns which topics name a stream, for the quick way."""

    def __init__(self, sensing: Sensing, broker: Broker, intake: Intake, known: dict[bytes, tuple[int, str]]) -> None:
        self._sensing = sensing
        self._broker = broker
        self._intake = intake
        self._known = known

    def may(self, caller: Caller, topic: str) -> bool:
        """Whether a caller may publish under a topic; raises NotFound for one that takes nothing."""
        path = addresses.destination(topic)
        if path is not None:
            return caller.allowed(addresses.action_for(path))
        topics = self._sensing.topics
        code = None if topics is None else topics.code_of(caller)
        return not topic.startswith("$") and addresses.may_send(caller, topic, code)

    def publish(self, sender: Sender, message: Publish, caller: Caller, session: Session | None) -> None:
        """Take a publish; `sender` hears of it when it is done."""
        entry = Entry(sender, message.id, message.qos, message.topic, message.payload)
        try:
            path = addresses.destination(message.topic)
            if not self.may(caller, message.topic):
                raise Forbidden(action=addresses.SEND if path is None else addresses.action_for(path))
            device = addresses.device_topic(message.topic)
            if device is not None:
                self._report(entry, caller, *device)
            elif path is None:
                self._send(entry, message, caller, session)
            else:
                self.create(entry, path)
        except MumianError as error:
            entry.fail(error)
            self._intake.take(entry)

    def create(self, entry: Entry, path: Path) -> None:
        """Create what is published to a resource; raises NotFound for one that takes nothing, Forbidden for who may not."""
        addresses.action_for(path)
        if path.names == ("CreateObservations",):
            self._intake.observe_many(entry)
        elif path.names == ("Observations",):
            self._intake.observe(entry, None)
        elif path.last == "Observations":
            self._observe(entry, path)
        else:
            caller = entry.sender.caller
            if caller is None:
                raise Forbidden(action=addresses.action_for(path))
            entry.work = requests.create(self._sensing, path, entry.payload, caller)
            self._intake.take(entry)

    def _observe(self, entry: Entry, path: Path) -> None:
        stream = path.owner_id
        if stream is None:
            raise NotFound(kind="resource", name=entry.topic)
        if len(path.names) == 2:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[entry.topic.encode()] = (stream, entry.topic)
        self._intake.observe(entry, stream)

    def _report(self, entry: Entry, caller: Caller, code: str, command: str | None) -> None:
        """A device says that it is there, or how far a command is; the ledger takes it, and nobody else is sent it."""
        topics = self._sensing.topics
        if topics is None:
            raise NotFound(kind="resource", name=entry.topic)
        if command is None:
            entry.work = topics.heartbeat(caller, code, entry.payload)
        else:
            entry.work = topics.report(caller, code, command, entry.payload)
        self._intake.take(entry)

    def _send(self, entry: Entry, message: Publish, caller: Caller, session: Session | None) -> None:
        properties = {key: message.properties[key] for key in _FORWARDED if key in message.properties}
        expiry = message.properties.get(wire.MESSAGE_EXPIRY)
        expires = None if expiry is None else asyncio.get_running_loop().time() + expiry
        sent = Message(message.topic, message.payload, message.qos, message.retain, properties, expires)
        if message.retain:
            entry.work = self._broker.retain(sent, caller.actor)
        self._broker.publish(sent, session)
        self._intake.take(entry)
