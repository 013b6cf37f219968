"""How tickets and their steps are kept."""

from typing import Any

from mumian.elements.quality.rules.ticketing import Ticket
from mumian.kernel.clock import iso, parse_iso
from mumian.kernel.unit_of_work import Row, Session, Transaction, next_value

COLUMNS = (
    "number, dataset, rule, owner, severity, state, opened_at, due_at, closed_at, reopened, holding_since, remind_at, "
    "assignee, run"
)
_MOVED = ("state", "opened_at", "due_at", "closed_at", "reopened", "holding_since", "remind_at")


def newest(session: Session, dataset: str) -> dict[str, Row]:
    """The newest ticket of every rule of a dataset that had one."""
    rows = session.rows(f"SELECT {COLUMNS} FROM quality_ticket WHERE dataset = :dataset ORDER BY number", dataset=dataset)
    return {row["rule"]: row for row in rows}


def find(session: Session, number: int) -> Row | None:
    """One ticket."""
    return session.row(f"SELECT {COLUMNS} FROM quality_ticket WHERE number = :number", number=number)


def ticket(row: Row) -> Ticket:
    """A ticket as the rules see it."""
    times = {name: None if row[name] is None else parse_iso(row[name]) for name in _MOVED if name not in ("state", "reopened")}
    return Ticket(state=row["state"], reopened=row["reopened"], **times)  # type: ignore[arg-type]


def insert(tx: Transaction, dataset: str, rule: str, facts: dict[str, Any], now: Ticket) -> int:
    """Keep a new ticket, numbered; `facts` are owner, severity and run."""
    number = next_value(tx.session, "quality.ticket")
    tx.session.execute(
        f"INSERT INTO quality_ticket ({COLUMNS}) VALUES ({', '.join(':' + name.strip() for name in COLUMNS.split(','))})",
        number=number,
        dataset=dataset,
        rule=rule,
        assignee=None,
        **facts,
        **_moved(now),
    )
    return number


def update(tx: Transaction, number: int, now: Ticket, **more: Any) -> None:
    """Keep what became of a ticket; `more` are assignee, owner or run."""
    values = {**_moved(now), **more}
    sets = ", ".join(f"{name} = :{name}" for name in values)
    tx.session.execute(f"UPDATE quality_ticket SET {sets} WHERE number = :number", number=number, **values)


def step(tx: Transaction, number: int, action: str, note: str) -> None:
    """Add to a ticket's history."""
    last = tx.session.value("SELECT COALESCE(MAX(number), 0) FROM quality_step WHERE ticket = :ticket", ticket=number)
    tx.session.execute(
        "INSERT INTO quality_step (ticket, number, time, actor, action, note) VALUES (:ticket, :n, :now, :actor, :action, :note)",
        ticket=number,
        n=int(last) + 1,
        now=tx.now_text,
        actor=tx.actor.id,
        action=action,
        note=note,
    )


def steps(session: Session, number: int) -> list[Row]:
    """A ticket's history, oldest first."""
    return session.rows("SELECT number, time, actor, action, note FROM quality_step WHERE ticket = :t ORDER BY number", t=number)


def page(session: Session, wanted: dict[str, str | None], late_at: str | None, before: int | None, limit: int) -> list[Row]:
    """Tickets, newest first; `wanted` narrows owner, dataset, rule, state and assignee, `late_at` to open ones due by then."""
    conditions = [f"{name} = :{name}" for name, value in wanted.items() if value is not None]
    params: dict[str, Any] = {name: value for name, value in wanted.items() if value is not None}
    if late_at is not None:
        conditions.append("state = 'open' AND due_at < :late_at")
        params["late_at"] = late_at
    conditions.append("number < :before")
    return session.rows(
        f"SELECT {COLUMNS} FROM quality_ticket WHERE {' AND '.join(conditions)} ORDER BY number DESC LIMIT :limit",
        before=1 << 62 if before is None else before,
        limit=limit,
        **params,
    )


def to_remind(session: Session, now: str) -> list[Row]:
    """Open tickets of which somebody is to be reminded."""
    return session.rows(
        f"SELECT {COLUMNS} FROM quality_ticket WHERE remind_at <= :now AND state = 'open' ORDER BY remind_at, number LIMIT 500",
        now=now,
    )


def holding(session: Session, since: str) -> list[Row]:
    """Open tickets whose rule has been holding since then or longer."""
    return session.rows(
        f"SELECT {COLUMNS} FROM quality_ticket WHERE holding_since <= :since AND state = 'open' ORDER BY number LIMIT 500",
        since=since,
    )


def counts(session: Session) -> dict[str, int]:
    """How many tickets of each dataset are open."""
    rows = session.rows("SELECT dataset, COUNT(*) AS n FROM quality_ticket WHERE state = 'open' GROUP BY dataset")
    return {row["dataset"]: int(row["n"]) for row in rows}


def late_count(session: Session, now: str) -> int:
    """How many open tickets are beyond their deadline."""
    return int(session.value("SELECT COUNT(*) FROM quality_ticket WHERE state = 'open' AND due_at < :now", now=now))


def standing(session: Session, since: str, now: str) -> dict[str, Row]:
    """Of each owner the tickets that were opened, decided in time or late since then, and those open now."""
    rows = session.rows(
        "SELECT owner, SUM(CASE WHEN opened_at >= :since THEN 1 ELSE 0 END) AS opened, "
        "SUM(CASE WHEN state = 'open' THEN 1 ELSE 0 END) AS still_open, "
        "SUM(CASE WHEN state = 'closed' AND closed_at >= :since AND closed_at <= due_at THEN 1 ELSE 0 END) AS timely, "
        "SUM(CASE WHEN (state = 'closed' AND closed_at >= :since AND closed_at > due_at) OR (state = 'open' AND due_at < :now) "
        "THEN 1 ELSE 0 END) AS late FROM quality_ticket GROUP BY owner",
        since=since,
        now=now,
    )
    return {row["owner"]: row for row in rows}


def everything(session: Session) -> list[Row]:
    """All tickets, for the evidence."""
    return session.rows(f"SELECT {COLUMNS} FROM quality_ticket ORDER BY number")


def _moved(now: Ticket) -> dict[str, Any]:
    found = {name: getattr(now, name) for name in _MOVED}
    return {name: iso(value) if hasattr(value, "isoformat") else value for name, value in found.items()}
