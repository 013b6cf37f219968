"""Whatever a message says, what leaves the city is well-formed, bounded and carries no smuggled header."""

import json
from email import message_from_bytes, policy

from hypothesis import given
from hypothesis import strategies as st

from mumian.foundation.channels import rules
from mumian.foundation.channels.contracts import Outgoing
from mumian.foundation.channels.kinds import ChannelSpec

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=3000)


def outgoing(subject: str, body: str) -> Outgoing:
    return Outgoing("01M", "li.na@example.org", subject, body, "/x", "t", "normal", "2014-01-01T00:00:00.000000Z")


@given(texts, texts)
def test_every_way_writes_what_its_receiver_can_read(subject: str, body: str) -> None:
    message = outgoing(subject, body)
    assert len(json.loads(rules.wecom(message))["markdown"]["content"].encode()) <= 4096
    assert len(json.loads(rules.dingtalk(message))["markdown"]["title"].encode()) <= 200
    assert len(json.loads(rules.sms(message, None))["text"]) <= 500
    assert json.loads(rules.webhook(message))["body"] == body


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]) | st.sampled_from("\r\n"), max_size=300))
def test_a_subject_smuggles_no_header_into_a_mail(subject: str) -> None:
    mail = message_from_bytes(
        rules.email(outgoing(subject + "\r\nBcc: all@example.org", "b"), "c@example.org").as_bytes(), policy=policy.default
    )
    assert mail["Bcc"] is None
    assert mail["To"] == "li.na@example.org"


@given(st.text(max_size=200), st.integers(4, 300))
def test_what_is_shortened_begins_as_before_and_fits(text: str, most: int) -> None:
    text = text.encode(errors="ignore").decode()
    short = rules.shortened(text, most)
    assert len(short.encode()) <= most
    assert short == text or (short.endswith("…") and text.startswith(short[:-1]))


@given(st.integers(1, 10_000))
def test_pauses_grow_to_five_minutes(tries: int) -> None:
    assert 2.0 <= rules.pause(tries) <= rules.pause(tries + 1) <= 300.0


def test_a_channel_says_what_it_lacks() -> None:
    import pytest
    from pydantic import ValidationError

    for given_, word in [
        ({"way": "email", "server": "mail:25"}, "sender"),
        ({"way": "webhook"}, "url"),
        ({"way": "webhook", "url": "ftp://x"}, "http"),
        ({"way": "webhook", "url": "https://u:p@x"}, "secret"),
        ({"way": "email", "server": "mail:25", "sender": "c@x", "user": "u"}, "secret"),
    ]:
        with pytest.raises(ValidationError, match=word):
            ChannelSpec(**given_)
