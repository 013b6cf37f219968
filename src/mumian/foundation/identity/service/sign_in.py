"""Signing in and out, and changing one's own password, with back-off for whoever guesses."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from mumian.foundation.identity import rules, store
from mumian.foundation.identity.contracts import Caller, Person
from mumian.foundation.identity.errors import BadCredentials, WaitBeforeRetry
from mumian.foundation.identity.events import PasswordChanged, SignedIn, SignedOut, SignInFailed
from mumian.foundation.identity.service.callers import Callers
from mumian.foundation.identity.service.decisions import ANONYMOUS
from mumian.foundation.identity.service.passwords import Passwords
from mumian.foundation.identity.settings import IdentitySettings
from mumian.kernel.clock import parse_iso
from mumian.kernel.errors import Fault, Invalid
from mumian.kernel.unit_of_work import Actor, Records, Transaction

_FORGOTTEN = timedelta(days=1)
_TOLD_EVERY = timedelta(minutes=1)


@dataclass(frozen=True)
class Opened:
    """A new session: its secret goes into the cookie and is not kept."""

    person: Person
    secret: str
    expires: datetime


@dataclass
class _Refusals:
    """Failures of a subject: when the last event about them was emitted, and how many there were since."""

    told: datetime | None = None
    times: int = 0


class SignIn:
    """Opens and closes sessions."""

    def __init__(self, records: Records, callers: Callers, passwords: Passwords, settings: IdentitySettings) -> None:
        self._records = records
        self._callers = callers
        self._passwords = passwords
        self._settings = settings
        self._refusals: dict[str, _Refusals] = {}

    async def open(self, login: str, password: str) -> Opened:
        """Check a password and open a session; raises BadCredentials, WaitBeforeRetry."""
        login = login.strip().lower()
        account = await self._checked(login, password)
        if account is None or account.person.disabled:
            raise BadCredentials
        renewed = await self._passwords.hash(password) if self._passwords.outdated(account.password) else None
        secret, now = secrets.token_urlsafe(32), self._callers.clock.now()
        expires = now + timedelta(hours=self._settings.session_hours)

        def work(tx: Transaction) -> None:
            _unchanged(tx, account)
            store.forget_attempts(tx.session, login)
            if renewed is not None:
                store.update_password(tx.session, account.person.id, renewed, account.person.must_change_password)
            session = store.put_session(tx.session, store.digest(secret), account.person.id, now, expires)
            state = store.person_state(tx.session, account.person.id)
            tx.emit(SignedIn(subject=account.person.id, state=state, session=session))

        await self._records.write(work, Actor(account.person.id, "person", account.person.roles, account.person.organisation))
        return Opened(account.person, secret, expires)

    async def close(self, caller: Caller) -> None:
        """End the caller's session."""
        assert caller.session is not None
        session, person = caller.session, caller.person or ""

        def work(tx: Transaction) -> None:
            store.close_session(tx.session, session)
            tx.emit(SignedOut(subject=person))

        await self._records.write(work, caller.actor)
        self._callers.forget()

    async def change_password(self, caller: Caller, current: str, new: str) -> None:
        """Replace the caller's password and end all other sessions; raises Invalid, WaitBeforeRetry."""
        login = caller.login or ""
        account = await self._checked(login, current)
        if account is None:
            raise Invalid.field("current", "identity.password.wrong")
        fault = "identity.password.same" if new == current else rules.password_fault(login, new)
        if fault is not None:
            raise Invalid(Fault("new", fault, {"least": rules.LEAST_PASSWORD}))
        hashed = await self._passwords.hash(new)

        def work(tx: Transaction) -> None:
            _unchanged(tx, account)
            store.forget_attempts(tx.session, login)
            store.update_password(tx.session, account.person.id, hashed, must_change=False)
            store.close_sessions(tx.session, account.person.id, except_for=caller.session or "")
            state = store.person_state(tx.session, account.person.id)
            tx.emit(PasswordChanged(subject=account.person.id, reset=False, state=state))

        await self._records.write(work, caller.actor)
        self._callers.forget()

    async def _checked(self, login: str, password: str) -> store.Account | None:
        """The account if the password fits. The attempt counts before it is checked, so that many at once gain nothing."""
        failures, account = await self._records.write(lambda tx: self._count(tx, login))
        if await self._passwords.fits(None if account is None else account.password, password):
            return account
        subject = "unknown" if account is None else account.person.id
        await self._tell(subject, failures)
        return None

    async def _tell(self, subject: str, attempt: int) -> None:
        """Guessing must not fill the ledger, which never forgets: one entry a minute stands for all failures of a subject."""
        refusals, now = self._refusals.setdefault(subject, _Refusals()), self._callers.clock.now()
        refusals.times += 1
        if refusals.told is not None and abs(now - refusals.told) < _TOLD_EVERY:
            return
        refused = SignInFailed(subject=subject, attempt=attempt, times=refusals.times)
        refusals.told, refusals.times = now, 0
        await self._records.write(lambda tx: tx.emit(refused), ANONYMOUS)

    def _count(self, tx: Transaction, login: str) -> tuple[int, store.Account | None]:
        now = self._callers.clock.now()
        failures, blocked_until = store.attempts(tx.session, login)
        if blocked_until and parse_iso(blocked_until) > now:
            raise WaitBeforeRetry(seconds=ceil((parse_iso(blocked_until) - now).total_seconds()))
        failures += 1
        until = now + timedelta(seconds=rules.wait_seconds(failures))
        store.put_attempts(tx.session, login, failures, until, now - _FORGOTTEN)
        return failures, store.account_by_login(tx.session, login)


def _unchanged(tx: Transaction, checked: store.Account) -> None:
    """The password that was checked outside of the transaction must still be the one in force."""
    if store.account(tx.session, checked.person.id).password != checked.password:
        raise BadCredentials
