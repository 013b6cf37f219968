"""A message reaches each recipient once by each channel, is tried again while it must be, and given up in sight of everybody."""

import base64
import hashlib
import hmac
from email import message_from_bytes, policy
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from mumian.foundation.channels import store
from mumian.foundation.channels.api import Recipient
from mumian.foundation.channels.service.evidence import faults
from mumian.kernel.clock import ManualClock
from mumian.kernel.errors import Invalid, NotFound
from mumian.kernel.platform import Platform
from tests.foundation.channels.conftest import Receiver, Send


def kept(town: Platform) -> list[dict[str, Any]]:
    assert list(town.records.read_now(faults)) == []
    return town.records.read_now(store.everything)


def states(town: Platform) -> list[tuple[str, str, str, int]]:
    return [(row["channel"], row["recipient"].strip(), row["state"], row["tries"]) for row in kept(town)]


async def test_everybody_who_holds_a_role_finds_it_in_the_inbox_once(town: Platform, send: Send) -> None:
    to = Recipient("desk", role="operator", organisation="works")
    assert await send(to) == 2
    assert await send(to, Recipient("desk", person="li.na")) == 0
    assert states(town) == [("desk", "li.na", "sent", 0), ("desk", "wang.wei", "sent", 0)]
    assert await send(Recipient("desk", role="operator", organisation="town")) == 0


async def test_a_webhook_gets_signed_json(receiver: Receiver, town: Platform, send: Send) -> None:
    await send(Recipient("hook"))
    ((path, headers, body),) = receiver.taken
    assert (path, body["subject"], body["body"], body["topic"]) == ("/hook", "Flood warning", "Shahe is over its mark", "flood")
    assert headers["idempotency-key"] == body["id"] == kept(town)[0]["id"]
    seconds, told = headers["mumian-signature"].removeprefix("t=").split(",v1=")
    import json

    signed = f"{seconds}.".encode() + json.dumps(body, ensure_ascii=False).encode()
    assert told == hmac.new(b"between us", signed, hashlib.sha256).hexdigest()


async def test_robots_of_groups_get_markdown(receiver: Receiver, town: Platform, send: Send) -> None:
    await send(Recipient("group"), Recipient("ding"))
    (_, _, wecom), (path, _, ding) = sorted(receiver.taken, key=lambda taken: taken[0] != "/wecom")
    assert wecom == {"msgtype": "markdown", "markdown": {"content": "**内涝预警**\n\n沙河涌水位超警戒"}}
    assert ding["markdown"]["title"] == "内涝预警"
    query = {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}
    signed = hmac.new(b"between us", f"{query['timestamp']}\nbetween us".encode(), hashlib.sha256).digest()
    assert (query["access_token"], base64.b64decode(query["sign"])) == ("x", signed)
    assert {state for *_, state, _ in states(town)} == {"sent"}


async def test_e_mail_and_sms_go_to_the_addresses_that_people_gave(
    town: Platform, receiver: Receiver, mailbox: tuple[int, list[Any]], send: Send
) -> None:
    await send(Recipient("mail", role="operator"), Recipient("phone", person="li.na"), urgency="high")
    (envelope,) = mailbox[1]
    mail = message_from_bytes(envelope.content, policy=policy.default)
    assert (envelope.rcpt_tos, mail["Subject"], mail["Importance"]) == (["li.na@example.org"], "内涝预警", "high")
    assert "沙河涌水位超警戒" in mail.get_content()
    assert receiver.taken[0][2]["to"] == "+8613800138000"
    assert receiver.taken[0][2]["text"] == "内涝预警 Flood warning 沙河涌水位超警戒 Shahe is over its mark"
    unreached = [row for row in kept(town) if row["state"] == "given_up"]
    assert [(row["recipient"], row["problem"]) for row in unreached] == [(" wang.wei", "no_address")]


async def test_what_fails_for_now_is_tried_again_with_growing_pauses_and_in_order(
    town: Platform, receiver: Receiver, clock: ManualClock, send: Send
) -> None:
    receiver.answers += [(503, {}), (200, {})]
    await send(Recipient("hook"))
    await send(Recipient("hook"), key="flood/2")
    assert [row["state"] for row in kept(town)] == ["waiting", "sent"]
    clock.advance(seconds=1)
    await town.settle()
    assert kept(town)[0]["state"] == "waiting"
    clock.advance(seconds=1)
    await town.settle()
    assert states(town) == [("hook", "hook", "sent", 2), ("hook", "hook", "sent", 1)]
    assert len({body["id"] for _, _, body in receiver.taken}) == 2


async def test_a_receiver_that_never_answers_is_given_up_after_all_tries(
    town: Platform, receiver: Receiver, clock: ManualClock, send: Send
) -> None:
    receiver.answers += [(500, {})] * 3
    await send(Recipient("hook"))
    for _ in range(5):
        clock.advance(minutes=5)
        await town.settle()
    assert states(town) == [("hook", "hook", "given_up", 3)]
    assert "HTTP 500" in kept(town)[0]["problem"]
    assert len(receiver.taken) == 3


@pytest.mark.parametrize(
    ("channel", "answer", "state"),
    [
        ("hook", (400, {}), "given_up"),
        ("hook", (302, {}), "given_up"),
        ("hook", (429, {}), "waiting"),
        ("group", (200, {"errcode": 93000, "errmsg": "invalid webhook url"}), "given_up"),
        ("group", (200, {"errcode": 45009, "errmsg": "api freq out of limit"}), "waiting"),
        ("group", (200, {"unexpected": True}), "waiting"),
    ],
)
async def test_what_a_receiver_refuses_for_good_is_not_tried_again(
    town: Platform, receiver: Receiver, send: Send, channel: str, answer: Any, state: str
) -> None:
    receiver.answers.append(answer)
    await send(Recipient(channel))
    assert states(town) == [(channel, channel, state, 1)]


async def test_a_mail_server_that_is_away_or_refuses(
    town: Platform, send: Send, mailbox: tuple[int, list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    await send(Recipient("mail", address="nobody@example.org"), Recipient("mail", address="no address"))
    assert {(to, state) for _, to, state, _ in states(town)} == {("nobody@example.org", "given_up"), ("no address", "given_up")}
    assert mailbox[1] == []


async def test_a_secret_that_is_not_set_is_named_and_the_message_waits(
    town: Platform, send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MUMIAN_SECRET_HOOK")
    await send(Recipient("hook"))
    assert states(town) == [("hook", "hook", "waiting", 1)]
    assert "MUMIAN_SECRET_HOOK" in kept(town)[0]["problem"]


async def test_a_channel_that_is_not_declared_or_names_nobody_is_refused_and_nothing_is_kept(town: Platform, send: Send) -> None:
    with pytest.raises(NotFound):
        await send(Recipient("desk", person="li.na"), Recipient("pigeon"))
    with pytest.raises(Invalid):
        await send(Recipient("desk"))
    assert kept(town) == []
