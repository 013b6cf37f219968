"""Identity for other components: who calls, and whether they may.

An endpoint asks by type: `caller: Annotated[Caller, Depends(permit("incident:read"))]`. A raw ASGI face asks
`caller = await authenticate(platform, scope["headers"], scope["method"])`, then `require(caller, "sensing:write")`.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from starlette.requests import Request
from starlette.routing import Mount

from mumian.foundation.identity import rules, store
from mumian.foundation.identity.contracts import Caller, Person, Token
from mumian.foundation.identity.errors import PasswordFirst
from mumian.foundation.identity.service.accounts import Accounts, PersonDraft, PersonPatch
from mumian.foundation.identity.service.callers import Callers
from mumian.foundation.identity.service.decisions import Decisions
from mumian.foundation.identity.service.evidence import differences as differences
from mumian.foundation.identity.service.passwords import Passwords
from mumian.foundation.identity.service.sign_in import SignIn
from mumian.foundation.identity.settings import IdentitySettings
from mumian.kernel.clock import Clock, SystemClock
from mumian.kernel.errors import Forbidden, Unauthenticated
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Actor, Session

__all__ = [
    "Caller",
    "Identity",
    "Permit",
    "Person",
    "PersonDraft",
    "PersonPatch",
    "Token",
    "actor_for",
    "authenticate",
    "bootstrap",
    "differences",
    "permit",
    "require",
    "route_actions",
]


class Identity:
    """`platform.get(Identity)`: `accounts` makes people and tokens, `sign_in` opens sessions, `decisions` knows the policies.

    Sessions, tokens and back-off live by the machine's clock, also where the city's own clock is replayed.
    """

    def __init__(self, platform: Platform, clock: Clock | None = None, settings: IdentitySettings | None = None) -> None:
        settings = settings or IdentitySettings()
        self.decisions = Decisions(platform.declarations)
        self.callers = Callers(platform.records, self.decisions, clock or SystemClock())
        self.passwords = Passwords(settings)
        self.sign_in = SignIn(platform.records, self.callers, self.passwords, settings)
        self.accounts = Accounts(platform.records, platform.declarations, self.callers, self.passwords, settings)
        self._records = platform.records

    @staticmethod
    def holders(session: Session, role: str, organisation: str | None = None) -> list[str]:
        """The logins of all who may sign in and hold a role, in an organisation or in any."""
        return store.holders(session, role, organisation)

    async def titles(self) -> dict[str, dict[str, str]]:
        """What to show for the id or login of an actor: the {zh, en} title of each person; a token has that of its owner."""
        return await self._records.read(store.titles)


class Permit:
    """A dependency that lets only those pass who may do `action` somewhere in their reach, and gives the endpoint its caller."""

    def __init__(self, action: str) -> None:
        if not rules.ACTION.fullmatch(action):
            raise ValueError(f"{action!r} is not an action; write it like incident:read")
        self.action = action

    async def __call__(self, request: Request) -> Caller:
        """The caller of the request; raises Unauthenticated, Forbidden."""
        platform: Platform = request.app.state.platform
        caller = await authenticate(platform, request.scope["headers"], request.method)
        require(caller, self.action)
        return caller


def permit(action: str) -> Permit:
    """The dependency for endpoints: `Depends(permit("incident:read"))`. Where a thing has an owner, `require` it, too."""
    return Permit(action)


async def authenticate(platform: Platform, headers: Iterable[tuple[bytes, bytes]], method: str = "POST") -> Caller:
    """Who a request with these raw ASGI headers comes from; nobody in particular is the anonymous caller.

    Raises Unauthenticated for a token that is not in force, Forbidden for a change with a cookie from another site.
    """
    return await platform.get(Identity).callers.of(headers, method)


def require(caller: Caller, action: str, resource: str | None = None) -> None:
    """Let pass only who may do `action` on what the organisation named `resource` owns.

    Without a resource it asks whether the caller may do it in the own organisation (or at all, for those without one).
    Raises Unauthenticated when nobody is signed in, PasswordFirst or Forbidden otherwise.
    """
    if caller.decide(caller, action, resource):
        return
    if caller.anonymous:
        raise Unauthenticated
    if caller.must_change_password:
        raise PasswordFirst(action=action)
    raise Forbidden(action=action)


def actor_for(caller: Caller) -> Actor:
    """The actor that goes into `records.write(work, actor)`."""
    return caller.actor


def route_actions(app: Any) -> Iterator[tuple[str, str | None]]:
    """Every route of a FastAPI application as (`METHOD path`, action), action None where a route names none.

    A mounted application names its actions in an attribute `actions`, a list of texts.
    """
    for route in _routes(app.routes):
        if isinstance(route, Mount):
            yield route.path, ", ".join(getattr(route.app, "actions", ())) or None
            continue
        action = _action_of(getattr(route, "dependant", None))
        for method in sorted(getattr(route, "methods", None) or {"GET"}):
            yield f"{method} {route.path}", action


def _routes(routes: Iterable[Any]) -> Iterator[Any]:
    for route in routes:
        included = getattr(route, "effective_route_contexts", None)
        yield from [route] if included is None else included()


def _action_of(dependant: Any) -> str | None:
    for dependency in getattr(dependant, "dependencies", ()):
        found = dependency.call.action if isinstance(dependency.call, Permit) else _action_of(dependency)
        if found is not None:
            return str(found)
    return None


def bootstrap(platform: Platform) -> str | None:
    """At the very first start, make the administrator `admin` and return the one-time password; later, return None.

    For synchronous callers; the password is kept nowhere. `accounts.reset_password_now("admin")` makes a new one.
    """
    if platform.records.read_now(store.anybody):
        return None
    title = rules.BUILT_IN_ROLES["administrator"]
    draft = PersonDraft("admin", title, None, ("administrator",))
    return platform.get(Identity).accounts.create_person_now(draft)[1]
