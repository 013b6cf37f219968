"""Accounts: people and their tokens, made and changed by those who may."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from mumian.foundation.identity import rules, store
from mumian.foundation.identity.contracts import Caller, Person, Token
from mumian.foundation.identity.errors import LoginTaken
from mumian.foundation.identity.events import PasswordChanged, PersonChanged, TokenCreated, TokenRevoked
from mumian.foundation.identity.service.callers import Callers
from mumian.foundation.identity.service.passwords import Passwords, one_time
from mumian.foundation.identity.settings import IdentitySettings
from mumian.kernel.clock import iso
from mumian.kernel.declarations.service import Declarations
from mumian.kernel.errors import Fault, Invalid, NotFound
from mumian.kernel.ids import new_id
from mumian.kernel.unit_of_work import SYSTEM, Actor, Records, Transaction


@dataclass(frozen=True)
class PersonDraft:
    """What is said about a person that is to be."""

    login: str
    title: dict[str, str]
    organisation: str | None
    roles: tuple[str, ...]


@dataclass(frozen=True)
class PersonPatch:
    """What shall change about a person; None leaves it as it is."""

    title: dict[str, str] | None = None
    organisation: str | None = None
    roles: tuple[str, ...] | None = None
    disabled: bool | None = None


class Accounts:
    """Makes and changes people and tokens."""

    def __init__(
        self, records: Records, declarations: Declarations, callers: Callers, passwords: Passwords, settings: IdentitySettings
    ) -> None:
        self._records = records
        self._declarations = declarations
        self._callers = callers
        self._passwords = passwords
        self._settings = settings

    def roles(self) -> dict[str, dict[str, str]]:
        """The titles of all roles, built in and declared, by name."""
        return rules.BUILT_IN_ROLES | {role.name: role.title for role in self._declarations.all("Role")}

    async def create_person(self, draft: PersonDraft, by: Actor = SYSTEM) -> tuple[Person, str]:
        """A new person and the one-time password, which must be changed at the first sign-in; raises Invalid, LoginTaken."""
        self._check(draft.organisation, draft.roles)
        password = one_time()
        hashed = await self._passwords.hash(password)
        return await self._records.write(lambda tx: self._insert(tx, draft, hashed), by), password

    def create_person_now(self, draft: PersonDraft, by: Actor = SYSTEM) -> tuple[Person, str]:
        """`create_person` for synchronous callers."""
        self._check(draft.organisation, draft.roles)
        password = one_time()
        hashed = self._passwords.hash_now(password)
        return self._records.write_now(lambda tx: self._insert(tx, draft, hashed), by), password

    async def change_person(self, person: str, patch: PersonPatch, by: Actor) -> Person:
        """Change a person; closing an account ends its sessions and tokens at once. Raises NotFound, Invalid."""
        self._check(patch.organisation, patch.roles or ())
        changed = await self._records.write(lambda tx: self._change(tx, person, patch), by)
        self._callers.forget()
        return changed

    async def reset_password(self, person: str, by: Actor) -> str:
        """A new one-time password; all sessions of the person end. Raises NotFound."""
        password = one_time()
        hashed = await self._passwords.hash(password)
        await self._records.write(lambda tx: self._reset(tx, person, hashed), by)
        self._callers.forget()
        return password

    def reset_password_now(self, login: str) -> str:
        """A new one-time password for a login, for whoever has the machine itself; raises NotFound."""
        found = self._records.read_now(lambda session: store.account_by_login(session, login.lower()))
        if found is None:
            raise NotFound(kind="person", name=login)
        password = one_time()
        hashed = self._passwords.hash_now(password)
        self._records.write_now(lambda tx: self._reset(tx, found.person.id, hashed))
        self._callers.forget()
        return password

    async def create_token(
        self, person: str, title: str, scopes: Sequence[str], expires: datetime | None = None, by: Actor = SYSTEM
    ) -> tuple[Token, str]:
        """A new token of a person and its secret, which is not kept; without `expires` it lives longest. Raises Invalid."""
        token, secret = self._draft_token(person, title, scopes, expires)
        await self._records.write(lambda tx: _insert_token(tx, token, secret), by)
        return token, secret

    def create_token_now(
        self, person: str, title: str, scopes: Sequence[str], expires: datetime | None = None, by: Actor = SYSTEM
    ) -> tuple[Token, str]:
        """`create_token` for synchronous callers."""
        token, secret = self._draft_token(person, title, scopes, expires)
        self._records.write_now(lambda tx: _insert_token(tx, token, secret), by)
        return token, secret

    async def revoke_token(self, caller: Caller, id_: str) -> None:
        """Revoke a token of one's own, or of a person whom the caller may change; raises NotFound for all others."""
        token = await self._records.read(lambda session: store.token(session, id_))
        if token.person != caller.person:
            owner = (await self._records.read(lambda session: store.account(session, token.person))).person
            if not _may_change(caller, owner):
                raise NotFound(kind="token", name=id_)
        now = self._callers.clock.now()

        def work(tx: Transaction) -> None:
            if store.revoke_token(tx.session, id_, now):
                tx.emit(TokenRevoked(subject=id_, person=token.person, revoked=iso(now)))

        await self._records.write(work, caller.actor)
        self._callers.forget()

    async def of_login(self, login: str) -> Person | None:
        """The person with that login, open or closed; None where there is none."""
        found = await self._records.read(lambda session: store.account_by_login(session, login))
        return None if found is None else found.person

    def issue(
        self, tx: Transaction, person: str, title: str, scopes: Sequence[str], expires: datetime | None = None
    ) -> tuple[Token, str]:
        """`create_token` within a transaction of the caller's, for a component that hands out tokens itself."""
        token, secret = self._draft_token(person, title, scopes, expires)
        _insert_token(tx, token, secret)
        return token, secret

    def withdraw(self, tx: Transaction, id_: str) -> None:
        """Revoke a token that a component issued, in its transaction; `callers.forget()` after it lets that count at once."""
        token, now = store.token(tx.session, id_), self._callers.clock.now()
        if store.revoke_token(tx.session, id_, now):
            tx.emit(TokenRevoked(subject=id_, person=token.person, revoked=iso(now)))

    def _draft_token(self, person: str, title: str, scopes: Sequence[str], expires: datetime | None) -> tuple[Token, str]:
        now, most = self._callers.clock.now(), self._settings.token_days
        until = expires or now + timedelta(days=most)
        faults = [Fault("scopes", "identity.scope", {"scope": scope}) for scope in rules.bad_scopes(scopes)]
        if not scopes:
            faults.append(Fault("scopes", "field.missing", {}))
        if not now < until <= now + timedelta(days=most, minutes=1):
            faults.append(Fault("expires", "identity.expiry", {"most": most}))
        if faults:
            raise Invalid(*faults)
        return Token(new_id(), person, title, tuple(scopes), iso(now), iso(until), None), f"mmn_{secrets.token_urlsafe(32)}"

    def _check(self, organisation: str | None, roles: Sequence[str]) -> None:
        faults = []
        if organisation is not None and organisation not in {o.name for o in self._declarations.all("Organisation")}:
            faults.append(Fault("organisation", "field.reference", {"kind": "Organisation", "name": organisation}))
        known = self.roles()
        faults += [Fault("roles", "field.reference", {"kind": "Role", "name": role}) for role in roles if role not in known]
        if faults:
            raise Invalid(*faults)

    def _insert(self, tx: Transaction, draft: PersonDraft, hashed: str) -> Person:
        if store.account_by_login(tx.session, draft.login) is not None:
            raise LoginTaken(login=draft.login)
        created = iso(self._callers.clock.now())
        person = Person(new_id(), draft.login, draft.title, draft.organisation, draft.roles, True, False, created)
        store.insert_person(tx.session, store.Account(person, hashed))
        _tell(tx, person)
        return person

    @staticmethod
    def _change(tx: Transaction, id_: str, patch: PersonPatch) -> Person:
        known = store.account(tx.session, id_).person
        person = replace(
            known,
            title=patch.title or known.title,
            organisation=patch.organisation or known.organisation,
            roles=known.roles if patch.roles is None else patch.roles,
            disabled=known.disabled if patch.disabled is None else patch.disabled,
        )
        if person.disabled:
            store.close_sessions(tx.session, id_)
        store.update_person(tx.session, person)
        _tell(tx, person)
        return person

    @staticmethod
    def _reset(tx: Transaction, id_: str, hashed: str) -> None:
        login = store.account(tx.session, id_).person.login
        store.update_password(tx.session, id_, hashed, must_change=True)
        store.close_sessions(tx.session, id_)
        store.forget_attempts(tx.session, login)
        tx.emit(PasswordChanged(subject=id_, reset=True, state=store.person_state(tx.session, id_)))


def _may_change(caller: Caller, person: Person) -> bool:
    """Only people of organisations in the caller's reach, and none who have a role that the caller has not."""
    if not caller.allowed("person:write", person.organisation):
        return False
    placed = person.organisation is not None or "administrator" in caller.actor.roles
    return placed and not rules.beyond(person.roles, caller.actor.roles)


def _tell(tx: Transaction, person: Person) -> None:
    state, roles = store.person_state(tx.session, person.id), list(person.roles)
    tx.emit(
        PersonChanged(subject=person.id, organisation=person.organisation, roles=roles, disabled=person.disabled, state=state)
    )


def _insert_token(tx: Transaction, token: Token, secret: str) -> None:
    store.account(tx.session, token.person)
    state = store.put_token(tx.session, token, store.digest(secret))
    scopes = list(token.scopes)
    tx.emit(TokenCreated(subject=token.id, person=token.person, scopes=scopes, expires=token.expires, state=state))
