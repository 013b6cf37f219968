"""Cedar policies decide every action, and nothing is open but what one of them says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mumian.foundation.identity import rules
from mumian.foundation.identity.api import Caller, permit, require
from mumian.foundation.identity.errors import PasswordFirst
from mumian.foundation.identity.service.decisions import Decisions
from mumian.kernel.errors import Forbidden, Invalid, Unauthenticated
from mumian.kernel.unit_of_work import Actor
from tests.foundation.identity.conftest import Town

PUBLIC = [
    "city:read",
    "layer:read",
    "stream:read",
    "vital:read",
    "warning:read",
    "indicator:read",
    "evaluation:read",
    "ledger:verify",
]
CLOSED = [
    "incident:read",
    "incident:act",
    "event:read",
    "ledger:read",
    "person:read",
    "declaration:apply",
    "sensing:write",
    "metrics:read",
]


def caller(town: Town, *roles: str, organisation: str | None = None, scopes: tuple[str, ...] | None = None) -> Caller:
    kind = "person" if scopes is None else "token"
    return Caller(Actor("01WHO", kind, roles, organisation), "01WHO", scopes=scopes, decide=town.identity.decisions.allowed)


def nobody(town: Town) -> Caller:
    return town.identity.decisions.anonymous


@pytest.mark.parametrize("action", PUBLIC)
def test_a_stranger_may_see_what_is_public(town: Town, action: str) -> None:
    require(nobody(town), action)


@pytest.mark.parametrize("action", [*CLOSED, "self:read", "anything:else"])
def test_a_stranger_may_do_nothing_else(town: Town, action: str) -> None:
    with pytest.raises(Unauthenticated):
        require(nobody(town), action)


def test_an_administrator_may_do_everything_everywhere(town: Town) -> None:
    admin = caller(town, "administrator")
    for action in (*PUBLIC, *CLOSED, "anything:else"):
        require(admin, action)
        require(admin, action, "north-air")


def test_a_member_without_a_role_may_read_and_not_act(town: Town) -> None:
    member = caller(town, organisation="north")
    for action in ("incident:read", "event:read", "ledger:read", "organisation:read"):
        require(member, action)
    for action in ("incident:act", "person:read", "declaration:apply", "sensing:write"):
        with pytest.raises(Forbidden):
            require(member, action)


def test_an_officer_acts_for_the_own_organisation_and_those_below_it_only(town: Town) -> None:
    district, department = caller(town, "officer", organisation="north"), caller(town, "officer", organisation="north-air")
    require(district, "incident:act")
    require(district, "incident:act", "north")
    require(district, "incident:act", "north-air")
    require(department, "incident:act", "north-air")
    for who, other in (
        (district, "south"),
        (district, "town"),
        (department, "north"),
        (department, "south"),
        (department, "unknown"),
    ):
        with pytest.raises(Forbidden):
            require(who, "incident:act", other)


def test_an_officer_without_an_organisation_acts_for_none(town: Town) -> None:
    for resource in (None, "north", "town"):
        assert not caller(town, "officer").allowed("incident:act", resource)


def test_an_operator_acts_on_every_incident_and_changes_no_people(town: Town) -> None:
    operator = caller(town, "operator", organisation="town")
    require(operator, "incident:act", "south")
    with pytest.raises(Forbidden):
        require(operator, "person:write")


@pytest.mark.parametrize(
    ("scopes", "action", "may"),
    [
        (("sensing:write",), "sensing:write", True),
        (("sensing:*",), "sensing:write", True),
        (("*",), "person:write", True),
        (("sensing:write",), "sensing:erase", False),
        (("sensing:*",), "incident:act", False),
        (("sensing:*",), "vital:read", True),
        (("*",), "self:tokens", False),
        (("self:*",), "self:password", False),
        ((), "sensing:write", False),
        (("event:read",), "event:read", True),
    ],
)
def test_a_token_may_do_what_its_owner_may_within_its_scopes(town: Town, scopes: tuple[str, ...], action: str, may: bool) -> None:
    assert caller(town, "administrator", scopes=scopes).allowed(action) is may


def test_a_token_never_may_more_than_its_owner(town: Town) -> None:
    assert not caller(town, "device", scopes=("*",)).allowed("person:write")
    assert caller(town, "device", scopes=("*",)).allowed("sensing:write")
    assert caller(town, scopes=("event:read",)).allowed("event:read")
    assert not caller(town, scopes=("event:read",)).allowed("ledger:read")


def test_a_one_time_password_opens_nothing_but_the_own_account(town: Town) -> None:
    fresh = Caller(
        Actor("01WHO", "person", ("administrator",)), must_change_password=True, decide=town.identity.decisions.allowed
    )
    require(fresh, "self:password")
    require(fresh, "vital:read")
    with pytest.raises(PasswordFirst):
        require(fresh, "person:write")


def test_a_city_may_drop_the_public_reading(town: Town) -> None:
    require(nobody(town), "vital:read")
    town.apply("{kind: Policy, name: public-read, title: {zh: 不公开, en: Closed}, spec: {cedar: ''}}")
    with pytest.raises(Unauthenticated):
        require(nobody(town), "vital:read")
    require(nobody(town), "session:open")


def test_a_city_may_open_more_and_forbid_more(town: Town) -> None:
    text = """
