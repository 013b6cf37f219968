"""Unit of work: one request or task is one transaction; its change, its events and its evidence are one commit."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol, TypeVar

import msgspec

from mumian.kernel.clock import iso
from mumian.kernel.events import EmittedEvent, Event

T = TypeVar("T")
Row = dict[str, Any]
_encoder = msgspec.json.Encoder(order="sorted", decimal_format="string", uuid_format="canonical")


class Session(Protocol):
    """An open transaction, or a read snapshot, on the records engine.

    SQL is the subset that SQLite and PostgreSQL share, with `:name` parameters. Times are text (`clock.iso`), JSON is text.
    """

    def execute(self, sql: str, **params: Any) -> int:
        """Run one statement; returns how many rows it touched."""
        ...

    def execute_many(self, sql: str, params: Sequence[Mapping[str, Any]]) -> None:
        """Run one statement for each set of parameters."""
        ...

    def rows(self, sql: str, **params: Any) -> list[Row]:
        """All rows of a query (or of a RETURNING clause) as dictionaries."""
        ...

    def row(self, sql: str, **params: Any) -> Row | None:
        """The first row, or None."""
        ...

    def value(self, sql: str, **params: Any) -> Any:
        """The first column of the first row, or None."""
        ...


@dataclass(frozen=True)
class Actor:
    """Who acts: a person, a token (device or programme) or the system itself."""

    id: str
    kind: Literal["person", "token", "system", "anonymous"]
    roles: tuple[str, ...] = ()
    organisation: str | None = None


SYSTEM = Actor("system", "system")
Recorder = Callable[[Session, list[EmittedEvent]], None]


class Transaction:
    """What application functions receive; they change records and emit events, and never commit."""

    __slots__ = ("actor", "emitted", "now", "now_text", "session")

    def __init__(self, session: Session, now: datetime, actor: Actor, now_text: str | None = None) -> None:
        self.session = session
        self.now = now
        self.now_text = now_text or iso(now)
        self.actor = actor
        self.emitted: list[Event] = []

    def emit(self, event: Event) -> None:
        """Write `event` to the outbox and the evidence ledger in this same commit."""
        self.emitted.append(event)


class Records(Protocol):
    """The transactional store; one compliance suite runs on every engine."""

    engine: str

    async def write(self, work: Callable[[Transaction], T], actor: Actor = SYSTEM) -> T:
        """Run `work` in a group commit; durable when it returns, undone when it raises.

        `work` may run twice, when another of its group fails: only what the last run did counts.
        """
        ...

    async def read(self, work: Callable[[Session], T]) -> T:
        """Run `work` on a consistent read snapshot, off the event loop."""
        ...

    def write_now(self, work: Callable[[Transaction], T], actor: Actor = SYSTEM) -> T:
        """`write` for synchronous callers; never on the event loop."""
        ...

    def read_now(self, work: Callable[[Session], T]) -> T:
        """`read` for synchronous callers; never on the event loop."""
        ...

    def recorder(self, recorder: Recorder) -> None:
        """Add a function that sees the events of every commit, inside it; if it fails, nothing of that commit happens."""
        ...

    def listen(self, listener: Callable[[], None]) -> None:
        """Call `listener` (from the writer's thread) after each commit that emitted events."""
        ...

    def integrity_faults(self) -> list[str]:
        """What the engine itself finds wrong with its files; empty when sound or unable to tell."""
        ...

    def close(self) -> None:
        """Finish what is under way and let go of the store."""
        ...


def encode(value: Any) -> bytes:
    """Canonical JSON: sorted keys, no spaces, UTF-8."""
    return _encoder.encode(value)


def next_value(session: Session, name: str, count: int = 1) -> int:
    """Take `count` numbers from the gapless sequence `name`; returns the first of them (numbers start at 1)."""
    last = session.value(
        "INSERT INTO kernel_sequence (name, value) VALUES (:name, :count) "
        "ON CONFLICT (name) DO UPDATE SET value = kernel_sequence.value + :count RETURNING value",
        name=name,
        count=count,
    )
    return int(last) - count + 1


def finish(session: Session, transactions: Sequence[Transaction], recorders: Sequence[Recorder]) -> None:
    """Write what the transactions of one commit emitted: rows of the outbox, then whatever the recorders keep.

    Engines call it once, after the work and before the commit.
    """
    emitted = [(transaction, event) for transaction in transactions for event in transaction.emitted]
    if not emitted:
        return
    first = next_value(session, "outbox", len(emitted))
    written = [
        EmittedEvent(first + i, event.type, event.subject, by.now_text, by.actor.id, _payload(event))
        for i, (by, event) in enumerate(emitted)
    ]
    session.execute_many(
        "INSERT INTO kernel_outbox (id, type, subject, time, actor, payload) "
        "VALUES (:id, :type, :subject, :time, :actor, :payload)",
        [
            {"id": e.id, "type": e.type, "subject": e.subject, "time": e.time, "actor": e.actor, "payload": e.payload.decode()}
            for e in written
        ],
    )
    for recorder in recorders:
        recorder(session, written)


def _payload(event: Event) -> bytes:
    fields = msgspec.structs.asdict(event) if isinstance(event, msgspec.Struct) else dict(event.__dict__)
    fields.pop("subject", None)
    return _encoder.encode(fields)
