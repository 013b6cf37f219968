"""Rules of channels: what each way sends, and how long to wait before trying again. Sources are named at each function."""

import base64
import hashlib
import hmac
import json
import re
from email.message import EmailMessage
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from mumian.foundation.channels.contracts import Outgoing, Text

_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?")
_PHONE = re.compile(r"\+?[0-9]{5,15}")
_WECOM_BYTES = 4096
_FIRST_PAUSE, _LONGEST_PAUSE = 2.0, 300.0


def address_fault(way: str, address: str) -> str | None:
    """An example of what an address of the way looks like if this is none; None if it is."""
    if way == "email":
        return None if _EMAIL.fullmatch(address) and ".." not in address else "li.na@example.org"
    if way == "sms":
        return None if _PHONE.fullmatch(address) else "+8613800138000"
    return None if address and len(address) <= 200 else "li.na"


def pause(tries: int) -> float:
    """Seconds to wait after so many tries failed: 2, 4, 8 … 300."""
    return min(_FIRST_PAUSE * 2.0 ** min(tries - 1, 20), _LONGEST_PAUSE)


def written(text: Text, language: str) -> str:
    """A text in one language, or in both with Chinese first; a missing language falls back to the other."""
    if language == "both" and text.get("zh") and text.get("en") and text["zh"] != text["en"]:
        return f"{text['zh']}\n{text['en']}"
    return text.get("en" if language == "en" else "zh") or text.get("en") or text.get("zh") or ""


def email(message: Outgoing, sender: str) -> EmailMessage:
    """A plain-text e-mail (RFC 5322); line breaks in the subject become spaces, so that no header can be smuggled in."""
    made = EmailMessage()
    made["From"] = sender
    made["To"] = message.to
    made["Subject"] = " ".join(message.subject.split())
    made["Message-ID"] = f"<{message.id}@mumian.invalid>"
    made["Auto-Submitted"] = "auto-generated"
    if message.urgency == "high":
        made["Importance"] = "high"
    made.set_content(message.body + (f"\n\n{message.about}\n" if message.about.startswith("http") else "\n"))
    return made


def webhook(message: Outgoing) -> bytes:
    """The JSON that a webhook gets: id, time, topic, urgency, subject, body, about."""
    return json.dumps(
        {
            "id": message.id,
            "time": message.created,
            "topic": message.topic,
            "urgency": message.urgency,
            "subject": message.subject,
            "body": message.body,
            "about": message.about,
        },
        ensure_ascii=False,
    ).encode()


def signature(body: bytes, secret: str, seconds: int) -> str:
    """`t=<Unix seconds>,v1=<hex HMAC-SHA256 of "seconds.body">`, by which a receiver knows the sender and refuses replays."""
    told = hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={told}"


def wecom(message: Outgoing) -> bytes:
    """The message of a WeCom group robot (`msgtype: markdown`, at most 4096 bytes of UTF-8)."""
    return _json({"msgtype": "markdown", "markdown": {"content": shortened(_markdown(message), _WECOM_BYTES)}})


def dingtalk(message: Outgoing) -> bytes:
    """The message of a DingTalk group robot (`msgtype: markdown`)."""
    title = shortened(" ".join(message.subject.split()), 200)
    return _json({"msgtype": "markdown", "markdown": {"title": title, "text": shortened(_markdown(message), 18_000)}})


def dingtalk_url(url: str, secret: str, milliseconds: int) -> str:
    """A robot's address with `timestamp` and `sign` = base64 of HMAC-SHA256(secret, "timestamp\\nsecret"), as DingTalk asks."""
    told = hmac.new(secret.encode(), f"{milliseconds}\n{secret}".encode(), hashlib.sha256).digest()
    parts = urlsplit(url)
    added = f"timestamp={milliseconds}&sign={quote(base64.b64encode(told), safe='')}"
    return urlunsplit(parts._replace(query=f"{parts.query}&{added}" if parts.query else added))


def sms(message: Outgoing, sender: str | None) -> bytes:
    """What an SMS gateway gets: `to`, `sign`, `text` (at most 500 characters) and `id`."""
    text = " ".join(f"{message.subject} {message.body}".split())
    return _json(
        {"id": message.id, "to": message.to, "sign": sender or "", "text": text if len(text) <= 500 else text[:499] + "…"}
    )


def shortened(text: str, most: int) -> str:
    """A text of at most so many bytes of UTF-8, ended by … where something was cut."""
    data = text.encode()
    return text if len(data) <= most else data[: most - 3].decode(errors="ignore") + "…"


def _markdown(message: Outgoing) -> str:
    body = message.body.replace("\n", "\n\n")
    link = f"\n\n[{message.about}]({message.about})" if message.about.startswith("http") else ""
    return f"**{' '.join(message.subject.split())}**\n\n{body}{link}"


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()
