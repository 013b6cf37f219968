"""Rows of the ledger: entries, tiles and signed heads."""

from collections.abc import Iterable, Sequence

import msgspec

from mumian.foundation.cryptography.contracts import Signature
from mumian.foundation.ledger.contracts import Entry, Head
from mumian.foundation.ledger.rules import Fetch, Node
from mumian.kernel.unit_of_work import Row, Session, Transaction, encode

_ENTRY = "seq, time, actor, type, subject, body, leaf"
INSERT_ENTRY = f"INSERT INTO ledger_entry ({_ENTRY}) VALUES (:seq, :time, :actor, :type, :subject, :body, :leaf)"


def count(session: Session) -> int:
    """How many entries there are."""
    return int(session.value("SELECT COALESCE(MAX(seq) + 1, 0) FROM ledger_entry"))


def row_count(session: Session) -> int:
    """How many rows of entries there are, whatever their numbers."""
    return int(session.value("SELECT COUNT(*) FROM ledger_entry"))


def numbers_beyond(session: Session, size: int) -> list[object]:
    """Numbers of entries that are none of the first `size`, at most a hundred."""
    rows = session.rows("SELECT seq FROM ledger_entry WHERE seq < 0 OR seq >= :size ORDER BY seq LIMIT 100", size=size)
    return [row["seq"] for row in rows]


def events_beyond(session: Session, last: int) -> list[object]:
    """Numbers of events in the outbox that were never given out, at most a hundred."""
    rows = session.rows("SELECT id FROM kernel_outbox WHERE id < 1 OR id > :last ORDER BY id LIMIT 100", last=last)
    return [row["id"] for row in rows]


def entry_rows(session: Session, first: int, count_: int) -> list[Row]:
    """The rows of entries [first, first + count), by number."""
    sql = f"SELECT {_ENTRY} FROM ledger_entry WHERE seq >= :first AND seq < :end ORDER BY seq"
    return session.rows(sql, first=first, end=first + count_)


def entries(session: Session, after: int, limit: int, subject: str | None) -> list[Entry]:
    """Entries after a number, of one subject or of all."""
    where = "" if subject is None else "AND subject = :subject "
    sql = f"SELECT {_ENTRY} FROM ledger_entry WHERE seq > :after {where}ORDER BY seq LIMIT :limit"
    given = {} if subject is None else {"subject": subject}
    return [entry(row) for row in session.rows(sql, after=after, limit=limit, **given)]


def indices(session: Session, subject: str) -> list[int]:
    """The numbers of all entries about a subject."""
    return [
        row["seq"] for row in session.rows("SELECT seq FROM ledger_entry WHERE subject = :subject ORDER BY seq", subject=subject)
    ]


def entry(row: Row) -> Entry:
    """A row as entry."""
    return Entry(row["seq"], row["time"], row["actor"], row["type"], row["subject"], row["body"], row["leaf"])


def fetch(session: Session) -> Fetch:
    """Stored hashes for the tree's rules; raises LookupError where one is missing."""

    def hashes(level: int, first: int, count_: int) -> Sequence[bytes]:
        if level == 0:
            sql = "SELECT leaf AS hash FROM ledger_entry WHERE seq >= :first AND seq < :end ORDER BY seq"
            rows = session.rows(sql, first=first, end=first + count_)
        else:
            sql = "SELECT hash FROM ledger_node WHERE level = :level AND position >= :first AND position < :end ORDER BY position"
            rows = session.rows(sql, level=level, first=first, end=first + count_)
        if len(rows) != count_:
            raise LookupError(f"level {level} has {len(rows)} of the {count_} hashes from {first}")
        return [bytes.fromhex(row["hash"]) for row in rows]

    return hashes


def put_nodes(session: Session, nodes: Iterable[Node]) -> None:
    """Keep finished tiles; what is there already stays."""
    rows = [{"level": level, "position": position, "hash": value.hex()} for level, position, value in nodes]
    if rows:
        session.execute_many(
            "INSERT INTO ledger_node (level, position, hash) VALUES (:level, :position, :hash) "
            "ON CONFLICT (level, position) DO NOTHING",
            rows,
        )


