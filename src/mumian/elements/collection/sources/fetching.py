"""Fetching over HTTP: bounded answers from allowed hosts, tried again when a fault may pass, redirected only where allowed."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from mumian.elements.collection.errors import SourceFailed
from mumian.elements.collection.models import Auth
from mumian.elements.collection.sources.context import Context, secret
from mumian.elements.collection.sources.guard import target
from mumian.kernel.errors import TooLarge

if TYPE_CHECKING:
    import httpx

_PASSING = {408, 425, 429, 500, 502, 503, 504}
_REDIRECTS = {301, 302, 303, 307, 308}
_HOPS = 5
_LONGEST_WAIT = 60.0
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Answer:
    """An answer that was written to a file: where, its headers, and the address that gave it in the end."""

    path: Path
    headers: Mapping[str, str]
    url: str
    bytes: int


class Fetcher:
    """Fetches for one run; close it in the end."""

    def __init__(self, context: Context, auth: Auth | None = None, headers: Mapping[str, str] | None = None) -> None:
        import httpx

        self._context = context
        self._auth = auth
        self._headers = {"Accept-Encoding": "gzip, deflate", "User-Agent": "Mumian", **(headers or {})}
        self._home: tuple[str, str] | None = None
        self._client = httpx.Client(timeout=context.settings.timeout_seconds, trust_env=False, follow_redirects=False)

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def get(self, url: str, params: Mapping[str, str], path: Path, most: int) -> Answer:
        """The answer to GET, written to `path`; raises HostRefused, NoSecret, SourceFailed, TooLarge, Halted."""
        import httpx

        reason = ""
        for attempt in range(self._context.settings.attempts):
            self._context.check()
            wait = min(0.2 * 4**attempt, _LONGEST_WAIT)
            try:
                status, answer = self._follow(url, params, path, most)
            except (httpx.HTTPError, OSError) as error:
                reason = f"{type(error).__name__}: {error}"[:300]
            else:
                if status < 300:
                    return answer
                reason = f"HTTP {status}"
                if status not in _PASSING:
                    break
                wait = _retry_after(answer.headers, wait)
            if attempt + 1 < self._context.settings.attempts:
                self._pause(wait)
        raise SourceFailed(reason=f"{urlsplit(url).netloc[:200]}: {reason}")

    def _follow(self, url: str, params: Mapping[str, str], path: Path, most: int) -> tuple[int, Answer]:
        import httpx

        here = str(httpx.URL(url).copy_merge_params(dict(params))) if params else url
        host = urlsplit(here).netloc
        self._home = self._home or _place(here)
        for _ in range(_HOPS):
            status, answer = self._once(here, path, most, _place(here) == self._home)
            if status not in _REDIRECTS or "location" not in answer.headers:
                return status, answer
            here = urljoin(here, answer.headers["location"])
        raise SourceFailed(reason=f"{host[:200]}: too many redirects")

    def _once(self, url: str, path: Path, most: int, trusted: bool) -> tuple[int, Answer]:
        """One request; what says who we are goes to the host that was asked first and to no other."""
        import httpx

        where = target(url, self._context.settings.hosts)
        headers = {**self._headers, "Host": where.host}
        address: Any = httpx.URL(where.url)
        if self._auth is not None and trusted:
            address = self._authorised(address, headers)
        request = self._client.build_request("GET", address, headers=headers, extensions=_timeouts(where.name, self._context))
        answer = self._client.send(request, stream=True)
        try:
            size = self._written(answer, path, most) if answer.status_code < 300 else 0
        finally:
            answer.close()
        return answer.status_code, Answer(path, answer.headers, url, size)

    def _authorised(self, address: "httpx.URL", headers: dict[str, str]) -> "httpx.URL":
        import base64

        assert self._auth is not None
        value = secret(self._auth.secret)
        match self._auth.by:
            case "bearer":
                headers["Authorization"] = f"Bearer {value}"
            case "basic":
                headers["Authorization"] = "Basic " + base64.b64encode(value.encode()).decode()
            case "header":
                headers[self._auth.name] = value
            case "query":
                return address.copy_merge_params({self._auth.name: value})
        return address

    def _written(self, answer: "httpx.Response", path: Path, most: int) -> int:
        length = answer.headers.get("content-length", "0")
        if length.isdigit() and int(length) > most:
            raise TooLarge(limit=f"{most} bytes")
        size = 0
        with path.open("wb") as stream:
            for chunk in answer.iter_bytes(_CHUNK):
                size += len(chunk)
                if size > most:
                    raise TooLarge(limit=f"{most} bytes")
                self._context.check()
                stream.write(chunk)
        return size

    def _pause(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._context.check()
            time.sleep(min(left, 0.2))


def _place(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def _timeouts(name: str, context: Context) -> dict[str, Any]:
    seconds = context.settings.timeout_seconds
    return {"sni_hostname": name, "timeout": {"connect": seconds, "read": seconds, "write": seconds, "pool": seconds}}


def _retry_after(headers: Mapping[str, str], otherwise: float) -> float:
    told = headers.get("retry-after", "")
    return min(float(told), _LONGEST_WAIT) if told.isdigit() else otherwise
