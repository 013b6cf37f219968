"""Decisions of identity that need no store: passwords, back-off, scopes, origins, and roles written as policies."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

ACTION = re.compile(r"[a-z][a-z-]*:[a-z][a-z-]*")
SCOPE = re.compile(r"\*|[a-z][a-z-]*:(\*|[a-z][a-z-]*)")
LOGIN_PATTERN = r"^[a-z0-9][a-z0-9._-]{1,63}$"
BUILT_IN_ROLES: dict[str, dict[str, str]] = {
    "administrator": {"zh": "系统管理员", "en": "Administrator"},
    "operator": {"zh": "运管中心值班员", "en": "Operator"},
    "officer": {"zh": "部门处置人员", "en": "Officer"},
    "device": {"zh": "物联设备", "en": "Device"},
}
MEMBER = "member"
FIXED_POLICIES = frozenset(
    {"sign-in", "device-enrolment", "own-account", "administrator", "token-scope", "token-no-account", "password-first"}
)
LEAST_PASSWORD = 10
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_FREE_ATTEMPTS = 5
_LONGEST_WAIT = 300


@dataclass(frozen=True)
class Origin:
    """Where a browser says that a request comes from: the headers Host, Origin and Sec-Fetch-Site."""

    host: str | None = None
    origin: str | None = None
    site: str | None = None


def password_fault(login: str, password: str) -> str | None:
    """The translation key of what is wrong with a new password, or None."""
    if len(password) < LEAST_PASSWORD:
        return "identity.password.short"
    if len(set(password)) < 5:
        return "identity.password.simple"
    if login.lower() in password.lower():
        return "identity.password.login"
    return None


def wait_seconds(failures: int) -> int:
    """How long a login is blocked after so many failures in a row: five are free, then it doubles up to five minutes."""
    over = failures - _FREE_ATTEMPTS
    return 0 if over < 0 else min(2 ** min(over, 30), _LONGEST_WAIT)


def groups(action: str) -> tuple[str, str]:
    """The groups that an action belongs to: all of its noun, and all there are."""
    return f"{action.partition(':')[0]}:*", "*"


def same_origin(method: str, where: Origin) -> bool:
    """Whether a request with a cookie may change something: it is safe, or says that it comes from this very site.

    Sec-Fetch-Site decides where a browser sends it; otherwise the host of Origin must be the Host asked.
    """
    if method in _SAFE:
        return True
    if where.site is not None:
        return where.site in ("same-origin", "none")
    if not where.origin or not where.host:
        return False
    return where.origin.partition("://")[2].lower() == where.host.lower()


def foreign(where: Origin) -> bool:
    """Whether a request says that it comes from another site; silence is not foreign."""
    known = where.site is not None or where.origin is not None
    return known and not same_origin("POST", where)


def quoted(text: str) -> str:
    """A Cedar string literal."""
    return json.dumps(text)


def role_policy(role: str, actions: Sequence[str], everywhere: bool) -> str:
    """A role's permissions as a Cedar policy: on everything, or on what belongs to the own organisation and those below."""
    listed = ", ".join(f"Action::{quoted(action)}" for action in actions)
    scope = "" if everywhere else "\nwhen { principal has organisation && resource in principal.organisation }"
    return f"@id({quoted('role.' + role)})\npermit (principal in Role::{quoted(role)}, action in [{listed}], resource){scope};\n"


def split_policies(text: str) -> dict[str, str]:
    """The policies of a Cedar file in which each opens with an `@id("…")` line, by id; comment lines are left out."""
    bare = re.sub(r"^//.*\n", "", text, flags=re.MULTILINE)
    parts = re.split(r'^@id\("([^"]+)"\)$', bare, flags=re.MULTILINE)
    return {name: f"@id({quoted(name)}){body.rstrip()}\n" for name, body in zip(parts[1::2], parts[2::2], strict=True)}


def beyond(roles: Iterable[str], own: Sequence[str]) -> list[str]:
    """Those roles that somebody with the `own` roles can neither give to others nor act on; administrators can all."""
    return [] if "administrator" in own else [role for role in roles if role not in own]


def cycle(parents: dict[str, str | None], start: str) -> list[str] | None:
    """The circle that the chain of parents from `start` runs into, or None."""
    path = [start]
    while (parent := parents.get(path[-1])) is not None:
        if parent in path:
            return [*path[path.index(parent) :], parent]
        path.append(parent)
    return None


def bad_scopes(scopes: Iterable[str]) -> list[str]:
    """Those that are neither an action, nor `noun:*`, nor `*`."""
    return [scope for scope in scopes if not SCOPE.fullmatch(scope)]
