"""The kind Vital 城市体征: how a number about the city is worked out, by whom it is owned and what its levels mean."""

from collections.abc import Iterable
from itertools import pairwise
from typing import Literal

from pydantic import Field, model_validator

from mumian.kernel.declarations.documents import Document
from mumian.kernel.declarations.kinds import Catalogue, Kind, Spec
from mumian.kernel.errors import Fault


class Text(Spec):
    """A text in both languages."""

    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)


class Window(Spec):
    """Aggregates the observations of the last `hours` of every stream that observes `observed_property`.

    A value stands only if at least `minimum_share` of the observations expected from the stream's own frequency are there
    (GB 3095-2012 asks for 20 of 24 hourly values for a daily mean: 0.83).
    """

    observed_property: str = Field(min_length=1)
    hours: int = Field(ge=1, le=8784)
    aggregate: Literal["mean", "max", "min", "sum", "last"] = "mean"
    minimum_share: float = Field(default=0.75, ge=0, le=1)


class Derived(Spec):
    """Maps the value of another vital through a piecewise linear function, given as [x, y] points with x growing.

    Below the first point the first y holds; above the last the last segment goes on, up to `cap`. `round: up` is what
    HJ 633-2012 asks for an air-quality index.
    """

    vital: str
    interpolate: list[tuple[float, float]] = Field(min_length=2)
    round: Literal["up", "nearest", "none"] = "none"
    cap: float | None = None

    @model_validator(mode="after")
    def _growing(self) -> "Derived":
        xs = [x for x, _ in self.interpolate]
        if any(b <= a for a, b in pairwise(xs)):
            raise ValueError("the x of the points in `interpolate` must grow from point to point; put them in order")
        return self


class Source(Spec):
    """Where the number comes from: exactly one of the two."""

    window: Window | None = None
    derived: Derived | None = None

    @model_validator(mode="after")
    def _one(self) -> "Source":
        if (self.window is None) == (self.derived is None):
            raise ValueError("give exactly one of `window` and `derived`")
        return self


class Level(Spec):
    """A named band of values, from a value on (`from`) or strictly above it (`above`), up to the next level."""

    name: str
    title: Text
    colour: str = Field(pattern=r"^#[0-9a-fA-F]{6}$")
    from_: float | None = Field(default=None, alias="from")
    above: float | None = None

    @model_validator(mode="after")
    def _one(self) -> "Level":
        if (self.from_ is None) == (self.above is None):
            raise ValueError("give exactly one of `from` (at or over) and `above` (strictly over)")
        return self

    @property
    def bound(self) -> float:
        """Where the band begins."""
        return self.from_ if self.from_ is not None else float(self.above or 0.0)

    @property
    def strict(self) -> bool:
        """Whether the bound itself still belongs to the band below."""
        return self.from_ is None


class VitalSpec(Spec):
    """A vital sign.

    `direction` says which way is better. With `city` in `dimensions` there is also a value for the whole city: the mean of the
    stations' values of a window vital (the rule of HJ 663-2013 for evaluation points); a derived vital is derived from that mean.
    """

    theme: str
    unit: str
    direction: Literal["up", "down", "none"] = "none"
    owner: str
    standard: Text | None = None
    frequency_seconds: int = Field(default=3600, ge=1, le=86400)
    source: Source
    dimensions: list[Literal["station", "city"]] = Field(default=["station", "city"], min_length=1)
    levels: list[Level] = Field(default_factory=list)

    @model_validator(mode="after")
    def _coherent(self) -> "VitalSpec":
        bounds = [level.bound for level in self.levels]
        if any(b <= a for a, b in pairwise(bounds)):
            raise ValueError("the levels must be listed from the lowest bound to the highest, each bound once")
        if len({level.name for level in self.levels}) < len(self.levels):
            raise ValueError("two levels have the same name; rename one")
        window = self.source.window
        if window is not None and window.hours * 3600 % self.frequency_seconds:
            raise ValueError("`source.window.hours` must be a whole number of `frequency_seconds`")
        return self


def check_owner(document: Document, owner: str, catalogue: Catalogue, field: str) -> Iterable[Fault]:
    """A fault if the organisation does not exist."""
    if not catalogue.has("Organisation", owner):
        yield document.fault(field, "field.reference", kind="Organisation", name=owner)


def check_vital(document: Document, spec: VitalSpec, catalogue: Catalogue) -> Iterable[Fault]:
    """Faults that only show beside other declarations: unknown owner or base, cycles, a base with another rhythm."""
    yield from check_owner(document, spec.owner, catalogue, "spec.owner")
    if spec.source.derived is None:
        return
    where, seen, name = "spec.source.derived.vital", {document.name}, spec.source.derived.vital
    base = catalogue.get("Vital", name)
    if base is None:
        yield document.fault(where, "field.reference", kind="Vital", name=name)
    elif base.spec.frequency_seconds != spec.frequency_seconds:
        yield document.fault("spec.frequency_seconds", "vitals.rhythm", name=name, expected=base.spec.frequency_seconds)
    while base is not None:
        if name in seen:
            yield document.fault(where, "vitals.cycle", name=name)
            return
        seen.add(name)
        name = base.spec.source.derived.vital if base.spec.source.derived else ""
        base = catalogue.get("Vital", name)


KINDS = [Kind("Vital", VitalSpec, "A vital sign of the city: a number worked out from observations, with levels.", check_vital)]
