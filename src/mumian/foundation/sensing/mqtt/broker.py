"""The broker: subscriptions, retained messages and wills, and the way of a message to all who asked for it."""

from collections.abc import Awaitable, Iterable, Iterator

from mumian.foundation.sensing.api import Sensing
from mumian.foundation.sensing.mqtt import addresses, store
from mumian.foundation.sensing.mqtt.notices import Notices
from mumian.foundation.sensing.mqtt.packets import Filter
from mumian.foundation.sensing.mqtt.sessions import Bounds, Message, Session, Sessions
from mumian.foundation.sensing.mqtt.topics import Tree, has_wildcard, matches
from mumian.foundation.sensing.settings import MqttSettings
from mumian.kernel.errors import TooLarge
from mumian.kernel.unit_of_work import Actor


class Broker:
    """All state that connections share; used on the event loop alone."""

    def __init__(self, sensing: Sensing, settings: MqttSettings, base: str) -> None:
        bounds = Bounds(settings.mqtt_waiting_messages, settings.mqtt_waiting_bytes)
        self.sessions = Sessions(bounds, settings.mqtt_sessions)
        self.notices = Notices(sensing, base, self.publish, lambda: self._wild > 0)
        self._records = sensing.platform.records
        self._tree: Tree[tuple[Session, str]] = Tree()
        self._wild = 0
        self._retained: dict[str, Message] = {}
        self._most_retained = settings.mqtt_retained

    async def start(self) -> None:
        """Read what is retained, and begin to tell."""
        self._retained = {message.topic: message for message in await self._records.read(store.retained)}
        self.notices.start()

    async def stop(self) -> None:
        """Tell no more."""
        await self.notices.stop()

    def subscribe(self, session: Session, wish: Filter, number: int) -> None:
        """Subscribe a session; raises NotFound or Invalid where the filter asks for nothing there is."""
        topic = wish.topic
        before = session.subscriptions.get(topic)
        if before is None:
            if _is_interest(topic):
                self.notices.add(session, addresses.interest(topic))
            else:
                self._tree.add(topic, (session, topic))
                self._count(topic, 1)
        session.subscriptions[topic] = (wish, number)
        if wish.retained == 0 or (wish.retained == 1 and before is None):
            for message in self._retained_for(topic):
                session.deliver(message, min(wish.qos, message.qos, 1), True, number)

    def unsubscribe(self, session: Session, topic: str) -> bool:
        """End a subscription; False if there was none."""
        if session.subscriptions.pop(topic, None) is None:
            return False
        if _is_interest(topic):
            self.notices.remove(session, addresses.interest(topic))
        else:
            self._tree.remove(topic, (session, topic))
            self._count(topic, -1)
        return True

    def end(self, session: Session) -> None:
        """Forget a session with all its subscriptions."""
        for topic in list(session.subscriptions):
            self.unsubscribe(session, topic)
        self.sessions.forget(session)

    def publish(self, message: Message, by: Session | None = None) -> None:
        """Bring a message to every session with a filter that matches, once each."""
        wishes: dict[Session, tuple[Filter, int]] = {}
        for session, topic in self._tree.find(message.topic):
            wish, number = session.subscriptions[topic]
            if wish.no_local and session is by:
                continue
            if session not in wishes or wishes[session][0].qos < wish.qos:
                wishes[session] = (wish, number)
        for session, (wish, number) in wishes.items():
            session.deliver(message, min(wish.qos, message.qos, 1), message.retain and wish.as_published, number)

    def hearers(self, topic: str) -> Iterator[Session]:
        """The sessions with a filter that matches a topic."""
        return (session for session, _ in self._tree.find(topic))

    def retain(self, message: Message, actor: Actor) -> Awaitable[None]:
        """Keep a message as its topic's last; await the answer until that is durable. Raises TooLarge."""
        if message.payload and message.topic not in self._retained and len(self._retained) >= self._most_retained:
            raise TooLarge(limit=f"{self._most_retained} retained messages")
        if message.payload:
            self._retained[message.topic] = message
        else:
            self._retained.pop(message.topic, None)
        return self._records.write(lambda tx: store.retain(tx, message), actor)

    def _count(self, topic: str, change: int) -> None:
        """Count the filters with wildcards that may match what is told of SensorThings."""
        if topic.split("/", maxsplit=1)[0] in ("v1.1", "+", "#"):
            self._wild += change
            self.notices.watch_entities()

    def _retained_for(self, topic: str) -> Iterable[Message]:
        if not has_wildcard(topic):
            return [self._retained[topic]] if topic in self._retained else []
        return [message for name, message in self._retained.items() if matches(topic, name)]


def _is_interest(topic: str) -> bool:
    return topic.startswith(addresses.ROOT) and not has_wildcard(topic)
