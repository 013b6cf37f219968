"""The server: listens, lets clients in, and gives each of their packets the effect that the policies allow."""

import asyncio
import contextlib
import logging
import ssl
from secrets import token_hex

from mumian.foundation.identity.api import Caller, authenticate
from mumian.foundation.sensing.api import Sensing
from mumian.foundation.sensing.mqtt import addresses, packets, wire
from mumian.foundation.sensing.mqtt.broker import Broker
from mumian.foundation.sensing.mqtt.connection import Connection
from mumian.foundation.sensing.mqtt.entries import BAD_TOPIC, BUSY, FAILED, NOT_AUTHORISED, Entry, code_of
from mumian.foundation.sensing.mqtt.intake import Intake
from mumian.foundation.sensing.mqtt.packets import V311, Connect, Publish, Subscribe, Will
from mumian.foundation.sensing.mqtt.publishing import Publishing
from mumian.foundation.sensing.mqtt.sessions import Message, Session
from mumian.foundation.sensing.mqtt.topics import valid_filter
from mumian.foundation.sensing.settings import MqttSettings
from mumian.kernel.errors import MumianError, Unavailable
from mumian.kernel.platform import Platform

_CONNECT_SECONDS = 10.0
_ASK_AGAIN_SECONDS = 30.0
_BAD_CREDENTIALS, _TAKEN_OVER, _TIMED_OUT, _SHUTTING_DOWN, _BAD_FILTER = 0x86, 0x8E, 0x8D, 0x8B, 0x8F
_QUOTA, _NO_SHARED = 0x97, 0x9E
_log = logging.getLogger("mumian.sensing")