kind: Policy
name: night
title: {zh: 夜间, en: Night}
spec:
  cedar: |
    permit (principal, action == Action::"incident:read", resource);
    forbid (principal in Role::"officer", action, resource in Organisation::"north-air");
"""
    town.apply(text)
    require(nobody(town), "incident:read")
    with pytest.raises(Forbidden):
        require(caller(town, "officer", organisation="north"), "incident:act", "north-air")
    require(caller(town, "officer", organisation="north"), "incident:act", "north")


def test_a_declared_role_reaches_the_own_organisation_or_the_city(town: Town) -> None:
    town.apply("{kind: Role, name: scribe, title: {zh: 文书, en: Scribe}, spec: {actions: ['note:*', 'incident:act']}}")
    town.apply("{kind: Role, name: herald, title: {zh: 传令, en: Herald}, spec: {actions: ['note:write'], reach: city}}")
    scribe, herald = caller(town, "scribe", organisation="north"), caller(town, "herald", organisation="north")
    assert scribe.allowed("note:write", "north-air")
    assert not scribe.allowed("note:write", "south")
    assert herald.allowed("note:write", "south")
    assert not herald.allowed("note:read", "south")
    assert {"scribe", "herald", "administrator"} <= set(town.identity.accounts.roles())


def test_a_change_of_the_organisations_changes_decisions_at_once(town: Town) -> None:
    officer = caller(town, "officer", organisation="north")
    assert officer.allowed("incident:act", "north-air")
    town.apply("{kind: Organisation, name: north-air, title: {zh: 环保, en: Air}, spec: {level: department, parent: south}}")
    assert not officer.allowed("incident:act", "north-air")


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("{kind: Policy, name: a, title: {zh: 甲, en: A}, spec: {cedar: 'permit (principal'}}", "identity.cedar"),
        (
            "{kind: Policy, name: a, title: {zh: 甲, en: A}, spec: {cedar: 'permit(principal == ?principal,action,resource);'}}",
            "identity.policy_template",
        ),
        ("{kind: Policy, name: token-scope, title: {zh: 甲, en: A}, spec: {cedar: ''}}", "identity.policy_fixed"),
        ("{kind: Policy, name: administrator, title: {zh: 甲, en: A}, spec: {cedar: ''}}", "identity.policy_fixed"),
        ("{kind: Organisation, name: a, title: {zh: 甲, en: A}, spec: {level: city, parent: nowhere}}", "field.reference"),
        ("{kind: Organisation, name: a, title: {zh: 甲, en: A}, spec: {level: city, parent: a}}", "identity.organisation_cycle"),
        (
            "{kind: Organisation, name: town, title: {zh: 甲, en: A}, spec: {level: city, parent: north-air}}",
            "identity.organisation_cycle",
        ),
        ("{kind: Organisation, name: a, title: {zh: 甲, en: A}, spec: {level: galaxy}}", "field.choice"),
        ("{kind: Role, name: a, title: {zh: 甲, en: A}, spec: {actions: ['Incident act']}}", "field.pattern"),
        ("{kind: Role, name: a, title: {zh: 甲, en: A}, spec: {actions: []}}", "field.length"),
    ],
)
def test_bad_declarations_are_refused_with_their_fault(town: Town, text: str, key: str) -> None:
    with pytest.raises(Invalid) as caught:
        town.apply(text)
    assert {fault.key for fault in caught.value.faults} == {key}


def test_actions_are_written_noun_and_verb() -> None:
    for wrong in ("incident", "incident:", ":read", "Incident:read", "incident:*", "a:b:c", ""):
        with pytest.raises(ValueError, match="write it like"):
            permit(wrong)


def test_the_built_in_policies_are_split_by_name_and_the_fixed_ones_are_among_them(town: Town) -> None:
    texts = Decisions(town.platform.declarations).policy_texts()
    assert texts.keys() >= rules.FIXED_POLICIES | {"public-read", "member-read", "officer", "operator", "device", "health"}
    assert all(text.startswith(f'@id("{name}")') and text.rstrip().endswith(";") for name, text in texts.items())


@given(st.text(), st.text(min_size=1), st.sampled_from(["north", 'a"b', "\n", "Organisation::", None]))
def test_no_name_breaks_out_of_a_decision(action: str, role: str, organisation: str | None) -> None:
    decisions = Decisions(_NoDeclarations())  # type: ignore[arg-type]
    actor = Actor(action + '"; permit(principal, action, resource);', "person", (role,), organisation)
    allowed = decisions.allowed(Caller(actor, decide=decisions.allowed), "incident:act", organisation)
    assert allowed is (role in ("administrator", "operator") or (role == "officer" and organisation is not None))


class _NoDeclarations:
    """A city that has declared nothing."""

    revision = 0

    @staticmethod
    def all(kind: str) -> list[object]:
        return []
