"""Store of registers: their numbers, models and runs, and what people decided about pairs."""

import json
from collections.abc import Iterable
from typing import Any

from mumian.elements.registers.contracts import Model
from mumian.kernel.unit_of_work import Row, Session, Transaction, encode, next_value

RUN = "register, number, state, started_at, ended_at, wanted, whole, counts, error"
DECISION = "register, a, b, verdict, reason, decided_at, decided_by"


def register(session: Session, name: str) -> Row | None:
    """What is kept of a register."""
    return session.row(
        "SELECT name, number, wanted, done, fingerprint, model, relearn FROM registers_register WHERE name = :name", name=name
    )


def give(tx: Transaction, name: str) -> Row:
    """Have a register, numbered once and for all."""
    if register(tx.session, name) is None:
        tx.session.execute(
            "INSERT INTO registers_register (name, number, wanted, done, relearn) VALUES (:name, :number, 0, 0, 0)",
            name=name,
            number=next_value(tx.session, "registers.register"),
        )
    found = register(tx.session, name)
    assert found is not None
    return found


def want(tx: Transaction, name: str, relearn: bool = False) -> None:
    """Have a register brought up to date soon."""
    give(tx, name)
    tx.session.execute(
        "UPDATE registers_register SET wanted = wanted + 1, relearn = CASE WHEN :relearn = 1 THEN 1 ELSE relearn END "
        "WHERE name = :name",
        name=name,
        relearn=int(relearn),
    )


def due(session: Session) -> list[Row]:
    """The registers that something changed for, by name."""
    return session.rows(
        "SELECT name, number, wanted, done, fingerprint, model, relearn FROM registers_register WHERE wanted > done ORDER BY name"
    )


def model(row: Row) -> Model | None:
    """The model in a register's row."""
    return None if row["model"] is None else model_of(json.loads(row["model"])["model"])


def model_of(data: dict[str, Any]) -> Model:
    """A model from its JSON."""
    tuples = {key: tuple(tuple(each) for each in data[key]) for key in ("m", "u")}
    return Model(**{**data, **tuples, "datasets": tuple(data["datasets"])})


def learned_for(row: Row) -> str | None:
    """What the model in a register's row depends on."""
    return None if row["model"] is None else str(json.loads(row["model"])["learning"])


def keep_model(tx: Transaction, name: str, found: Model, learning: str) -> None:
    """Keep what was learned."""
    text = encode({"model": found.__dict__, "learning": learning}).decode()
    tx.session.execute("UPDATE registers_register SET model = :text, relearn = 0 WHERE name = :name", name=name, text=text)


def start_run(tx: Transaction, name: str, wanted: int, whole: bool) -> int:
    """Remember that a run begins; returns its number."""
    number = next_value(tx.session, f"registers.run.{name}")
    tx.session.execute(
        "INSERT INTO registers_run (register, number, state, started_at, wanted, whole, counts) "
        "VALUES (:name, :number, 'started', :now, :wanted, :whole, '{}')",
        name=name,
        number=number,
        now=tx.now_text,
        wanted=wanted,
        whole=int(whole),
    )
    return number


def end_run(tx: Transaction, name: str, number: int, state: str, counts: dict[str, int], error: str | None = None) -> None:
    """Remember how a run ended."""
    tx.session.execute(
        "UPDATE registers_run SET state = :state, ended_at = :now, counts = :counts, error = :error "
        "WHERE register = :name AND number = :number",
        name=name,
        number=number,
        state=state,
        now=tx.now_text,
        counts=encode(counts).decode(),
        error=error,
    )


def reached(tx: Transaction, name: str, wanted: int, fingerprint: str) -> None:
    """A register is up to date with all that was wanted up to `wanted`."""
    tx.session.execute(
        "UPDATE registers_register SET done = CASE WHEN done < :wanted THEN :wanted ELSE done END, fingerprint = :fingerprint "
        "WHERE name = :name",
        name=name,
        wanted=wanted,
        fingerprint=fingerprint,
    )


def runs(session: Session, name: str, before: int | None, limit: int) -> list[Row]:
    """The runs of a register, newest first, from before one on."""
    return session.rows(
        f"SELECT {RUN} FROM registers_run WHERE register = :name AND number < :before ORDER BY number DESC LIMIT :limit",
        name=name,
        before=1 << 62 if before is None else before,
        limit=limit,
    )


def last_run(session: Session, name: str) -> Row | None:
    """The newest run that came to its end."""
    return session.row(
        f"SELECT {RUN} FROM registers_run WHERE register = :name AND state = 'done' ORDER BY number DESC LIMIT 1", name=name
    )


def started(session: Session) -> list[Row]:
    """Runs of which it is not known how they ended."""
    return session.rows(f"SELECT {RUN} FROM registers_run WHERE state = 'started' ORDER BY register, number")


def every_run(session: Session) -> list[Row]:
    """Every run that came to its end: for verification."""
    return session.rows(f"SELECT {RUN} FROM registers_run WHERE state = 'done' ORDER BY register, number")


def decisions(session: Session, name: str, after: tuple[int, int] = (0, 0), limit: int = 1 << 62) -> list[Row]:
    """What people decided about the pairs of a register, behind a pair."""
    return session.rows(
        f"SELECT {DECISION} FROM registers_decision WHERE register = :name AND (a > :a OR (a = :a AND b > :b)) "
        "ORDER BY a, b LIMIT :limit",
        name=name,
        a=after[0],
        b=after[1],
        limit=limit,
    )


def every_decision(session: Session) -> list[Row]:
    """All decisions: for verification."""
    return session.rows(f"SELECT {DECISION} FROM registers_decision ORDER BY register, a, b")


def decide(tx: Transaction, name: str, pair: tuple[int, int], verdict: str | None, reason: str) -> None:
    """Keep a decision in the place of what was decided before, or (None) take it back; its records wait for the next run."""
    a, b = pair
    tx.session.execute("DELETE FROM registers_decision WHERE register = :name AND a = :a AND b = :b", name=name, a=a, b=b)
    if verdict is not None:
        tx.session.execute(
            f"INSERT INTO registers_decision ({DECISION}) VALUES (:name, :a, :b, :verdict, :reason, :now, :actor)",
            name=name,
            a=a,
            b=b,
            verdict=verdict,
            reason=reason,
            now=tx.now_text,
            actor=tx.actor.id,
        )
    wait(tx, name, pair)


def wait(tx: Transaction, name: str, records: Iterable[int]) -> None:
    """Let the next run look at these records again."""
    want(tx, name)
    stamp = tx.session.value("SELECT wanted FROM registers_register WHERE name = :name", name=name)
    tx.session.execute_many(
        "INSERT INTO registers_waiting (register, record, stamp) VALUES (:name, :record, :stamp) "
        "ON CONFLICT (register, record) DO UPDATE SET stamp = excluded.stamp",
        [{"name": name, "record": record, "stamp": stamp} for record in records],
    )


def waiting(session: Session, name: str, wanted: int) -> list[int]:
    """Records that wait for a run, as of what was wanted then."""
    rows = session.rows(
        "SELECT record FROM registers_waiting WHERE register = :name AND stamp <= :wanted ORDER BY record",
        name=name,
        wanted=wanted,
    )
    return [row["record"] for row in rows]


def waited(tx: Transaction, name: str, wanted: int) -> None:
    """These records were looked at."""
    tx.session.execute("DELETE FROM registers_waiting WHERE register = :name AND stamp <= :wanted", name=name, wanted=wanted)