class Server:
    """The embedded broker; everything happens on one event loop."""

    def __init__(self, platform: Platform, sensing: Sensing, settings: MqttSettings, broker: Broker, intake: Intake) -> None:
        self.settings = settings
        self.broker = broker
        self.intake = intake
        self.connections: dict[Connection, None] = {}
        self.streams: dict[bytes, tuple[int, str]] = {}
        self.publishing = Publishing(sensing, broker, intake, self.streams)
        self._platform = platform
        self._sensing = sensing
        self._listener: asyncio.Server | None = None
        self._watch: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def now(self) -> float:
        """The loop's clock."""
        assert self._loop is not None
        return self._loop.time()

    async def start(self, host: str, port: int, fallback: bool) -> tuple[str, int]:
        """Listen; returns host and port. With `fallback` a port that is taken is replaced by a free one."""
        self._loop = asyncio.get_running_loop()
        await self.broker.start()
        secure = None
        if self.settings.mqtt_certificate is not None:
            secure = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            secure.load_cert_chain(self.settings.mqtt_certificate, self.settings.mqtt_key)
        try:
            self._listener = await self._listen(host, port, secure)
        except OSError as error:
            if not fallback:
                await self.broker.stop()
                reason = f"MQTT cannot listen on {host}:{port} ({error.strerror}); choose another address in MUMIAN_MQTT"
                raise Unavailable(reason=reason) from error
            self._listener = await self._listen(host, 0, secure)
        self._watch = asyncio.create_task(self._housekeeping())
        name = self._listener.sockets[0].getsockname()
        return str(name[0]), int(name[1])

    async def _listen(self, host: str, port: int, secure: ssl.SSLContext | None) -> asyncio.Server:
        assert self._loop is not None
        return await self._loop.create_server(lambda: Connection(self), host, port, ssl=secure, backlog=1024)

    async def stop(self) -> None:
        """Take no more, acknowledge what is under way, and let everybody go."""
        if self._listener is None or self._watch is None:
            return
        self._listener.close()
        self._watch.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._watch
        for connection in self.connections:
            connection.drain()
        await self.intake.idle()
        await self.broker.stop()
        for connection in list(self.connections):
            connection.graceful = True
            connection.end(_SHUTTING_DOWN)
        tasks = [connection.task for connection in self.connections if connection.task is not None]
        await asyncio.gather(*tasks, return_exceptions=True)
        for _ in range(100):
            if not self.connections:
                break
            await asyncio.sleep(0.01)
        for connection in list(self.connections):
            connection.transport.abort()
        await self._listener.wait_closed()
        self._listener = None

    async def welcome(self, connection: Connection, connect: Connect) -> None:
        """Answer a CONNECT."""
        try:
            caller = await self._caller(connect)
        except MumianError as error:
            connection.refuse(0x88 if isinstance(error, Unavailable) else _BAD_CREDENTIALS)
            return
        if not connect.client:
            if connect.version == V311 and not connect.clean:
                connection.refuse(0x85)
                return
            connection.client = f"mumian-{token_hex(8)}"
        if connect.will is not None and not self._may_leave(caller, connect.will):
            connection.refuse(NOT_AUTHORISED)
            return
        if connection.closing:
            return
        connection.caller = caller
        self._open(connection, connect)

    def _may_leave(self, caller: Caller, will: Will) -> bool:
        try:
            return self.publishing.may(caller, will.topic)
        except MumianError:
            return False

    async def _caller(self, connect: Connect) -> Caller:
        """Who connects: the password is an API token, as HTTP takes it for a bearer; without one it is nobody in particular."""
        headers = [] if connect.password is None else [(b"authorization", b"Bearer " + connect.password)]
        return await authenticate(self._platform, headers)

    def _open(self, connection: Connection, connect: Connect) -> None:
        assert connection.caller is not None
        code = self._code(connection.caller)
        owner = (connection.caller.person or "") if code is None else f"device {code}"
        key = (owner, connection.client)
        session = self.broker.sessions.find(key)
        if session is not None and isinstance(session.outlet, Connection):
            session.outlet.end(_TAKEN_OVER)
            self._give_up(session.outlet, session)
        if session is not None and connect.clean:
            self.broker.end(session)
            session = None
        present = session is not None
        session = session or self.broker.sessions.begin(key)
        values = connect.properties
        longest = float(self.settings.mqtt_session_seconds)
        wanted = values.get(wire.SESSION_EXPIRY, 0) if connect.version != V311 else (0 if connect.clean else longest)
        session.expiry, session.ends, session.will = min(wanted, longest), None, connect.will
        connection.receive_maximum = min(values.get(wire.RECEIVE_MAXIMUM, 65535), self.settings.mqtt_in_flight) or 1
        connection.maximum_packet = values.get(wire.MAXIMUM_PACKET, 2**28)
        told: wire.Properties = {
            wire.SESSION_EXPIRY: int(session.expiry),
            wire.MAXIMUM_PACKET: self.settings.mqtt_packet_bytes,
            wire.ALIAS_MAXIMUM: self.settings.mqtt_aliases,
            wire.SHARED_AVAILABLE: 0,
        }
        if not connect.client:
            told[wire.ASSIGNED_ID] = connection.client
        connection.write(packets.connack(connect.version, 0, present, told))
        session.outlet = connection
        connection.session = session
        session.resume()
        self._ready(connection)
        connection.opened()

    def left(self, connection: Connection) -> None:
        """A connection is gone: its session waits for it or ends, and its will is done."""
        session = connection.session
        if session is not None and session.outlet is connection:
            self._give_up(connection, session)

    def _give_up(self, connection: Connection, session: Session) -> None:
        session.outlet = None
        will, session.will = session.will, None
        session.ends = self.now() + session.expiry
        if will is not None and not connection.graceful:
            delay = min(will.properties.get(wire.WILL_DELAY, 0), session.expiry)
            assert self._loop is not None
            assert connection.caller is not None
            self._loop.call_later(delay, self._do_will, session, will, connection.caller)
        if session.expiry <= 0:
            self.broker.end(session)

    def _do_will(self, session: Session, will: Will, caller: Caller) -> None:
        if session.outlet is None and self._listener is not None:
            message = Publish(will.topic, will.payload, will.qos, will.retain, properties=dict(will.properties))
            self.publishing.publish(Silent(caller, session.key[1]), message, caller, session)

    def may_write(self, connection: Connection) -> bool:
        """Whether a connection may record observations just now."""
        return connection.caller is not None and connection.caller.allowed(addresses.WRITE)

    def publish(self, connection: Connection, message: Publish) -> None:
        """Give a PUBLISH its effect."""
        assert connection.caller is not None
        self.publishing.publish(connection, message, connection.caller, connection.session)

    @staticmethod
    def must_end(connection: Connection, entry: Entry) -> bool:
        """Whether a publish that failed cannot be answered but by ending the connection."""
        return entry.code == BUSY or (entry.code == NOT_AUTHORISED and connection.version == V311)

    def subscribe(self, connection: Connection, subscribe: Subscribe) -> None:
        """Answer a SUBSCRIBE, each filter for itself."""
        session, caller = connection.session, connection.caller
        assert session is not None
        assert caller is not None
        codes = []
        granted = []
        for wish in subscribe.filters:
            code = self._refusal(caller, session, wish.topic)
            codes.append(code or min(wish.qos, 1))
            if not code:
                granted.append(wish)
        if connection.version == V311:
            codes = [min(128, code) for code in codes]
        connection.write(packets.suback(packets.SUBACK, subscribe.id, connection.version, codes))
        for wish in granted:
            self.broker.subscribe(session, wish, subscribe.number)
        self._ready(connection)

    def _code(self, caller: Caller) -> str | None:
        """The code of the device that a caller is."""
        topics = self._sensing.topics
        return None if topics is None else topics.code_of(caller)

    def _ready(self, connection: Connection) -> None:
        """A device may be sent what waits for it, if it is subscribed to anything."""
        topics, session, caller = self._sensing.topics, connection.session, connection.caller
        if topics is not None and session is not None and session.subscriptions and caller is not None:
            code = topics.code_of(caller)
            if code is not None:
                topics.ready(code)

    def _may_hear(self, caller: Caller, topic: str) -> bool:
        tasks = self._sensing.tasks
        return addresses.may_hear(caller, topic, self._code(caller), tasks is not None and tasks.bounded(caller))

    def hears(self, code: str, topic: str) -> bool:
        """Whether the device is connected here and subscribed to a topic."""
        for session in self.broker.hearers(topic):
            outlet = session.outlet
            if isinstance(outlet, Connection) and outlet.caller is not None and self._code(outlet.caller) == code:
                return True
        return False

    def send(self, topic: str, payload: bytes, seconds: float) -> None:
        """Send with quality of service 1; who does not get it within so many seconds does not get it at all."""
        self.broker.publish(Message(topic, payload, 1, expires=self.now() + seconds))

    def _refusal(self, caller: Caller, session: Session, topic: str) -> int:
        """The reason code against a subscription; 0 when there is nothing against it."""
        if topic.startswith("$share/"):
            return _NO_SHARED
        if not valid_filter(topic):
            return _BAD_FILTER
        if len(session.subscriptions) >= self.settings.mqtt_subscriptions and topic not in session.subscriptions:
            return _QUOTA
        try:
            return 0 if self._may_hear(caller, topic) else NOT_AUTHORISED
        except MumianError as error:
            code = code_of(error)
            return _BAD_FILTER if code in (BAD_TOPIC, FAILED) or code > NOT_AUTHORISED else code

    def unsubscribe(self, connection: Connection, number: int, topics: list[str]) -> None:
        """Answer an UNSUBSCRIBE."""
        assert connection.session is not None
        codes = [0 if self.broker.unsubscribe(connection.session, topic) else 0x11 for topic in topics]
        connection.write(packets.suback(packets.UNSUBACK, number, connection.version, codes))

    async def _housekeeping(self) -> None:
        asked = self.now()
        while True:
            await asyncio.sleep(1.0)
            now = self.now()
            for connection in list(self.connections):
                limit = connection.connect.keep_alive * 1.5 if connection.connect is not None else 0.0
                if connection.session is None and now - connection.began > _CONNECT_SECONDS:
                    connection.close()
                elif limit and now - connection.heard > limit:
                    connection.end(_TIMED_OUT)
            for session in list(self.broker.sessions.expired(now)):
                self.broker.end(session)
            if now - asked > _ASK_AGAIN_SECONDS:
                asked = now
                for connection in list(self.connections):
                    await self._ask_again(connection)

    async def _ask_again(self, connection: Connection) -> None:
        """A token may have been revoked, or a role taken away."""
        if connection.session is None or connection.connect is None:
            return
        try:
            connection.caller = await self._caller(connection.connect)
        except Unavailable:
            return
        except MumianError:
            connection.end(NOT_AUTHORISED)
            return
        for topic in list(connection.session.subscriptions):
            if not self._may_hear(connection.caller, topic):
                self.broker.unsubscribe(connection.session, topic)


class Silent:
    """The sender of a will, who hears nothing any more."""

    def __init__(self, caller: Caller, client: str) -> None:
        self.caller: Caller | None = caller
        self.client = client

    def settled(self, entries: list[Entry]) -> None:
        """Nobody is there."""
