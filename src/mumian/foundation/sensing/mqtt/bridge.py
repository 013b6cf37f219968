"""The bridge: the same topics through another broker such as Mosquitto, each message acknowledged once it is durable."""

import asyncio
import logging
from hashlib import sha256
from typing import Any
from urllib.parse import unquote, urlsplit

from mumian.foundation.sensing.mqtt import addresses
from mumian.foundation.sensing.mqtt.broker import Broker
from mumian.foundation.sensing.mqtt.entries import BUSY, Entry
from mumian.foundation.sensing.mqtt.intake import Intake
from mumian.foundation.sensing.mqtt.packets import Filter, Publish
from mumian.foundation.sensing.mqtt.publishing import Publishing
from mumian.foundation.sensing.settings import MqttSettings
from mumian.kernel.errors import Invalid, MumianError, Unavailable

_INBOX = ("v1.1/CreateObservations", "v1.1/Observations", "v1.1/+/Observations")
_WINDOW = 5000
_KEEP_ALIVE = 30
_EXPIRY = 24 * 3600
_log = logging.getLogger("mumian.sensing")


class Bridge:
    """A client of the other broker, which decides there who may publish what; its callbacks come from a thread of paho's."""

    caller = None
    receive_maximum = 65535
    congested = False

    def __init__(self, broker: Broker, intake: Intake, publishing: Publishing, settings: MqttSettings, home: str) -> None:
        self.client = f"mumian-{sha256(home.encode()).hexdigest()[:12]}"
        self.dropped = 0
        self._broker = broker
        self._intake = intake
        self._publishing = publishing
        self._settings = settings
        self._paho: Any = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._connected = asyncio.Event()
        self._stopping = False

    def now(self) -> float:
        """The loop's clock."""
        assert self._loop is not None
        return self._loop.time()

    async def start(self) -> None:
        """Connect, now or as soon as the broker answers, and stay connected."""
        self._loop = asyncio.get_running_loop()
        paho, properties = _library()
        parts = urlsplit(self._settings.mqtt)
        if not parts.hostname:
            raise Invalid.field("MUMIAN_MQTT", "sensing.mqtt.address", given=self._settings.mqtt[:100])
        await self._broker.start()
        self._paho = client = paho.Client(paho.CallbackAPIVersion.VERSION2, self.client, protocol=paho.MQTTv5, manual_ack=True)
        client.max_queued_messages_set(self._settings.mqtt_waiting_messages)
        client.max_inflight_messages_set(self._settings.mqtt_in_flight)
        client.reconnect_delay_set(1, 30)
        if parts.username:
            client.username_pw_set(unquote(parts.username), unquote(parts.password or ""))
        if parts.scheme == "mqtts":
            client.tls_set()
        client.on_connect, client.on_message = self._on_connect, self._on_message
        wanted = properties(1)
        wanted.SessionExpiryInterval, wanted.ReceiveMaximum = _EXPIRY, _WINDOW
        port = parts.port or (8883 if parts.scheme == "mqtts" else 1883)
        client.connect_async(parts.hostname, port, _KEEP_ALIVE, clean_start=False, properties=wanted)
        session = self._broker.sessions.begin(("", self.client))
        session.outlet = self
        for topic in filter(None, (topic.strip() for topic in self._settings.mqtt_topics.split(","))):
            self._broker.subscribe(session, Filter(topic, 1, no_local=True), 0)
        self._session = session
        client.loop_start()

    async def connected(self, seconds: float) -> None:
        """Wait until the other broker answered; raises TimeoutError."""
        await asyncio.wait_for(self._connected.wait(), seconds)

    async def stop(self) -> None:
        """Acknowledge what is under way, and leave; the broker keeps what comes meanwhile."""
        self._stopping = True
        if self._paho is None:
            return
        await self._intake.idle()
        await self._broker.stop()
        await asyncio.to_thread(self._leave)

    def _leave(self) -> None:
        self._paho.disconnect()
        self._paho.loop_stop()

    def send_message(self, message: Publish) -> None:
        """Publish a notice; while the other broker is away a bounded number waits in memory."""
        info = self._paho.publish(message.topic, message.payload, message.qos)
        if info.rc not in {0, 4}:
            self.dropped += 1
        if message.qos:
            self._session.acknowledged(message.id)

    def settled(self, entries: list[Entry]) -> None:
        """Acknowledge to the other broker; what could not be taken comes again with a new connection."""
        for entry in entries:
            if entry.code == BUSY:
                asyncio.get_running_loop().run_in_executor(None, self._again)
                return
            if entry.qos:
                self._paho.ack(entry.id, entry.qos)

    def _again(self) -> None:
        try:
            if not self._stopping:
                self._paho.reconnect()
        except OSError as error:
            _log.warning("the MQTT broker does not answer: %s", error)

    def _on_connect(self, client: Any, _: Any, __: Any, code: Any, ___: Any) -> None:
        if code.is_failure:
            _log.warning("the MQTT broker refuses: %s", code)
            return
        from paho.mqtt.subscribeoptions import SubscribeOptions

        client.subscribe([(topic, SubscribeOptions(qos=1, noLocal=True)) for topic in _INBOX])
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._connected.set)

    def _on_message(self, _: Any, __: Any, message: Any) -> None:
        if self._loop is not None and not self._loop.is_closed():
            found = (message.mid, message.qos, message.topic, message.payload)
            self._loop.call_soon_threadsafe(self._take, *found)

    def _take(self, number: int, qos: int, topic: str, payload: bytes) -> None:
        if self._stopping:
            return
        entry = Entry(self, number, qos, topic, payload)
        try:
            path = addresses.destination(topic)
            assert path is not None
            self._publishing.create(entry, path)
        except MumianError as error:
            entry.fail(error)
            self._intake.take(entry)


def _library() -> tuple[Any, Any]:
    """The module of the client library, and its class of properties; raises Unavailable."""
    try:
        import paho.mqtt.client as paho
        from paho.mqtt.properties import Properties
    except ImportError as error:
        raise Unavailable(reason="another MQTT broker needs: pip install 'mumian[mqtt]'") from error
    return paho, Properties
