"""Callers: who a request comes from, by its bearer token or session cookie, remembered for a few seconds."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from mumian.foundation.identity import rules, store
from mumian.foundation.identity.contracts import Caller, Person
from mumian.foundation.identity.errors import BadToken, CrossSite
from mumian.foundation.identity.service.decisions import Decisions
from mumian.kernel.clock import Clock, parse_iso
from mumian.kernel.unit_of_work import Actor, Records, Session

COOKIE = "mumian_session"
_REMEMBERED = timedelta(seconds=5)
_MOST = 10_000
_WANTED = {b"authorization", b"cookie", b"host", b"origin", b"sec-fetch-site"}


@dataclass(frozen=True)
class _Known:
    caller: Caller
    until: datetime


class Callers:
    """Finds the caller of a request; what was found is asked again after five seconds, or at once when something changed here."""

    def __init__(self, records: Records, decisions: Decisions, clock: Clock) -> None:
        self._records = records
        self._decisions = decisions
        self.clock = clock
        self._known: dict[bytes, _Known] = {}
        self._generation = 0

    def forget(self) -> None:
        """Ask again for everybody: somebody's sessions, tokens or roles changed."""
        self._generation += 1
        self._known.clear()

    async def of(self, headers: Iterable[tuple[bytes, bytes]], method: str) -> Caller:
        """The caller of a request with these raw headers (names in lower case).

        Raises BadToken for a bearer token that is not in force, CrossSite for a change with a cookie from another site.
        A session that ended is nobody.
        """
        found = {name: value for name, value in headers if name in _WANTED}
        authorization = found.get(b"authorization")
        if authorization is not None and authorization[:7].lower() == b"bearer ":
            return await self._by_token(authorization[7:].strip())
        cookie = session_cookie(found.get(b"cookie"))
        if cookie is None:
            return self._decisions.anonymous
        caller = await self._by_session(cookie)
        if not caller.anonymous and not rules.same_origin(method, origin_of(found)):
            raise CrossSite(action=method)
        return caller

    async def _by_token(self, secret: bytes) -> Caller:
        key = sha256(b"token" + secret).digest()
        now = self.clock.now()
        known = self._known.get(key)
        if known is not None and known.until > now:
            return known.caller
        generation = self._generation
        digest = sha256(secret).hexdigest()
        caller, expires = await self._records.read(lambda session: self._token_caller(session, digest, now))
        self._remember(key, caller, now, expires, generation)
        return caller

    def _token_caller(self, session: Session, digest: str, now: datetime) -> tuple[Caller, str]:
        owned = store.token_owner(session, digest, now)
        if owned is None:
            raise BadToken
        token, person = owned
        actor = Actor(token.id, "token", person.roles, person.organisation)
        return (
            Caller(actor, person.id, person.login, person.title, token.scopes, decide=self._decisions.allowed),
            token.expires,
        )

    async def _by_session(self, secret: bytes) -> Caller:
        key = sha256(b"session" + secret).digest()
        now = self.clock.now()
        known = self._known.get(key)
        if known is not None and known.until > now:
            return known.caller
        generation = self._generation
        id_ = sha256(secret).hexdigest()
        owned = await self._records.read(lambda session: store.session_owner(session, id_, now))
        if owned is None:
            return self._decisions.anonymous
        caller = self.of_person(owned[0], id_)
        self._remember(key, caller, now, owned[1], generation)
        return caller

    def of_person(self, person: Person, session: str | None) -> Caller:
        """A person as caller."""
        actor = Actor(person.id, "person", person.roles, person.organisation)
        must = person.must_change_password
        return Caller(actor, person.id, person.login, person.title, None, must, session, self._decisions.allowed)

    def _remember(self, key: bytes, caller: Caller, now: datetime, expires: str, generation: int) -> None:
        if generation != self._generation:
            return
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[key] = _Known(caller, min(now + _REMEMBERED, parse_iso(expires)))


def session_cookie(header: bytes | None) -> bytes | None:
    """The session id in a Cookie header."""
    for part in (header or b"").split(b";"):
        name, _, value = part.strip().partition(b"=")
        if name == COOKIE.encode() and value:
            return value
    return None


def origin_of(found: dict[bytes, bytes]) -> rules.Origin:
    """What the headers say about where the request comes from."""

    def text(name: bytes) -> str | None:
        value = found.get(name)
        return None if value is None else value.decode("latin-1")

    return rules.Origin(text(b"host"), text(b"origin"), text(b"sec-fetch-site"))
