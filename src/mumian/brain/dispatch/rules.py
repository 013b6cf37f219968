"""Rules of dispatch: of all rules that cover an incident the most specific wins, and says why."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Candidate:
    """A dispatch rule as the choice sees it; empty `types` covers every type, "*" every district."""

    name: str
    types: frozenset[str]
    districts: frozenset[str]
    city_level: bool
    organisation: str
    priority: int


@dataclass(frozen=True)
class Choice:
    """The rule that won, the organisation it names, what it matched on and which rules it beat."""

    rule: str
    organisation: str
    matched: tuple[str, ...]
    beaten: tuple[str, ...]


def choose(candidates: Iterable[Candidate], type_: str, district: str | None) -> Choice | None:
    """The choice for an incident of a type in a district (None: the city as a whole); None if no rule covers it."""
    covering = sorted((c for c in candidates if covers(c, type_, district)), key=lambda c: _rank(c, type_, district))
    if not covering:
        return None
    best = covering[0]
    matched = [f"type={type_}" if type_ in best.types else "type=*"]
    matched.append("city" if district is None else f"district={district if district in best.districts else '*'}")
    matched.append(f"priority={best.priority}")
    organisation = best.organisation.replace("{district}", district or "")
    return Choice(best.name, organisation, tuple(matched), tuple(c.name for c in covering[1:]))


def covers(candidate: Candidate, type_: str, district: str | None) -> bool:
    """Whether a rule covers incidents of a type in a district."""
    if candidate.types and type_ not in candidate.types:
        return False
    if district is None:
        return candidate.city_level
    return district in candidate.districts or "*" in candidate.districts


def _rank(candidate: Candidate, type_: str, district: str | None) -> tuple[bool, bool, int, str]:
    return (
        type_ not in candidate.types,
        district is not None and district not in candidate.districts,
        -candidate.priority,
        candidate.name,
    )
