"""Issuing: licences come about, are renewed, suspended, restored and revoked, and every step is in the ledger."""

import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from mumian.elements.registers.errors import WrongState
from mumian.elements.registers.events import LicenceChanged, LicenceIssued
from mumian.elements.registers.licences import rules, store
from mumian.elements.registers.licences.models import LicenceTypeSpec
from mumian.elements.registers.rules import preparing
from mumian.foundation.ledger.api import Fault, differences
from mumian.kernel.declarations.kinds import Declared
from mumian.kernel.errors import Invalid, NotFound
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Row, Session, Transaction, encode, next_value

KIND = "LicenceType"
CONTENT = ("identifier", "type", "version", "holder_code", "holder_name", "issuer", "fields", "valid_from", "valid_to")
_SCHEMES = {"person": "id_card", "legal-person": "credit_code"}


@dataclass(frozen=True)
class Draft:
    """What a licence is to say; without `valid_from` it begins today, without `valid_to` it lasts as its type says."""

    holder_code: str
    holder_name: str
    fields: Mapping[str, str]
    valid_from: date | None = None
    valid_to: date | None = None


class Licences:
    """`platform.get(Licences)`: the register of e-licences; callers have been allowed to act for the issuer."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def type_of(self, name: str) -> Declared[LicenceTypeSpec]:
        """A declared type; raises NotFound."""
        return self._platform.declarations.get(KIND, name)

    def today(self) -> str:
        """The day on the platform's clock, in UTC."""
        return self._platform.clock.now().date().isoformat()

    def issue(self, tx: Transaction, type_: str, draft: Draft) -> Row:
        """Issue a licence; raises NotFound, Invalid."""
        spec = self.type_of(type_).spec
        serial = next_value(tx.session, f"registers.licence.{type_}")
        identifier = rules.identifier(spec.code, spec.issuer_code, serial, 1)
        return self._add(tx, type_, spec, identifier, 1, draft, None)

    def renew(self, tx: Transaction, identifier: str, draft: Draft) -> Row:
        """Issue the next version of a licence in the place of the one that is valid; raises NotFound, WrongState, Invalid."""
        old = self.get(tx.session, identifier)
        self._step(tx, old, "renew", "renewed")
        spec = self.type_of(old["type"]).spec
        serial, version = int(identifier.split(".")[-3]), old["version"] + 1
        following = rules.identifier(spec.code, spec.issuer_code, serial, version)
        return self._add(tx, old["type"], spec, following, version, draft, identifier)

    def change(self, tx: Transaction, identifier: str, step: rules.Step, reason: str) -> Row:
        """Suspend, restore or revoke; raises NotFound, WrongState."""
        self._step(tx, self.get(tx.session, identifier), step, reason)
        return self.get(tx.session, identifier)

    @staticmethod
    def get(session: Session, identifier: str) -> Row:
        """A licence; raises NotFound."""
        row = store.get(session, identifier)
        if row is None:
            raise NotFound(kind="licence", name=identifier)
        return row

    def state(self, row: Row) -> str:
        """The state of a licence today."""
        return rules.state_on(row["status"], row["valid_from"], row["valid_to"], self.today())

    def _step(self, tx: Transaction, row: Row, step: str, reason: str) -> None:
        allowed, after = rules.STEPS[step]
        if row["status"] not in allowed:
            raise WrongState(state=row["status"])
        store.change(tx, row["identifier"], after, reason)
        tx.emit(LicenceChanged(subject=row["identifier"], status=after, reason=reason))

    def _add(
        self,
        tx: Transaction,
        type_: str,
        spec: LicenceTypeSpec,
        identifier: str,
        version: int,
        draft: Draft,
        previous: str | None,
    ) -> Row:
        holder = preparing.identifier(draft.holder_code, _SCHEMES[spec.holder])
        if holder is None or not preparing.valid(holder, _SCHEMES[spec.holder]):
            raise Invalid.field("holder_code", f"registers.{_SCHEMES[spec.holder]}")
        _checked(spec, draft.fields)
        begin = draft.valid_from or date.fromisoformat(self.today())
        end = draft.valid_to or rules.until(begin, spec.months)
        if end is not None and end < begin:
            raise Invalid.field("valid_to", "field.range", expected=f"≥ {begin}")
        content = {
            "identifier": identifier,
            "type": type_,
            "version": version,
            "holder_code": holder,
            "holder_name": draft.holder_name,
            "issuer": spec.issuer,
            "fields": encode(dict(draft.fields)).decode(),
            "valid_from": begin.isoformat(),
            "valid_to": None if end is None else end.isoformat(),
        }
        row: dict[str, Any] = {
            **content,
            "status": "valid",
            "code": rules.code_of(secrets.token_bytes(20)),
            "digest": rules.digest(content),
            "issued_at": tx.now_text,
            "issued_by": tx.actor.id,
            "changed_at": tx.now_text,
            "reason": None,
            "previous": previous,
        }
        store.add(tx, row)
        tx.emit(LicenceIssued(subject=identifier, licence_type=type_, digest=row["digest"], previous=previous))
        return row


def content_of(row: Row) -> dict[str, Any]:
    """What the digest of a licence is made of."""
    return {name: row[name] for name in CONTENT}


def faults(session: Session) -> Iterator[Fault]:
    """Licences that say something else than when they were issued, or have a status that nobody gave them."""
    told: dict[str, dict[str, Any]] = {}
    rows = session.rows(
        "SELECT type, subject, payload FROM kernel_outbox WHERE type LIKE 'elements.registers.licence_%' ORDER BY id"
    )
    for row in rows:
        data = json.loads(row["payload"])
        if row["type"] == LicenceIssued.type:
            told[row["subject"]] = {"digest": data["digest"], "content": data["digest"], "status": "valid"}
        elif row["subject"] in told:
            told[row["subject"]]["status"] = data["status"]
    kept = ((row["identifier"], {**row, "content": rules.digest(content_of(row))}) for row in store.every(session))
    yield from differences("registers_licence", told, kept)


def _checked(spec: LicenceTypeSpec, fields: Mapping[str, str]) -> None:
    known = {field.name for field in spec.fields}
    strange = next((name for name in fields if name not in known), None)
    if strange is not None:
        raise Invalid.field(f"fields.{strange[:60]}", "field.unknown", expected=", ".join(sorted(known)) or "-")
    missing = next((field.name for field in spec.fields if field.required and not fields.get(field.name, "").strip()), None)
    if missing is not None:
        raise Invalid.field(f"fields.{missing}", "field.missing")
