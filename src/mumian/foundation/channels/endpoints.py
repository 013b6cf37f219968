"""Channels over HTTP: one's own inbox and addresses; for those who run the city, every delivery and the state of each channel."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from mumian.foundation.channels import store
from mumian.foundation.channels.contracts import Message, Recipient
from mumian.foundation.channels.service.queueing import Channels
from mumian.foundation.identity.api import Caller, permit
from mumian.kernel.errors import Forbidden, NotFound
from mumian.kernel.ids import new_id
from mumian.kernel.unit_of_work import Row, Transaction
from mumian.kernel.web import Page, PlatformDep
from mumian.kernel.web.paging import MOST, cursor, parse_cursor

router = APIRouter(prefix="/api/v1/foundation/channels", tags=["channels"])
_Reader = Annotated[Caller, Depends(permit("message:read"))]
_Operator = Annotated[Caller, Depends(permit("message:survey"))]
_Sender = Annotated[Caller, Depends(permit("message:send"))]
_Limit = Annotated[int, Query(ge=1, le=MOST)]
_Cursor = Annotated[str | None, Query(alias="cursor", max_length=400)]
_LAST = "~"


class MessageView(BaseModel):
    """A message in the caller's inbox."""

    id: str
    topic: str
    subject: dict[str, str]
    body: dict[str, str]
    about: str
    urgency: str
    created: str
    read_at: str | None
    acknowledged_at: str | None


class DeliveryView(BaseModel):
    """How the delivery of a message stands: `waiting`, `sent` or `given_up`, after so many tries, and what was wrong last."""

    id: str
    channel: str
    way: str
    recipient: str
    topic: str
    subject: dict[str, str]
    created: str
    state: str
    tries: int
    next_try: str | None
    problem: str
    done_at: str | None
    read_at: str | None
    acknowledged_at: str | None


class Inbox(Page[MessageView]):
    """A page of the inbox, and how many messages are not read."""

    unread: int


class ChannelView(BaseModel):
    """A declared channel with its figures; `oldest_waiting` tells how long it has not got rid of something."""

    name: str
    title: dict[str, str]
    way: str
    waiting: int
    sent: int
    given_up: int
    oldest_waiting: str | None


class Contacts(BaseModel):
    """A person's addresses; an empty one is dropped."""

    email: str | None = Field(None, max_length=320)
    sms: str | None = Field(None, max_length=20)


class Tested(BaseModel):
    """How many messages were queued."""

    queued: int


@router.get("/inbox")
async def inbox(
    platform: PlatformDep, caller: _Reader, unread: bool = False, after: _Cursor = None, limit: _Limit = 100
) -> Inbox:
    """The caller's messages, newest first."""
    login = _login(caller)
    keys = parse_cursor(after, str)
    before = _LAST if keys is None else keys[0]
    rows, count = await platform.records.read(
        lambda session: (store.inbox(session, login, before, limit + 1, unread), store.unread(session, login))
    )
    return Inbox(
        items=[_message(row) for row in rows[:limit]],
        next=cursor(rows[limit - 1]["id"]) if len(rows) > limit else None,
        unread=count,
    )


@router.post("/inbox/{message}/{mark}")
async def mark(platform: PlatformDep, caller: _Reader, message: str, mark: Literal["read", "acknowledge"]) -> MessageView:
    """Mark a message as read; `acknowledge` says besides that the caller answers for it."""
    channels, login = platform.get(Channels), _login(caller)
    row = await platform.records.write(
        lambda tx: channels.mark(tx, message, login, acknowledge=mark == "acknowledge"), caller.actor
    )
    return _message(row)


@router.get("/contacts")
async def contacts(platform: PlatformDep, caller: _Reader) -> Contacts:
    """The caller's own addresses."""
    return Contacts(**await platform.records.read(lambda session: store.contacts(session, _login(caller))))


@router.put("/contacts")
async def put_contacts(platform: PlatformDep, caller: _Reader, given: Contacts) -> Contacts:
    """Keep the caller's own addresses; what is not given stays."""
    channels, login = platform.get(Channels), _login(caller)
    wanted = given.model_dump(exclude_unset=True)

    def work(tx: Transaction) -> dict[str, str]:
        for way, address in wanted.items():
            channels.put_contact(tx, login, way, (address or "").strip())
        return store.contacts(tx.session, login)

    return Contacts(**await platform.records.write(work, caller.actor))


@router.get("")
async def list_channels(platform: PlatformDep, _: _Operator) -> Page[ChannelView]:
    """All channels: what waits, what was sent and what was given up."""
    figures: dict[str, dict[str, Row]] = {}
    for row in await platform.records.read(store.figures):
        figures.setdefault(row["channel"], {})[row["state"]] = row
    return Page(
        items=[
            ChannelView(
                name=channel.name,
                title=channel.title,
                way=channel.spec.way,
                **{state: found[state]["number"] if state in found else 0 for state in ("waiting", "sent", "given_up")},
                oldest_waiting=found["waiting"]["oldest"] if "waiting" in found else None,
            )
            for channel in platform.declarations.all("Channel")
            for found in [figures.get(channel.name, {})]
        ]
    )


@router.get("/deliveries")
async def deliveries(
    platform: PlatformDep,
    _: _Operator,
    channel: Annotated[str | None, Query(max_length=200)] = None,
    state: Literal["waiting", "sent", "given_up"] | None = None,
    topic: Annotated[str | None, Query(max_length=300)] = None,
    after: _Cursor = None,
    limit: _Limit = 100,
) -> Page[DeliveryView]:
    """All messages, newest first, without what they say: who was reached, who read it, and what could not be delivered."""
    keys = parse_cursor(after, str)
    given = {k: v for k, v in {"channel": channel, "state": state, "topic": topic}.items() if v is not None}
    before = _LAST if keys is None else keys[0]
    rows = await platform.records.read(lambda session: store.page(session, given, before, limit + 1))
    return Page(items=[_delivery(row) for row in rows[:limit]], next=cursor(rows[limit - 1]["id"]) if len(rows) > limit else None)


@router.post("/deliveries/{message}/retry")
async def retry(platform: PlatformDep, caller: _Sender, message: str) -> DeliveryView:
    """Try a message that was given up once more."""
    channels = platform.get(Channels)
    return _delivery(await platform.records.write(lambda tx: channels.again(tx, message), caller.actor))


@router.post("/{channel}/test", status_code=202)
async def try_out(
    platform: PlatformDep,
    caller: _Sender,
    channel: str,
    address: Annotated[str | None, Query(max_length=320)] = None,
) -> Tested:
    """Send a test message to an address, or without one to the caller; its delivery shows in `deliveries`."""
    if not any(declared.name == channel for declared in platform.declarations.all("Channel")):
        raise NotFound(kind="Channel", name=channel)
    text = {"zh": "木棉通道测试", "en": "Test of a channel of Mumian"}
    message = Message(key=f"test/{new_id()}", topic="test", subject=text, body=text)
    to = Recipient(channel, address=address) if address else Recipient(channel, person=_login(caller))
    channels = platform.get(Channels)
    return Tested(queued=await platform.records.write(lambda tx: channels.send(tx, message, [to]), caller.actor))


def _login(caller: Caller) -> str:
    if caller.login is None:
        raise Forbidden(action="message:read")
    return caller.login


def _message(row: Row) -> MessageView:
    return MessageView(**{name: row[name] for name in MessageView.model_fields})


def _delivery(row: Row) -> DeliveryView:
    return DeliveryView(**{name: row[name] for name in DeliveryView.model_fields} | {"recipient": row["recipient"].strip()})
