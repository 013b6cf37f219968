"""Store of licences."""

from typing import Any

from mumian.kernel.unit_of_work import Row, Session, Transaction

FIELDS = (
    "identifier", "type", "version", "holder_code", "holder_name", "issuer", "fields", "valid_from", "valid_to", "status", "code",
    "digest", "issued_at", "issued_by", "changed_at", "reason", "previous",
)  # fmt: skip
_SELECT = f"SELECT {', '.join(FIELDS)} FROM registers_licence"


def add(tx: Transaction, row: dict[str, Any]) -> None:
    """Keep a new licence."""
    names = ", ".join(FIELDS)
    values = ", ".join(f":{name}" for name in FIELDS)
    tx.session.execute(f"INSERT INTO registers_licence ({names}) VALUES ({values})", **row)


def get(session: Session, identifier: str) -> Row | None:
    """A licence by its identifier."""
    return session.row(f"{_SELECT} WHERE identifier = :identifier", identifier=identifier)


def by_code(session: Session, code: str) -> Row | None:
    """A licence by its verification code."""
    return session.row(f"{_SELECT} WHERE code = :code", code=code)


def page(session: Session, wanted: dict[str, str], after: str, limit: int) -> list[Row]:
    """Licences by identifier, of a type, holder or status."""
    names = [name for name in ("type", "holder_code", "status") if name in wanted]
    where = "".join(f" AND {name} = :{name}" for name in names)
    given: dict[str, Any] = {name: wanted[name] for name in names}
    return session.rows(
        f"{_SELECT} WHERE identifier > :after{where} ORDER BY identifier LIMIT :limit", after=after, limit=limit, **given
    )


def change(tx: Transaction, identifier: str, status: str, reason: str) -> None:
    """Give a licence another status."""
    tx.session.execute(
        "UPDATE registers_licence SET status = :status, reason = :reason, changed_at = :now WHERE identifier = :identifier",
        identifier=identifier,
        status=status,
        reason=reason,
        now=tx.now_text,
    )


def every(session: Session) -> list[Row]:
    """All licences: for verification."""
    return session.rows(f"{_SELECT} ORDER BY identifier")
