"""Decisions: Cedar policies over people, tokens, organisations and roles, cached until a declaration changes."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mumian.foundation.identity import rules
from mumian.foundation.identity.contracts import Caller, Rights
from mumian.kernel.declarations.service import Declarations
from mumian.kernel.unit_of_work import Actor

ANONYMOUS = Actor("anonymous", "anonymous")
_MOST = 50_000
_Key = tuple[Rights, str, str | None]


@dataclass
class _State:
    """What was compiled from one revision of the declarations, and what was decided with it."""

    revision: int
    policies: Any
    organisations: Any
    decided: dict[_Key, bool] = field(default_factory=dict)


class Decisions:
    """Says whether a caller may act."""

    def __init__(self, declarations: Declarations) -> None:
        self._declarations = declarations
        self._state: _State | None = None
        self.anonymous = Caller(ANONYMOUS, decide=self.allowed)

    def allowed(self, caller: Caller, action: str, resource: str | None = None) -> bool:
        """Whether `caller` may do `action` on what the organisation `resource` owns (None: on anything in the own reach).

        What anybody may do, every caller may do, whatever the limits of a token.
        """
        state = self._state
        if state is None or state.revision != self._declarations.revision:
            state = self._state = self._compile()
        key = (caller.rights, action, resource)
        known = state.decided.get(key)
        if known is None:
            known = _decide(state, caller, action, resource) or (
                not caller.anonymous and _decide(state, self.anonymous, action, resource)
            )
            if len(state.decided) >= _MOST:
                state.decided.clear()
            state.decided[key] = known
        return known

    def policy_texts(self) -> dict[str, str]:
        """All policies in force as Cedar text, by name."""
        texts = rules.split_policies(_built_in())
        for role in self._declarations.all("Role"):
            text = rules.role_policy(role.name, role.spec.actions, role.spec.reach == "city")
            texts[f"role.{role.name}"] = text
        for policy in self._declarations.all("Policy"):
            texts[policy.name] = policy.spec.cedar
        return texts

    def _compile(self) -> _State:
        import cedarpy

        revision = self._declarations.revision
        policies = cedarpy.PolicySet.from_str("\n".join(self.policy_texts().values()))
        entities = [
            _entity("Organisation", declared.name, [_uid("Organisation", declared.spec.parent)] if declared.spec.parent else [])
            for declared in self._declarations.all("Organisation")
        ]
        return _State(revision, policies, cedarpy.Entities.from_json_str(json.dumps(entities)))


def _built_in() -> str:
    return (Path(__file__).resolve().parent.parent / "policies.cedar").read_text("utf-8")


def _uid(type_: str, name: str) -> dict[str, str]:
    return {"type": type_, "id": name}


def _entity(type_: str, name: str, parents: list[dict[str, str]], **attributes: Any) -> dict[str, Any]:
    return {"uid": _uid(type_, name), "attrs": attributes, "parents": parents}


def _decide(state: _State, caller: Caller, action: str, resource: str | None) -> bool:
    import cedarpy

    actor = caller.actor
    owner = resource if resource is not None else actor.organisation
    target = _uid("City", "city") if owner is None else _uid("Organisation", owner)
    around = [*_principals(caller), _entity("Action", action, [_uid("Action", group) for group in rules.groups(action)])]
    request = {"principal": _principal(caller), "action": _uid("Action", action), "resource": target}
    answer = cedarpy.is_authorized(request, state.policies, state.organisations.with_added_json_str(json.dumps(around)))
    return bool(answer.allowed)


def _principal(caller: Caller) -> dict[str, str]:
    kinds = {"person": "Person", "token": "Token", "system": "System", "anonymous": "Anonymous"}
    return _uid(kinds[caller.actor.kind], caller.actor.id)


def _principals(caller: Caller) -> list[dict[str, Any]]:
    actor = caller.actor
    shared: dict[str, Any] = {}
    if actor.organisation is not None:
        shared["organisation"] = {"__entity": _uid("Organisation", actor.organisation)}
    roles = [_uid("Role", role) for role in (*actor.roles, rules.MEMBER)]
    if actor.kind == "person":
        return [_entity("Person", actor.id, roles, must_change_password=caller.must_change_password, **shared)]
    if actor.kind == "token":
        scopes = [{"__entity": _uid("Action", scope)} for scope in caller.scopes or ()]
        return [_entity("Token", actor.id, roles, scopes=scopes, **shared)]
    return []
