"""What the ledger hands out: entries, heads, proofs and the report of a verification."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from mumian.foundation.cryptography.contracts import Signature
from mumian.kernel.unit_of_work import Session


@dataclass(frozen=True)
class Entry:
    """One entry: `index` counts from 0; `body` is the canonical JSON that is hashed; `leaf` its hash in hexadecimal.

    The body repeats index (`seq`), time, actor, type and subject, and holds in `payload` the SHA-256 of the event's payload.
    """

    index: int
    time: str
    actor: str
    type: str
    subject: str
    body: str
    leaf: str


@dataclass(frozen=True)
class Head:
    """A signed tree head: the root (hexadecimal) over the first `size` entries, and when it was signed (ISO 8601 UTC)."""

    size: int
    root: str
    time: str
    signatures: tuple[Signature, ...]


@dataclass(frozen=True)
class Proof:
    """That `entry` is the leaf it claims to be in the tree of `head`: the hashes of `path`, in hexadecimal, lead to the root."""

    entry: Entry
    path: tuple[str, ...]
    head: Head


@dataclass(frozen=True)
class Consistency:
    """That the tree of `first` leaves is the beginning of the tree of `second` leaves; roots and path in hexadecimal."""

    first: int
    second: int
    first_root: str
    second_root: str
    path: tuple[str, ...]


@dataclass(frozen=True)
class Fault:
    """Something that is not as it was written: where (table, entry, field), what it should be and what was found."""

    table: str
    entry: int | str | None
    field: str
    expected: str
    found: str

    def __str__(self) -> str:
        where = "" if self.entry is None else f" {self.entry}"
        return f"{self.table}{where}, {self.field}: expected {self.expected}, found {self.found}"


@dataclass(frozen=True)
class Report:
    """The outcome of a verification: how much was looked at, and every fault (at most a thousand are listed)."""

    entries: int
    heads: int
    nodes: int
    checks: tuple[str, ...]
    faults: tuple[Fault, ...]

    @property
    def sound(self) -> bool:
        """Whether everything is as it was written."""
        return not self.faults


EvidenceCheck = Callable[[Session], Iterable[Fault]]


class EvidenceChecks:
    """`platform.get(EvidenceChecks)`: what other components let a verification look at, too, such as files or states."""

    def __init__(self) -> None:
        self._checks: dict[str, EvidenceCheck] = {}

    def add(self, name: str, check: EvidenceCheck) -> None:
        """Let `verify` run `check` on its snapshot of the records; the faults it yields are reported."""
        self._checks[name] = check

    def all(self) -> list[tuple[str, EvidenceCheck]]:
        """The checks by name."""
        return sorted(self._checks.items())
