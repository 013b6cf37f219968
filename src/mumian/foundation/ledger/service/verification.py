"""Verification: everything stored is computed again from the entries' bodies, and every difference is named."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256
from typing import Any

import msgspec

from mumian.foundation.cryptography.api import Cryptography
from mumian.foundation.ledger import rules, store
from mumian.foundation.ledger.contracts import EvidenceChecks, Fault, Report
from mumian.foundation.ledger.service.recording import Body
from mumian.kernel.unit_of_work import Row, Session

MOST_FAULTS = 1000
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Body).decode


class Verification:
    """One pass over a snapshot of the records."""

    def __init__(self, session: Session, cryptography: Cryptography, checks: EvidenceChecks) -> None:
        self._session = session
        self._cryptography = cryptography
        self._checks = checks
        self._faults: list[Fault] = []
        self._edge = rules.Frontier()
        self._nodes: dict[tuple[Any, Any], Any] = {}
        self._node_count = 0
        self._heads: dict[int, list[Row]] = {}
        self._head_count = 0
        self._covered = 0

    def run(self) -> Report:
        """Look at everything; what cannot even be read is a fault, too."""
        size = self._guarded("ledger_entry", self._size) or 0
        self._guarded("ledger_node", self._load_nodes)
        self._guarded("ledger_head", self._load_heads)
        self._verify_heads_at(0)
        for first in range(0, size, rules.TILE):
            self._verify_tile(first, min(rules.TILE, size - first))
        self._leftovers(size)
        names = [name for name, _ in self._checks.all()]
        for name, check in self._checks.all():
            self._guarded(name, lambda check=check: self._add(check(self._session)))  # type: ignore[misc]
        return Report(size, self._head_count, self._node_count, tuple(names), tuple(self._faults[:MOST_FAULTS]))

    def _fault(self, table: str, entry: int | str | None, field: str, expected: object, found: object) -> None:
        if len(self._faults) < MOST_FAULTS:
            self._faults.append(Fault(table, entry, field, _short(expected), _short(found)))

    def _add(self, faults: Iterable[Fault]) -> None:
        for fault in faults:
            self._fault(fault.table, fault.entry, fault.field, fault.expected, fault.found)

    def _guarded(self, table: str, work: Callable[[], Any]) -> Any:
        try:
            return work()
        except Exception as error:
            self._fault(table, None, "storage", "readable rows", f"{type(error).__name__}: {error}")
            return None

    def _size(self) -> int:
        rows, taken = store.row_count(self._session), store.events_taken(self._session)
        if rows != taken:
            self._fault("ledger_entry", None, "count", f"{taken} entries, one for each event", f"{rows} entries")
        size = max(rows, min(taken, rows + rules.TILE))
        for number in store.numbers_beyond(self._session, size):
            self._fault("ledger_entry", str(number), "seq", f"a number from 0 to {size - 1}", number)
        for number in store.events_beyond(self._session, taken):
            self._fault("kernel_outbox", str(number), "id", f"a number from 1 to {taken}", number)
        return size

    def _load_nodes(self) -> None:
        for row in store.node_rows(self._session):
            self._nodes[row["level"], row["position"]] = row["hash"]
        self._node_count = len(self._nodes)

    def _load_heads(self) -> None:
        for row in store.head_rows(self._session):
            self._head_count += 1
            if not isinstance(row["size"], int) or row["size"] < 0:
                self._fault("ledger_head", str(row["size"]), "size", "a number from 0", row["size"])
                continue
            self._heads.setdefault(row["size"], []).append(row)
            self._covered = max(self._covered, row["size"])

    def _verify_tile(self, first: int, count: int) -> None:
        rows = self._rows(first, count)
        by_body = [self._leaf_of_body(row) for row in rows]
        kept = [_hash(row["leaf"]) if row is not None else None for row in rows]
        leaves: Sequence[bytes | None] = by_body
        if by_body != kept:
            leaves = self._settle(by_body, kept)
        bodies = [self._verify_entry(first + place, row, leaves[place], by_body[place]) for place, row in enumerate(rows)]
        for leaf in leaves:
            self._grow(leaf or bytes(32))
        self._verify_outbox(first, bodies)

    def _settle(self, by_body: Sequence[bytes | None], kept: Sequence[bytes | None]) -> Sequence[bytes | None]:
        """Bodies and leaves disagree: what was folded and signed earlier says which of them changed."""
        either = [b or k for b, k in zip(by_body, kept, strict=True)]
        other = [k or b for b, k in zip(by_body, kept, strict=True)]
        return max(either, other, key=self._agreements)

    def _agreements(self, leaves: Sequence[bytes | None]) -> int:
        """How many tiles and heads the tree would lead to, if it went on with these leaves."""
        edge, agreed = self._edge.copy(), 0
        for leaf in leaves:
            nodes = edge.append(leaf or bytes(32))
            agreed += sum(self._nodes.get((level, position)) == value.hex() for level, position, value in nodes)
            agreed += any(row["root"] == edge.root().hex() for row in self._heads.get(edge.size, ()))
        return agreed

    def _rows(self, first: int, count: int) -> list[Row | None]:
        """The rows of a tile in order; None, and a fault, where one is missing or cannot be read."""
        found: dict[Any, Row] = {}
        for row in self._readable(first, count):
            if row["seq"] in found:
                self._fault("ledger_entry", row["seq"], "seq", "one entry of that number", "two")
            found[row["seq"]] = row
        for index in range(first, first + count):
            if index not in found:
                self._fault("ledger_entry", index, "seq", "an entry of that number", "none")
        return [found.get(index) for index in range(first, first + count)]

    def _readable(self, first: int, count: int) -> Iterator[Row]:
        try:
            yield from store.entry_rows(self._session, first, count)
        except Exception as error:
            if count == 1:
                self._fault("ledger_entry", first, "storage", "a readable row", f"{type(error).__name__}: {error}")
                return
            yield from self._readable(first, count // 2)
            yield from self._readable(first + count // 2, count - count // 2)

    def _leaf_of_body(self, row: Row | None) -> bytes | None:
        if row is None or not isinstance(row["body"], str):
            return None
        return rules.leaf_hash(row["body"].encode("utf-8", "surrogatepass"))

    def _verify_entry(self, index: int, row: Row | None, leaf: bytes | None, by_body: bytes | None) -> Body | None:
        """Name what differs from the leaf, or from the body where that one is sound; returns a sound body."""
        if row is None:
            return None
        if by_body is None or by_body != leaf:
            found = repr(row["body"]) if by_body is None else f"one that hashes to {by_body.hex()}"
            self._fault("ledger_entry", index, "body", f"a text that hashes to {leaf.hex() if leaf else 'its leaf'}", found)
            return None
        if row["leaf"] != leaf.hex():
            self._fault("ledger_entry", index, "leaf", leaf.hex(), row["leaf"])
        try:
            body = _decode(row["body"])
        except msgspec.DecodeError as error:
            self._fault("ledger_entry", index, "body", "the fields of an entry", error)
            return None
        if _encode(body).decode() != row["body"]:
            self._fault("ledger_entry", index, "body", "canonical JSON", row["body"])
        for field in ("seq", "time", "actor", "type", "subject"):
            if row[field] != getattr(body, field):
                self._fault("ledger_entry", index, field, getattr(body, field), row[field])
        return body

    def _grow(self, leaf: bytes) -> None:
        for level, position, value in self._edge.append(leaf):
            found = self._nodes.pop((level, position), None)
            if found is None and (position + 1) << level > self._covered:
                continue
            if found != value.hex():
                self._fault("ledger_node", f"{level}/{position}", "hash", value.hex(), "nothing" if found is None else found)
        if self._edge.size in self._heads:
            self._verify_heads_at(self._edge.size)

    def _verify_heads_at(self, size: int) -> None:
        for row in self._heads.pop(size, ()):
            if row["root"] != self._edge.root().hex():
                self._fault("ledger_head", size, "root", self._edge.root().hex(), row["root"])
            self._guarded("ledger_head", lambda row=row: self._verify_signatures(row))  # type: ignore[misc]

    def _verify_signatures(self, row: Row) -> None:
        try:
            head = store.head_of(row)
            canonical = store.signatures_text(head.signatures) == row["signatures"]
        except (msgspec.DecodeError, TypeError) as error:
            self._fault("ledger_head", row["size"], "signatures", "readable signatures", error)
            return
        algorithms = tuple(signature.algorithm for signature in head.signatures)
        if not canonical or algorithms != self._cryptography.algorithms():
            expected = f"one signature by each of {', '.join(self._cryptography.algorithms())}"
            self._fault("ledger_head", head.size, "signatures", expected, row["signatures"])
            return
        message = rules.head_message(head.size, head.root, head.time)
        for signature in head.signatures:
            if not self._cryptography.verify(message, signature):
                expected = f"a {signature.algorithm} signature by this city's key over this size, root and time"
                self._fault("ledger_head", head.size, "signatures", expected, f"{signature.value} by key {signature.key_id}")

    def _verify_outbox(self, first: int, bodies: Sequence[Body | None]) -> None:
        """Events still in the outbox must be those of the entries; entries that are not sound themselves say nothing."""
        found = self._guarded("kernel_outbox", lambda: store.outbox_rows(self._session, first, len(bodies))) or []
        for event in found:
            body = bodies[event["id"] - 1 - first]
            if body is not None:
                self._verify_event(event, body)

    def _verify_event(self, event: Row, body: Body) -> None:
        for field in ("type", "subject", "time", "actor"):
            if event[field] != getattr(body, field):
                self._fault("kernel_outbox", event["id"], field, getattr(body, field), event[field])
        payload = event["payload"]
        digest = sha256(payload.encode("utf-8", "surrogatepass")).hexdigest() if isinstance(payload, str) else "no text"
        if digest != body.payload:
            self._fault("kernel_outbox", event["id"], "payload", f"a text with SHA-256 {body.payload}", digest)

    def _leftovers(self, size: int) -> None:
        for level, position in self._nodes:
            self._fault("ledger_node", f"{level}/{position}", "position", "a finished tile of the tree", "one that is not")
        for beyond in sorted(self._heads):
            self._fault("ledger_head", beyond, "size", f"at most {size} entries", beyond)


def _hash(text: Any) -> bytes | None:
    try:
        value = bytes.fromhex(text)
    except (TypeError, ValueError):
        return None
    return value if value.hex() == text and len(value) == 32 else None


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 300 else f"{text[:300]}…"
