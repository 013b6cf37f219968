"""What identity hands out: callers, people and tokens, without their secrets."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from mumian.kernel.unit_of_work import Actor

Decide = Callable[["Caller", str, str | None], bool]
Rights = tuple[str, str, tuple[str, ...], str | None, tuple[str, ...] | None, bool]


def _nothing(caller: "Caller", action: str, resource: str | None) -> bool:
    return False


@dataclass(frozen=True)
class Caller:
    """Who a request comes from: a person's session, a token, or nobody in particular.

    `actor` is what goes into transactions. `person` is the id of the person, for a token that of its owner. `scopes` are the
    action patterns of a token, None for a session. `decide` asks the policies.
    """

    actor: Actor
    person: str | None = None
    login: str | None = None
    title: dict[str, str] = field(default_factory=dict, hash=False)
    scopes: tuple[str, ...] | None = None
    must_change_password: bool = False
    session: str | None = field(default=None, repr=False)
    decide: Decide = field(default=_nothing, repr=False, compare=False)

    @property
    def anonymous(self) -> bool:
        """Whether nobody is signed in."""
        return self.actor.kind == "anonymous"

    @property
    def organisation(self) -> str | None:
        """The name of the caller's organisation."""
        return self.actor.organisation

    def allowed(self, action: str, resource: str | None = None) -> bool:
        """Whether the policies let this caller do `action` on what the organisation `resource` owns; see `api.require`."""
        return self.decide(self, action, resource)

    @cached_property
    def rights(self) -> Rights:
        """All that decisions depend on."""
        actor = self.actor
        return (actor.kind, actor.id, actor.roles, actor.organisation, self.scopes, self.must_change_password)


@dataclass(frozen=True)
class Person:
    """A person who may sign in; times are ISO 8601 UTC texts."""

    id: str
    login: str
    title: dict[str, str]
    organisation: str | None
    roles: tuple[str, ...]
    must_change_password: bool
    disabled: bool
    created: str


@dataclass(frozen=True)
class Token:
    """An API token of a person; the secret itself is shown once and never kept."""

    id: str
    person: str
    title: str
    scopes: tuple[str, ...]
    created: str
    expires: str
    revoked: str | None
