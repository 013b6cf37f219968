"""Ways: handing one message to a mail server, a gateway, a robot or a webhook."""

import asyncio
import smtplib
import ssl
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from mumian.foundation.channels import rules
from mumian.foundation.channels.contracts import Outgoing, Sent
from mumian.foundation.channels.errors import NotNow, Refused
from mumian.foundation.channels.kinds import ChannelSpec
from mumian.foundation.channels.settings import secret

if TYPE_CHECKING:
    import httpx

_PATIENT = (408, 425, 429)  # of the refusals of HTTP those that mean: later
_ANSWER_BYTES = 64 * 1024


class Ways:
    """Sends by every way; keeps one HTTP client for all."""

    def __init__(self) -> None:
        self._client: httpx.AsyncClient | None = None

    async def send(self, channel: ChannelSpec, message: Outgoing) -> Sent:
        """Hand a message in; raises Refused if it never will be taken, Unavailable if it may be later."""
        if channel.way == "email":
            return await asyncio.to_thread(_mail, channel, message)
        url, body, headers = _request(channel, message)
        answer = await self._post(url, body, headers, channel.timeout_seconds)
        if channel.way in ("wecom", "dingtalk"):
            _robot_took(answer)
        return Sent()

    async def close(self) -> None:
        """Let go of connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _post(self, url: str, body: bytes, headers: Mapping[str, str], seconds: float) -> bytes:
        import httpx

        if self._client is None:
            self._client = httpx.AsyncClient(trust_env=False, follow_redirects=False)
        try:
            async with (
                asyncio.timeout(seconds),
                self._client.stream("POST", url, content=body, headers=headers, timeout=seconds) as answer,
            ):
                taken = b""
                async for part in answer.aiter_raw():
                    taken += part
                    if len(taken) > _ANSWER_BYTES:
                        break
        except (httpx.HTTPError, OSError, TimeoutError) as error:
            raise NotNow(reason=f"{type(error).__name__} {error}".strip()) from error
        if answer.is_success:
            return taken
        reason = f"HTTP {answer.status_code}"
        raise (NotNow if answer.status_code >= 500 or answer.status_code in _PATIENT else Refused)(reason=reason)


def _request(channel: ChannelSpec, message: Outgoing) -> tuple[str, bytes, dict[str, str]]:
    """Address, body and headers; the id goes along, so that a receiver can tell a second delivery from a second message."""
    url = str(channel.url)
    headers = {"Content-Type": "application/json", "Idempotency-Key": message.id}
    if channel.way == "wecom":
        return url, rules.wecom(message), headers
    if channel.way == "dingtalk":
        signed = rules.dingtalk_url(url, secret(channel.secret), time.time_ns() // 1_000_000) if channel.secret else url
        return signed, rules.dingtalk(message), headers
    body = rules.sms(message, channel.sender) if channel.way == "sms" else rules.webhook(message)
    if channel.secret:
        headers["Mumian-Signature"] = rules.signature(body, secret(channel.secret), int(time.time()))
    return url, body, headers


def _robot_took(answer: bytes) -> None:
    """The robots of groups answer 200 and say in `errcode` whether they took it; -1 and 45009, 130101 mean: too busy."""
    try:
        told = msgspec.json.decode(answer)
        code, reason = int(told["errcode"]), str(told.get("errmsg", ""))[:200]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise NotNow(reason="the robot's answer cannot be read") from error
    if code in (-1, 45009, 130101):
        raise NotNow(reason=f"errcode {code} {reason}")
    if code:
        raise Refused(reason=f"errcode {code} {reason}")


def _mail(channel: ChannelSpec, message: Outgoing) -> Sent:
    host, _, port = str(channel.server).rpartition(":")
    context = ssl.create_default_context()
    made = rules.email(message, str(channel.sender))
    try:
        server = (
            smtplib.SMTP_SSL(host, int(port), timeout=channel.timeout_seconds, context=context)
            if channel.encryption == "tls"
            else smtplib.SMTP(host, int(port), timeout=channel.timeout_seconds)
        )
        with server:
            if channel.encryption == "starttls":
                server.starttls(context=context)
            if channel.user is not None:
                server.login(channel.user, secret(str(channel.secret)))
            server.send_message(made)
    except (smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as error:
        code = _code(error)
        raise (Refused if 500 <= code < 600 else NotNow)(reason=f"SMTP {code}") from error
    except (smtplib.SMTPException, OSError) as error:
        raise NotNow(reason=f"{type(error).__name__} {error}".strip()[:300]) from error
    return Sent(str(made["Message-ID"]))


def _code(error: smtplib.SMTPException) -> int:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return int(next(iter(error.recipients.values()))[0])
    return int(getattr(error, "smtp_code", 0))