def put_head(session: Session, head: Head) -> None:
    """Keep a signed head; the first one of its size stands."""
    session.execute(
        "INSERT INTO ledger_head (size, root, time, signatures) VALUES (:size, :root, :time, :signatures) "
        "ON CONFLICT (size) DO NOTHING",
        size=head.size,
        root=head.root,
        time=head.time,
        signatures=signatures_text(head.signatures),
    )


def head(session: Session, up_to: int | None = None) -> Head | None:
    """The last signed head, or the last one of at most `up_to` entries."""
    where = "" if up_to is None else "WHERE size <= :size "
    given = {} if up_to is None else {"size": up_to}
    row = session.row(f"SELECT size, root, time, signatures FROM ledger_head {where}ORDER BY size DESC LIMIT 1", **given)
    return None if row is None else head_of(row)


def head_rows(session: Session) -> list[Row]:
    """The rows of all signed heads, by size."""
    return session.rows("SELECT size, root, time, signatures FROM ledger_head ORDER BY size")


def node_rows(session: Session) -> list[Row]:
    """The rows of all kept tiles."""
    return session.rows("SELECT level, position, hash FROM ledger_node ORDER BY level, position")


def outbox_rows(session: Session, first: int, count_: int) -> list[Row]:
    """The rows of the outbox that belong to entries [first, first + count): event n is entry n - 1."""
    sql = "SELECT id, type, subject, time, actor, payload FROM kernel_outbox WHERE id >= :first AND id < :end ORDER BY id"
    return session.rows(sql, first=first + 1, end=first + 1 + count_)


def events_taken(session: Session) -> int:
    """How many events were ever written."""
    return int(session.value("SELECT value FROM kernel_sequence WHERE name = 'outbox'") or 0)


def head_of(row: Row) -> Head:
    """A row as head; raises msgspec.DecodeError or ValidationError when the signatures are not readable."""
    return Head(row["size"], row["root"], row["time"], msgspec.json.decode(row["signatures"], type=tuple[Signature, ...]))


def signatures_text(signatures: Sequence[Signature]) -> str:
    """Signatures as kept: canonical JSON."""
    return encode(list(signatures)).decode()


def expect_seal(tx: Transaction) -> None:
    """Remember that the lake may be other than was told last."""
    tx.session.execute("UPDATE ledger_lake_state SET pending = 1")


def seal_expected(session: Session) -> bool:
    """Whether the lake may be other than was told last."""
    return bool(session.value("SELECT MAX(pending) FROM ledger_lake_state"))


def told_of_lake(session: Session) -> bool:
    """Whether the lake was ever sealed."""
    return session.value("SELECT 1 FROM kernel_outbox WHERE type = 'ledger.lake.sealed' LIMIT 1") is not None


def told_files(session: Session) -> list[str]:
    """The names of the lake's data files, as told last."""
    return [row["name"] for row in session.rows("SELECT name FROM ledger_lake_file")]


def told_catalogue(session: Session) -> str | None:
    """The digest of the lake's catalogue, as told last."""
    found = session.value("SELECT MAX(catalogue) FROM ledger_lake_state")
    return None if found is None else str(found)


def keep_seal(tx: Transaction, added: Sequence[str], removed: Sequence[str], catalogue: str) -> None:
    """Remember that the lake was told to have gained and lost these files, and to have this catalogue."""
    if removed:
        tx.session.execute_many("DELETE FROM ledger_lake_file WHERE name = :name", [{"name": n} for n in removed])
    if added:
        tx.session.execute_many("INSERT INTO ledger_lake_file (name) VALUES (:name)", [{"name": n} for n in added])
    tx.session.execute("UPDATE ledger_lake_state SET pending = 0, catalogue = :catalogue", catalogue=catalogue)
