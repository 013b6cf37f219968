"""Events of indicators."""

from dataclasses import dataclass
from typing import ClassVar

from mumian.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class IndicatorMeasured(Event):
    """An indicator, named by `subject`, has a new value; `previous` is the one before."""

    type: ClassVar[str] = "mechanism.indicators.measured"
    value: float | None
    previous: float | None
    target: float | None
    status: str
