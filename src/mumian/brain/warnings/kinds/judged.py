"""The kind Warning 预警: which vital sign, over which lines, for how long."""

from collections.abc import Iterable
from itertools import pairwise
from string import Formatter
from typing import Literal

from pydantic import Field, field_validator, model_validator

from mumian.brain.vitals.kinds import Text
from mumian.kernel.declarations.documents import Document
from mumian.kernel.declarations.kinds import Catalogue, Spec
from mumian.kernel.errors import Fault

PLACES = ("label", "level", "value", "unit", "threshold", "vital")
LEVELS = ("blue", "yellow", "orange", "red")


class WarningLevel(Spec):
    """A line: at or beyond `enter` for `for_minutes` raises the warning to this level; short of `leave` as long gives it up."""

    level: Literal["blue", "yellow", "orange", "red"]
    enter: float
    leave: float
    for_minutes: float = Field(default=0, ge=0, le=527040)


class Message(Text):
    """A text in both languages that may hold {label} {level} {value} {unit} {threshold} {vital}, and {{ }} for braces."""

    @field_validator("zh", "en")
    @classmethod
    def _bare_names(cls, template: str) -> str:
        allowed = ", ".join("{" + name + "}" for name in PLACES)
        try:
            parts = list(Formatter().parse(template))
        except ValueError as error:
            raise ValueError(f"braces must come in pairs: it may hold {allowed}, and a brace itself is written twice") from error
        for _, name, form, conversion in parts:
            if name is not None and (name not in PLACES or form or conversion):
                raise ValueError(f"it may only hold {allowed}, as they stand here and without anything else in the braces")
        return template


class WarningSpec(Spec):
    """A warning rule over one vital; a warning stands for itself until it is lifted and is never repeated.

    `when` says on which side of a line it is bad. After `stale_minutes` without a value the warning is lifted, for nobody
    knows any more.
    """

    vital: str
    applies_to: list[Literal["city", "station"]] = Field(default=["station"], min_length=1)
    when: Literal["above", "below"] = "above"
    levels: list[WarningLevel] = Field(min_length=1, max_length=4)
    message: Message
    stale_minutes: float = Field(default=1440, gt=0, le=527040)

    @model_validator(mode="after")
    def _ordered(self) -> "WarningSpec":
        sign = 1 if self.when == "above" else -1
        order = [LEVELS.index(line.level) for line in self.levels]
        if any(b <= a for a, b in pairwise(order)):
            raise ValueError("the levels must be listed once each from mild to severe: blue, yellow, orange, red")
        for line in self.levels:
            if line.leave * sign > line.enter * sign:
                raise ValueError(f"`leave` of {line.level} must not lie beyond its `enter`, or the warning would flap")
        for mild, severe in pairwise(self.levels):
            if severe.enter * sign <= mild.enter * sign or severe.leave * sign < mild.leave * sign:
                raise ValueError(f"the lines of {severe.level} must lie beyond those of {mild.level}")
        return self


def check_warning(document: Document, spec: WarningSpec, catalogue: Catalogue) -> Iterable[Fault]:
    """Faults that only show beside other declarations: an unknown vital, a dimension it does not have."""
    vital = catalogue.get("Vital", spec.vital)
    if vital is None:
        yield document.fault("spec.vital", "field.reference", kind="Vital", name=spec.vital)
        return
    for index, dimension in enumerate(spec.applies_to):
        if dimension not in vital.spec.dimensions:
            yield document.fault(f"spec.applies_to[{index}]", "field.choice", expected=", ".join(vital.spec.dimensions))
