"""Credentials of devices: enrolment by a one-time secret or by the device's own key, tokens of its own, rotation, revocation."""

import base64
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import compare_digest
from hmac import digest as hmac_digest

from mumian.foundation.devices import store
from mumian.foundation.devices.contracts import Device
from mumian.foundation.devices.errors import BadEnrolment, NoDevice, NotPossible
from mumian.foundation.devices.events import CredentialChanged
from mumian.foundation.devices.service.life import Lives
from mumian.foundation.devices.settings import DeviceSettings
from mumian.foundation.identity.api import Caller, Identity, PersonDraft
from mumian.kernel.clock import iso
from mumian.kernel.errors import Conflict, Invalid
from mumian.kernel.ids import new_id
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Actor, Row, Session, Transaction

SCOPES = ("sensing:write", "device:report", "task:read")
LOGIN = "devices."
_COLUMNS = "id, code, type, public_key, created, expires, revoked"
_TOKENS = 2


@dataclass(frozen=True)
class Issued:
    """A new token of a device; the secret is shown this once."""

    id: str
    secret: str
    expires: str


class Credentials:
    """Hands credentials out and takes them back. Tokens are identity's, of an account of the device's owner."""

    def __init__(self, platform: Platform, lives: Lives, settings: DeviceSettings) -> None:
        self._platform = platform
        self._lives = lives
        self._settings = settings
        self._key = secrets.token_bytes(32)  # of this process: what it asked before a restart is asked again

    @property
    def _identity(self) -> Identity:
        return self._platform.get(Identity)

    def _now(self) -> datetime:
        return self._identity.callers.clock.now()

    async def offer(self, code: str, by: Actor) -> tuple[str, str]:
        """A one-time secret with which the device can enrol, and until when; an earlier one is void. Raises NotPossible."""
        secret, expires = secrets.token_urlsafe(24), iso(self._now() + timedelta(hours=self._settings.enrolment_hours))

        def work(tx: Transaction) -> None:
            _may_enrol(self._lives.find(tx.session, code))
            tx.session.execute(
                "INSERT INTO devices_enrolment (code, digest, expires) VALUES (:code, :digest, :expires) "
                "ON CONFLICT (code) DO UPDATE SET digest = :digest, expires = :expires",
                code=code,
                digest=_digest(secret),
                expires=expires,
            )
            tx.emit(CredentialChanged(subject=code, action="offered", credential="", expires=expires))

        await self._platform.records.write(work, by)
        return secret, expires

    async def enrol(self, code: str, secret: str, public_key: str | None = None) -> tuple[Device, Issued]:
        """Turn a one-time secret into the device's token, and bind its Ed25519 key (base64) if any. Raises BadEnrolment."""
        key = None if public_key is None else _public_key(public_key)
        account = await self._account((await self._platform.records.read(lambda s: self._offered(s, code, secret))).owner)

        def work(tx: Transaction) -> tuple[Device, Issued]:
            found = self._offered(tx.session, code, secret)
            _may_enrol(found)
            tx.session.execute("DELETE FROM devices_enrolment WHERE code = :code", code=code)
            self._revoke_all(tx, code)
            if key is not None:
                self._keep(tx, code, new_id(), "key", key, None, "bound")
            return found, self._issue(tx, found, account, timedelta(days=self._settings.token_days))

        made = await self._platform.records.write(work)
        self._identity.callers.forget()
        return made

    def _offered(self, session: Session, code: str, secret: str) -> Device:
        """The device to which an enrolment secret in force belongs; raises BadEnrolment."""
        kept = session.row("SELECT digest, expires FROM devices_enrolment WHERE code = :code", code=code)
        device = store.find(session, code)
        fits = kept is not None and kept["expires"] > iso(self._now()) and compare_digest(kept["digest"], _digest(secret))
        if device is None or not fits:
            raise BadEnrolment
        return device

    def challenge(self, code: str) -> tuple[str, str]:
        """A text for a device to sign with its key, and until when; nothing is kept of it, and it tells not who has a key."""
        expires = iso(self._now() + timedelta(seconds=self._settings.challenge_seconds))
        begin = f"{expires}/{secrets.token_urlsafe(16)}"
        return f"{begin}/{self._seal(code, begin)}", expires

    async def prove(self, code: str, nonce: str, signature: str) -> tuple[Device, Issued]:
        """Turn a signed challenge into a token that lives some hours; each serves once. Raises BadEnrolment."""
        begin, _, seal = nonce.rpartition("/")
        expires, now = begin.partition("/")[0], iso(self._now())
        if not compare_digest(seal.encode(), self._seal(code, begin).encode()) or expires <= now:
            raise BadEnrolment
        device, key = await self._platform.records.read(lambda session: (store.find(session, code), _key_of(session, code)))
        if device is None or key is None or not _signed(key, statement(code, nonce), signature):
            raise BadEnrolment
        account = await self._account(device.owner)

        def work(tx: Transaction) -> tuple[Device, Issued]:
            tx.session.execute("DELETE FROM devices_proof WHERE expires <= :now", now=now)
            sql = "INSERT INTO devices_proof (nonce, expires) VALUES (:nonce, :expires) ON CONFLICT (nonce) DO NOTHING"
            found = self._lives.find(tx.session, code)
            if not tx.session.execute(sql, nonce=nonce, expires=expires) or _key_of(tx.session, code) != key:
                raise BadEnrolment
            _may_enrol(found)
            return found, self._issue(tx, found, account, timedelta(hours=self._settings.key_token_hours))

        return await self._platform.records.write(work)

    def _seal(self, code: str, begin: str) -> str:
        return hmac_digest(self._key, f"{code}/{begin}".encode("utf-8", "surrogatepass"), "sha256").hex()

    async def rotate(self, code: str, by: Actor) -> Issued:
        """Another token for an enrolled device; the one it has stays until it confirms the new one, so that none is lost."""
        device = await self._platform.records.read(lambda session: self._lives.find(session, code))
        account = await self._account(device.owner)

        def work(tx: Transaction) -> Issued:
            found = self._lives.find(tx.session, code)
            _may_enrol(found)
            spare = [row["id"] for row in self.listed(tx.session, code, True) if row["type"] == "token" and row["id"] != by.id]
            for id_ in spare:
                self._revoke(tx, code, id_)
            return self._issue(tx, found, account, timedelta(days=self._settings.token_days))

        made = await self._platform.records.write(work, by)
        self._identity.callers.forget()
        return made

    async def confirm(self, code: str, by: Actor) -> int:
        """The device uses the token it calls with from now on: its others are revoked. Returns how many."""

        def work(tx: Transaction) -> int:
            others = [row["id"] for row in self.listed(tx.session, code, True) if row["type"] == "token" and row["id"] != by.id]
            for id_ in others:
                self._revoke(tx, code, id_)
            return len(others)

        done = await self._platform.records.write(work, by)
        self._identity.callers.forget()
        return done

    async def revoke(self, code: str, id_: str, by: Actor) -> None:
        """Take a credential back at once; nothing happens where there is none."""
        await self._platform.records.write(lambda tx: self._revoke(tx, code, id_), by)
        self._identity.callers.forget()

    def withdraw(self, tx: Transaction, code: str) -> None:
        """Take everything back that a device has, in the caller's transaction: it was retired or belongs to others now."""
        tx.session.execute("DELETE FROM devices_enrolment WHERE code = :code", code=code)
        self._revoke_all(tx, code)

    def forget(self) -> None:
        """Let identity look at tokens anew, after a commit that withdrew some."""
        self._identity.callers.forget()

    def device_of(self, session: Session, caller: Caller) -> str:
        """The code of the device that calls; raises NoDevice."""
        row = None
        if is_device(caller):
            sql = "SELECT code FROM devices_credential WHERE id = :id AND revoked IS NULL"
            row = session.row(sql, id=caller.actor.id)
        if row is None:
            raise NoDevice(action="device:report")
        return str(row["code"])

    @staticmethod
    def listed(session: Session, code: str, in_force: bool = False) -> list[Row]:
        """The credentials of a device, newest first, without their secrets."""
        only = " AND revoked IS NULL" if in_force else ""
        return session.rows(f"SELECT {_COLUMNS} FROM devices_credential WHERE code = :code{only} ORDER BY id DESC", code=code)

    async def _account(self, organisation: str) -> str:
        """The account of an organisation's devices, made where there is none; nobody knows its password."""
        accounts, login = self._identity.accounts, _login(organisation)
        person = await accounts.of_login(login)
        if person is None:
            title = {language: f"{word} {organisation}" for language, word in (("zh", "物联设备"), ("en", "Devices of"))}
            try:
                person, _ = await accounts.create_person(PersonDraft(login, title, organisation, ("device",)))
            except Conflict:  # another device of the organisation came at the same time
                person = await accounts.of_login(login)
        if person is None or person.disabled or person.organisation != organisation:
            raise BadEnrolment
        return person.id

    def _issue(self, tx: Transaction, device: Device, account: str, life: timedelta) -> Issued:
        expires = self._now() + life
        token, secret = self._identity.accounts.issue(tx, account, device.code, SCOPES, expires)
        self._keep(tx, device.code, token.id, "token", None, token.expires, "issued")
        return Issued(token.id, secret, token.expires)

    def _keep(self, tx: Transaction, code: str, id_: str, type_: str, key: str | None, expires: str | None, action: str) -> None:
        row = {"id": id_, "code": code, "type": type_, "public_key": key, "created": iso(self._now()), "expires": expires}
        tx.session.execute(
            f"INSERT INTO devices_credential ({_COLUMNS}) VALUES (:id, :code, :type, :public_key, :created, :expires, NULL)",
            **row,
        )
        store.touch(tx.session, code)
        tx.emit(CredentialChanged(subject=code, action=action, credential=id_, expires=expires))

    def _revoke_all(self, tx: Transaction, code: str) -> None:
        for row in self.listed(tx.session, code, True):
            self._revoke(tx, code, row["id"])

    def _revoke(self, tx: Transaction, code: str, id_: str) -> None:
        row = tx.session.row(
            "UPDATE devices_credential SET revoked = :now WHERE id = :id AND code = :code AND revoked IS NULL RETURNING type",
            now=iso(self._now()),
            id=id_,
            code=code,
        )
        if row is None:
            return
        if row["type"] == "token":
            self._identity.accounts.withdraw(tx, id_)
        store.touch(tx.session, code)
        tx.emit(CredentialChanged(subject=code, action="revoked", credential=id_, expires=None))


