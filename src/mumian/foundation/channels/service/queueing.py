"""Queueing: a message is kept, once for each recipient, in the same commit as what it tells of."""

from collections.abc import Iterator
from hashlib import sha256

from mumian.foundation.channels import rules, store
from mumian.foundation.channels.contracts import PERSONAL, Message, Recipient
from mumian.foundation.channels.events import ContactChanged, MessageGivenUp, MessageQueued, MessageRead
from mumian.foundation.channels.kinds import ChannelSpec
from mumian.foundation.identity.api import Identity
from mumian.kernel.declarations.kinds import Declared
from mumian.kernel.errors import Conflict, Invalid, NotFound
from mumian.kernel.ids import new_id
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Row, Session, Transaction, encode

WAITING, SENT, GIVEN_UP = "waiting", "sent", "given_up"


class Channels:
    """`platform.get(Channels)`: sends messages to people and systems."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def send(self, tx: Transaction, message: Message, recipients: list[Recipient]) -> int:
        """Queue a message for everybody whom the recipients name; how many are new.

        Nobody gets the same occasion (`message.key`) twice by one channel. A person who has no address for the way of the
        channel is kept as given up, so that it is seen. Raises NotFound for an unknown channel, Invalid without a recipient.
        """
        fresh = 0
        for recipient in recipients:
            channel = self._platform.declarations.get("Channel", recipient.channel)
            for address, problem in self._addresses(tx.session, channel, recipient):
                fresh += self._queue(tx, message, channel, (address, problem))
        return fresh

    def mark(self, tx: Transaction, id_: str, person: str, acknowledge: bool) -> Row:
        """Mark an inbox message of a person as read, or as acknowledged; raises NotFound, Invalid."""
        row = store.message(tx.session, id_)
        if row is None or row["recipient"] != person:
            raise NotFound(kind="message", name=id_)
        if row["way"] != "inbox":
            raise Invalid.field("id", "channels.not_inbox")
        changed = {}
        if row["read_at"] is None:
            changed["read_at"] = tx.now_text
        if acknowledge and row["acknowledged_at"] is None:
            changed["acknowledged_at"] = tx.now_text
        if changed:
            store.change(tx.session, id_, **changed)
            tx.emit(MessageRead(subject=id_, channel=row["channel"], topic=row["topic"], acknowledged=acknowledge))
        return row | changed

    def again(self, tx: Transaction, id_: str) -> Row:
        """Try a message that was given up once more; raises NotFound, Conflict."""
        row = store.message(tx.session, id_)
        if row is None:
            raise NotFound(kind="message", name=id_)
        if row["state"] != GIVEN_UP or not row["recipient"].strip():
            raise NotGivenUp(state=row["state"])
        changed = {"state": WAITING, "tries": 0, "next_try": tx.now_text, "problem": "", "done_at": None}
        store.change(tx.session, id_, **changed)
        _tell(tx, row | changed)
        return row | changed

    def put_contact(self, tx: Transaction, person: str, way: str, address: str) -> None:
        """Keep a person's address for a way, or drop it if it is empty; raises Invalid."""
        example = rules.address_fault(way, address) if address else None
        if example is not None:
            raise Invalid.field(way, "channels.address", given=address[:100], way=way, example=example)
        store.put_contact(tx.session, person, way, address)
        told = sha256(address.encode()).hexdigest() if address else ""
        tx.emit(ContactChanged(subject=person, way=way, digest=told))

    def _addresses(self, session: Session, channel: Declared[ChannelSpec], to: Recipient) -> Iterator[tuple[str, str]]:
        """Addresses with the problem each has, if any."""
        way = channel.spec.way
        if way not in PERSONAL:
            yield channel.name, ""
        elif to.address is not None:
            example = rules.address_fault(way, to.address)
            yield to.address, "" if example is None else "address"
        elif to.person is None and to.role is None:
            raise Invalid.field("recipient", "channels.no_recipient", channel=channel.name)
        else:
            logins = [to.person] if to.person else self._platform.get(Identity).holders(session, str(to.role), to.organisation)
            for login in logins:
                address = login if way == "inbox" else store.contacts(session, login).get(way, "")
                yield (address, "") if address else (f" {login}", "no_address")

    def _queue(self, tx: Transaction, message: Message, channel: Declared[ChannelSpec], to: tuple[str, str]) -> bool:
        address, problem = to
        inbox = channel.spec.way == "inbox"
        state = GIVEN_UP if problem else SENT if inbox else WAITING
        row: Row = {
            "id": new_id(),
            "key": message.key,
            "channel": channel.name,
            "way": channel.spec.way,
            "recipient": address,
            "topic": message.topic,
            "subject": message.subject,
            "body": message.body,
            "about": message.about,
            "urgency": message.urgency,
            "created": tx.now_text,
            "state": state,
            "tries": 0,
            "next_try": tx.now_text if state == WAITING else None,
            "problem": problem,
            "done_at": None if state == WAITING else tx.now_text,
            "read_at": None,
            "acknowledged_at": None,
        }
        if not store.insert(tx.session, row):
            return False
        _tell(tx, row)
        if problem:
            tx.emit(MessageGivenUp(subject=row["id"], channel=channel.name, topic=message.topic, tries=0, reason=problem))
        return True


class NotGivenUp(Conflict):
    """Only a message that was given up can be sent again; values: `state`."""

    key = "channels.not_given_up"


def _tell(tx: Transaction, row: Row) -> None:
    state = SENT if row["way"] == "inbox" else WAITING
    event = MessageQueued(subject=row["id"], channel=row["channel"], topic=row["topic"], digest=digest(row), state=state)
    tx.emit(event)


def digest(row: Row) -> str:
    """SHA-256 (hex) of what a message says and to whom."""
    told = {name: row[name] for name in ("key", "channel", "recipient", "topic", "subject", "body", "about", "urgency")}
    return sha256(encode(told)).hexdigest()
