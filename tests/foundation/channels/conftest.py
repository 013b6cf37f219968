"""A town with people, one channel of each way, and receivers that answer as they are told."""

import json
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
import pytest_asyncio

from mumian.app.web import create_asgi
from mumian.foundation.channels.api import Channels, Message, Recipient
from mumian.foundation.identity.api import Identity, PersonDraft
from mumian.kernel.declarations.documents import read_text
from mumian.kernel.platform import Platform

TOWN = """
{kind: Organisation, name: town, title: {zh: 镇, en: Town}, spec: {level: city}}
---
{kind: Organisation, name: works, title: {zh: 工务办, en: Works}, spec: {level: department, parent: town}}
---
kind: Policy
name: messages
title: {zh: 消息, en: Messages}
spec: {cedar: 'permit (principal in Role::"member", action == Action::"message:read", resource);'}
---
{kind: Channel, name: desk, title: {zh: 收件箱, en: Inbox}, spec: {way: inbox}}
---
{kind: Channel, name: hook, title: {zh: 回调, en: Hook},
 spec: {way: webhook, url: "URL/hook", secret: hook, tries: 3, language: en}}
---
{kind: Channel, name: group, title: {zh: 企业微信群, en: Group}, spec: {way: wecom, url: "URL/wecom", tries: 3}}
---
{kind: Channel, name: ding, title: {zh: 钉钉群, en: Ding}, spec: {way: dingtalk, url: "URL/ding?access_token=x", secret: hook}}
---
{kind: Channel, name: phone, title: {zh: 短信, en: SMS}, spec: {way: sms, url: "URL/sms", sender: 木棉, language: both}}
---
{kind: Channel, name: mail, title: {zh: 邮件, en: Mail},
 spec: {way: email, server: "127.0.0.1:PORT", encryption: none, sender: "city@example.org", tries: 3}}
"""


@dataclass
class Receiver:
    """A web server that keeps what it is sent and answers by `answers`, then 200 and errcode 0."""

    url: str = ""
    answers: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    taken: list[tuple[str, dict[str, str], dict[str, Any]]] = field(default_factory=list)


@pytest.fixture(scope="module")
def web() -> Iterator[Receiver]:
    found = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            found.taken.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            status, told = found.answers.pop(0) if found.answers else (200, {"errcode": 0})
            data = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    found.url = f"http://127.0.0.1:{server.server_port}"
    yield found
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def receiver(web: Receiver) -> Receiver:
    web.answers.clear()
    web.taken.clear()
    return web


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture(scope="module")
def mailbox() -> Iterator[tuple[int, list[Any]]]:
    """A real mail server (aiosmtpd) that keeps envelopes; it refuses nobody@example.org."""
    from aiosmtpd.controller import Controller

    class Keeping:
        def __init__(self) -> None:
            self.kept: list[Any] = []

        async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
            if address == "nobody@example.org":
                return "550 no such mailbox"
            envelope.rcpt_tos.append(address)
            return "250 OK"

        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
            self.kept.append(envelope)
            return "250 taken"

    handler = Keeping()
    controller = Controller(handler, hostname="127.0.0.1", port=free_port())
    controller.start()
    yield controller.port, handler.kept
    controller.stop()


@pytest_asyncio.fixture
async def town(
    platform: Platform, receiver: Receiver, mailbox: tuple[int, list[Any]], monkeypatch: pytest.MonkeyPatch
) -> Platform:
    """The platform with channels and two people of the works, of whom Li Na can be reached by e-mail and telephone."""
    monkeypatch.setenv("MUMIAN_SECRET_HOOK", "between us")
    mailbox[1].clear()
    documents = TOWN.replace("URL", receiver.url).replace("PORT", str(mailbox[0]))
    await platform.declarations.apply(read_text(documents.encode()), "town")
    accounts = platform.get(Identity).accounts
    for login, role in (("li.na", "operator"), ("wang.wei", "operator"), ("zhao", "administrator")):
        await accounts.create_person(PersonDraft(login, {"zh": login, "en": login}, "works", (role,)))
    channels = platform.get(Channels)

    def reachable(tx: Any) -> None:
        channels.put_contact(tx, "li.na", "email", "li.na@example.org")
        channels.put_contact(tx, "li.na", "sms", "+8613800138000")

    await platform.records.write(reachable)
    await platform.settle()
    return platform


Send = Callable[..., Awaitable[int]]


@pytest_asyncio.fixture
async def send(town: Platform) -> Send:
    """Send a message to recipients and let the city settle."""

    async def send(*to: Recipient, key: str = "flood/1", urgency: Any = "normal") -> int:
        message = Message(
            key=key,
            topic="flood",
            subject={"zh": "内涝预警", "en": "Flood warning"},
            body={"zh": "沙河涌水位超警戒", "en": "Shahe is over its mark"},
            about="/warnings/1",
            urgency=urgency,
        )
        channels = town.get(Channels)
        count = await town.records.write(lambda tx: channels.send(tx, message, list(to)))
        await town.settle()
        return count

    return send


@pytest_asyncio.fixture
async def clients(town: Platform) -> AsyncIterator[Callable[[str], Awaitable[httpx.AsyncClient]]]:
    """Clients that are signed in as a person."""
    accounts, made = town.get(Identity).accounts, []

    async def client(login: str) -> httpx.AsyncClient:
        person = await accounts.of_login(login)
        assert person is not None
        secret = (await accounts.create_token(person.id, "test", ["*"]))[1]
        base = "http://town"
        headers = {"Authorization": f"Bearer {secret}"}
        made.append(httpx.AsyncClient(transport=httpx.ASGITransport(create_asgi(town)), base_url=base, headers=headers))
        return made[-1]

    yield client
    for each in made:
        await each.aclose()
