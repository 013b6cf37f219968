"""What quality shows: shapes of answers, and rules in words."""

from typing import Any

from pydantic import BaseModel

from mumian.elements.quality.contracts import Outcome, Rule
from mumian.elements.quality.models import (
    Between,
    Condition,
    Consistent,
    Drift,
    Formatted,
    Reference,
    Unique,
)
from mumian.elements.quality.rules.scoring import dimension, weight
from mumian.kernel.i18n import LANGUAGES, text

WITHOUT_NUL = r"^[^\x00]*$"  # PostgreSQL keeps no text with NUL


class ScoreView(BaseModel):
    """How a dataset stands: `score` and each of `dimensions` are from 0 to 100; null and left out where nothing was judged."""

    dataset: str
    title: dict[str, str]
    owner: str
    score: float | None
    dimensions: dict[str, float]
    rules: int
    failed: int
    tickets: int
    run: int
    at: str


class RuleView(BaseModel):
    """A rule and what was found for it last; `check` is the rule as it is declared, `implied` says that the dataset's own
    declaration makes it. `checked` rows were judged and `failing` of them failed; rules that judge no rows have `measure` and
    `bound`.
    """

    name: str
    title: dict[str, str]
    check: dict[str, Any]
    dimension: str
    severity: str
    weight: float
    implied: bool
    state: str | None
    score: float | None
    checked: int | None
    failing: int | None
    measure: float | None
    bound: float | None
    detail: dict[str, Any]
    whole: bool | None
    load: int | None
    ticket: int | None


class DatasetQualityView(ScoreView):
    """How a dataset stands, rule by rule."""

    results: list[RuleView]


class RunView(BaseModel):
    """One judgement of a dataset; `reason` says why its rows could not be read, where `readable` is false."""

    run: int
    at: str
    trigger: str
    load: int
    rows: int
    seconds: float
    readable: bool
    reason: str | None
    score: float | None
    dimensions: dict[str, float]


class ResultView(BaseModel):
    """What one run found for a rule."""

    run: int
    at: str
    state: str
    score: float | None
    checked: int | None
    failing: int | None
    measure: float | None
    bound: float | None


class RowsView(BaseModel):
    """Failing rows as the caller may see them; `kept` were noted, of which those that were replaced since are not in `rows`."""

    columns: list[str]
    rows: list[list[Any]]
    kept: int
    failing: int | None


def rule_view(rule: Rule, outcome: Outcome | None, ticket: int | None) -> RuleView:
    """A rule with its outcome."""
    found = {
        name: None if outcome is None else getattr(outcome, name)
        for name in ("state", "score", "checked", "failing", "measure", "bound", "whole", "load")
    }
    return RuleView(
        name=rule.name,
        title=title(rule),
        check=rule.check.model_dump(mode="json", exclude_unset=True),
        dimension=dimension(rule),
        severity=rule.check.severity,
        weight=weight(rule),
        implied=rule.implied,
        detail={} if outcome is None else dict(outcome.detail),
        ticket=ticket,
        **found,
    )


def title(rule: Rule) -> dict[str, str]:
    """What a rule is called: its own title, or what it checks in words."""
    check = rule.check
    if check.title is not None:
        return {"zh": check.title.zh, "en": check.title.en}
    what = ", ".join(check.fields) if isinstance(check, Unique | Reference) else getattr(check, "field", "")
    return {language: text(f"quality.check.{check.check}", language, what=what, how=_how(rule)) for language in LANGUAGES}


def _how(rule: Rule) -> str:
    match rule.check:
        case Formatted():
            return rule.check.format or rule.check.pattern or ""
        case Between():
            signs = (("≥", rule.check.least), ("≤", rule.check.most))
            return ", ".join(f"{sign} {_plain(bound)}" for sign, bound in signs if bound is not None)
        case Condition():
            return rule.check.sql
        case Reference() | Consistent():
            return rule.check.dataset
        case Drift():
            return rule.check.method
        case _:
            return ""


def _plain(bound: float | str) -> str:
    return f"{bound:.12g}" if isinstance(bound, float) else bound