def is_device(caller: Caller) -> bool:
    """Whether a caller is a device: its token belongs to an account of devices."""
    return caller.actor.kind == "token" and (caller.login or "").startswith(LOGIN)


def statement(code: str, nonce: str) -> bytes:
    """What a device signs to prove that it has its key."""
    return f"mumian-device-token\n{code}\n{nonce}".encode()


def _login(organisation: str) -> str:
    bare = re.sub(r"[^a-z0-9._-]", "-", organisation.lower())
    return f"{LOGIN}{bare}" if bare == organisation and len(bare) <= 50 else f"{LOGIN}{bare[:40]}-{_digest(organisation)[:10]}"


def _may_enrol(device: Device) -> None:
    if device.state in ("planned", "retired"):
        raise NotPossible(step="enrol", state=device.state)


def _digest(secret: str) -> str:
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _key_of(session: Session, code: str) -> str | None:
    sql = "SELECT public_key FROM devices_credential WHERE code = :code AND type = 'key' AND revoked IS NULL"
    found = session.value(f"{sql} ORDER BY id DESC LIMIT 1", code=code)
    return None if found is None else str(found)


def _public_key(text: str) -> str:
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError:
        raw = b""
    if len(raw) != 32:
        raise Invalid.field("public_key", "devices.public_key")
    return base64.b64encode(raw).decode()


def _signed(key: str, message: bytes, signature: str) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(base64.b64decode(key)).verify(base64.b64decode(signature, validate=True), message)
    except (InvalidSignature, ValueError):
        return False
    return True
