"""Events of identity; none carries a secret, a name or a login, subjects are ids.

`state` is a digest of all that is stored about the subject, salted by the password's own salt or the token's digest: with it
the ledger shows when somebody changed an account, a token or a session behind the city's back.
"""

from dataclasses import dataclass
from typing import ClassVar

from mumian.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class SignedIn(Event):
    """A person (the subject) opened a session; `session` is a digest of what is stored about that."""

    type: ClassVar[str] = "identity.session.opened"
    state: str
    session: str


@dataclass(frozen=True, kw_only=True)
class SignedOut(Event):
    """A person (the subject) closed a session."""

    type: ClassVar[str] = "identity.session.closed"


@dataclass(frozen=True, kw_only=True)
class SignInFailed(Event):
    """Someone tried to sign in as the subject, or as `unknown`, and did not succeed; told once a minute for each subject.

    `attempt` counts since the last success with that login, `times` the failures since the last such event, this one included.
    """

    type: ClassVar[str] = "identity.session.refused"
    attempt: int
    times: int


@dataclass(frozen=True, kw_only=True)
class PasswordChanged(Event):
    """The password of the subject changed; `reset` when an administrator did it."""

    type: ClassVar[str] = "identity.password.changed"
    reset: bool
    state: str


@dataclass(frozen=True, kw_only=True)
class TokenCreated(Event):
    """The token (the subject) of `person` came into being, with `scopes` until `expires`."""

    type: ClassVar[str] = "identity.token.created"
    person: str
    scopes: list[str]
    expires: str
    state: str


@dataclass(frozen=True, kw_only=True)
class TokenRevoked(Event):
    """The token (the subject) of `person` was revoked at the instant `revoked`."""

    type: ClassVar[str] = "identity.token.revoked"
    person: str
    revoked: str


@dataclass(frozen=True, kw_only=True)
class PersonChanged(Event):
    """A person (the subject) was created or changed; what is in force since."""

    type: ClassVar[str] = "identity.person.changed"
    organisation: str | None
    roles: list[str]
    disabled: bool
    state: str
