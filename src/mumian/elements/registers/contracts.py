"""What registers hand out: models of agreement, entities with where they come from, pairs with their evidence, and figures."""

from dataclasses import dataclass
from typing import Any, Literal

State = Literal["created", "changed", "merged", "split", "ended"]
Verdict = Literal["same", "different"]
Reason = Literal["unsure", "decided", "identity", "source", "chain"]


@dataclass(frozen=True)
class Model:
    """What a register has learned: for each comparison m and u by level, `different` first and the best last.

    `prior` is the chance that two records taken at random are the same; `records` were there when it was learned, `pairs` were
    looked at and `matches` found among them; `number` counts the models of a register.
    """

    number: int
    m: tuple[tuple[float, ...], ...]
    u: tuple[tuple[float, ...], ...]
    prior: float
    records: int
    pairs: int
    matches: float
    datasets: tuple[str, ...]


@dataclass(frozen=True)
class Evidence:
    """What one comparison says of a pair: the level of agreement (`missing`, `different`, …, `exact`), and its weight in bits."""

    attribute: str
    method: str
    level: str
    weight: float


@dataclass(frozen=True)
class Pair:
    """Two records that were compared: where they are (dataset), their entities, and why they are, or may be, one entity.

    `weight` is the sum of all evidence and of the prior, in bits; `probability` what it means. `reason` says why two strong or
    likely records are still apart; None where they are one entity.
    """

    a: int
    b: int
    datasets: tuple[str, str]
    entities: tuple[int | None, int | None]
    weight: float
    probability: float
    evidence: tuple[Evidence, ...]
    reason: str | None


@dataclass(frozen=True)
class Origin:
    """Where a value of a golden record comes from: a revision of a record, the dataset, and the rule by which it survived.

    `variants` is how many different values the sources have for it.
    """

    attribute: str
    dataset: str
    record: int
    revision: int
    rule: str
    variants: int


@dataclass(frozen=True)
class Version:
    """One version of an entity's golden record; `state` says how it came about.

    `successors` are the entities that took its records when it was merged or split, `origins` those whose records it took.
    """

    entity: int
    version: int
    state: State
    time: str
    run: int
    records: tuple[int, ...]
    origin: tuple[Origin, ...]
    successors: tuple[int, ...]
    origins: tuple[int, ...]


@dataclass(frozen=True)
class Looked:
    """A golden record as somebody may see it: `values` are None (or masked) where the caller may not see them."""

    entity: int
    version: int
    values: dict[str, Any]
