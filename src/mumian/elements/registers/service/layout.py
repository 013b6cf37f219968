"""Layout: the tables of a register in the lake, and what its declaration means for them."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from mumian.elements.registers.models import RegisterSpec, SourceSpec
from mumian.elements.registers.rules.comparing import METHODS, Level, columns_of
from mumian.foundation.storage.contracts import Column, Table
from mumian.kernel.unit_of_work import encode


@dataclass(frozen=True)
class Compared:
    """One comparison: the attribute with its kind, the method, the levels (best first), and what is declared of its chances."""

    attribute: str
    kind: str
    method: str
    levels: tuple[Level, ...]
    frequency: bool
    m: tuple[float, ...] | None
    u: tuple[float, ...] | None

    @property
    def size(self) -> int:
        """How many levels there are, `different` included."""
        return len(self.levels) + 1

    def level(self, code: int) -> str:
        """The name of a level by its code: 0 missing, 1 different, then the worst level up to the best."""
        return ("missing", "different", *(level.name for level in reversed(self.levels)))[code]


class Layout:
    """A register as it is kept: `number` is in the names of its tables."""

    def __init__(self, name: str, number: int, spec: RegisterSpec) -> None:
        self.name = name
        self.number = number
        self.spec = spec
        self.record = f"registers_record_{number}"
        self.member = f"registers_member_{number}"
        self.pair = f"registers_pair_{number}"
        self.version = f"registers_version_{number}"
        self.term = f"registers_term_{number}"
        self.position = f"registers.{name}"
        self.attributes = tuple(attribute.name for attribute in spec.attributes)
        self.compared = tuple(self._compared(index) for index in range(len(spec.comparisons)))

    @property
    def prepared(self) -> list[tuple[str, str]]:
        """The columns of standard forms with their types."""
        return [column for a in self.spec.attributes for column in columns_of(a.name, a.kind)]

    @property
    def tables(self) -> list[Table]:
        """The tables in the lake."""
        head = _columns("number", "revision", dataset="VARCHAR", key="VARCHAR", digest="VARCHAR")
        head += _columns("updated", "expires", "began", "ended")
        raw = [Column(f"a_{name}", "VARCHAR") for name in self.attributes]
        standard = [Column(name, "DOUBLE" if type_ == "DOUBLE" else "VARCHAR") for name, type_ in self.prepared]
        pair = _columns("a", "b", weight="DOUBLE", levels="VARCHAR", weights="VARCHAR", reason="VARCHAR")
        version = _columns("entity", "version", "run", "time", state="VARCHAR", records="VARCHAR", origin="VARCHAR")
        version += _columns(successors="VARCHAR", origins="VARCHAR")
        return [
            Table(self.record, (*head, *raw, *standard), ("number", "revision")),
            Table(self.member, tuple(_columns("record", "revision", "entity")), ("record",)),
            Table(self.pair, tuple(pair), ("a", "b")),
            Table(self.version, tuple(version), ("entity", "version")),
            Table(self.term, tuple(_columns(attribute="VARCHAR", value="VARCHAR", share="DOUBLE")), ("attribute", "value")),
        ]

    @property
    def unique(self) -> tuple[str, ...]:
        """The datasets that hold each entity once."""
        return tuple(source.dataset for source in self.spec.sources if source.unique)

    def mapping_digest(self, source: SourceSpec) -> str:
        """What the standard form of a source's rows depends on, beside the rows."""
        kinds = [(a.name, a.kind, a.scheme) for a in self.spec.attributes]
        return _digest([source.fields, source.updated, source.valid_to, kinds])

    @property
    def fingerprint(self) -> str:
        """What clusters and golden records depend on, beside records, model and decisions."""
        return _digest(self.spec.model_dump(mode="json"))

    @property
    def learning(self) -> str:
        """What the model depends on."""
        spec = self.spec.model_dump(mode="json")
        kinds = [(a.name, a.kind, a.scheme) for a in self.spec.attributes]
        return _digest([kinds, *(spec[key] for key in ("comparisons", "blocking", "prior", "block"))])

    def _compared(self, index: int) -> Compared:
        given = self.spec.comparisons[index]
        method = self.spec.method(given)
        levels = tuple(METHODS[method].levels(given.thresholds, given.attribute))
        m, u = (None if shares is None else _scaled(tuple(reversed(shares))) for shares in (given.m, given.u))
        return Compared(given.attribute, self.spec.attribute(given.attribute).kind, method, levels, given.frequency, m, u)


def _scaled(shares: tuple[float, ...]) -> tuple[float, ...]:
    """Shares that add up to one."""
    return tuple(share / sum(shares) for share in shares)


def _columns(*numbers: str, **typed: Any) -> list[Column]:
    return [*(Column(name, "BIGINT") for name in numbers), *(Column(name, type_) for name, type_ in typed.items())]


def _digest(value: Any) -> str:
    return sha256(encode(value)).hexdigest()
