"""The kind Channel 消息通道: a way by which messages leave the city, and where to."""

from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from mumian.kernel.declarations.kinds import Kind, Spec

_NEEDS = {
    "inbox": (),
    "email": ("server", "sender"),
    "sms": ("url",),
    "webhook": ("url",),
    "wecom": ("url",),
    "dingtalk": ("url",),
}


class ChannelSpec(Spec):
    """How messages leave.

    `inbox` shows them in Mumian; `email` speaks SMTP to `server` (host:port) in the name of `sender`; `webhook` posts JSON,
    signed when there is a secret; `wecom` and `dingtalk` post to the robot of a group; `sms` posts number, signature (`sender`)
    and text as JSON to a gateway. `secret` names a setting `MUMIAN_SECRET_<NAME>`, so that no secret stands in a declaration.
    A message is tried `tries` times, with pauses that double from two seconds to five minutes.
    """

    way: Literal["inbox", "email", "sms", "webhook", "wecom", "dingtalk"]
    url: str | None = Field(None, max_length=2000)
    server: str | None = Field(None, pattern=r"^[A-Za-z0-9.\-\[\]:]+:\d{1,5}$", max_length=300)
    encryption: Literal["none", "starttls", "tls"] = "starttls"
    sender: str | None = Field(None, min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")
    user: str | None = Field(None, min_length=1, max_length=200)
    secret: str | None = Field(None, pattern=r"^[a-z][a-z0-9-]{0,62}$")
    language: Literal["zh", "en", "both"] = "zh"
    tries: int = Field(12, ge=1, le=100)
    timeout_seconds: float = Field(10, gt=0, le=60)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        missing = [name for name in _NEEDS[self.way] if getattr(self, name) is None]
        if missing:
            raise ValueError(f"a channel of the way {self.way} needs {', '.join(missing)}")
        if self.url is not None:
            parts = urlsplit(self.url)
            if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.password:
                raise ValueError("`url` must be an http(s) address without a name and password; put secrets into `secret`")
        if self.user is not None and self.secret is None:
            raise ValueError("`user` needs `secret`, the name of the setting that holds the password")
        return self


KINDS = [Kind("Channel", ChannelSpec, "A way by which messages leave the city: inbox, e-mail, SMS, webhook, WeCom, DingTalk.")]
