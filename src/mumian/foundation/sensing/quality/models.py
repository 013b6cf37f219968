"""Models of what may be declared about the quality of observations."""

from typing import Self

from pydantic import Field, model_validator

from mumian.kernel.declarations.kinds import Spec


class StuckRule(Spec):
    """A sensor that shows the same over and over 呆滞."""

    count: int = Field(ge=2, le=100_000, description="So many results in a row, each like the one before, are doubted.")
    tolerance: float = Field(0.0, ge=0, description="How far a result may lie from the one before and still be like it.")


class SpikeRule(Spec):
    """A result that the ones before do not explain 突变."""

    per_second: float | None = Field(None, gt=0, description="The fastest change that is believed, per second.")
    deviations: float | None = Field(
        None, gt=0, description="Hampel: so many scaled median absolute deviations from the median of the last 11 results."
    )
    least: float = Field(0.0, ge=0, description="Hampel: a smaller distance from the median is never doubted.")

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.per_second is None and self.deviations is None:
            raise ValueError("give per_second, deviations or both")
        return self


class DriftRule(Spec):
    """A device whose clock is off 时钟漂移."""

    ahead_seconds: float | None = Field(
        None, gt=0, description="An observation later than its own result time, or than its arrival, by more is doubted."
    )
    behind_seconds: float | None = Field(None, gt=0, description="One that arrives later than this after its time is doubted.")

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.ahead_seconds is None and self.behind_seconds is None:
            raise ValueError("give ahead_seconds, behind_seconds or both")
        return self


class QualityProfileSpec(Spec):
    """How observations of some streams are judged 数据质量规则; what is doubted is kept and flagged.

    Where several profiles fit a stream, a rule of one that names the stream comes before one by owner, and that before one by
    observed property.
    """

    observed_property: str | None = Field(None, min_length=1, max_length=200, description="Streams that observe this property.")
    owner: str | None = Field(None, max_length=80, description="Streams that this organisation answers for.")
    streams: tuple[str, ...] = Field((), max_length=1000, description="Streams by name.")
    sent_unit: str | None = Field(
        None, min_length=1, max_length=60, description="The unit that the devices send; results are converted to the stream's."
    )
    minimum: float | None = Field(None, description="Smaller results are doubted (a stream's own minimum refuses them).")
    maximum: float | None = Field(None, description="Greater results are doubted.")
    stuck: StuckRule | None = None
    spike: SpikeRule | None = None
    drift: DriftRule | None = None
    gap_factor: float | None = Field(
        None,
        ge=1,
        le=1000,
        description="The first result after a pause of more than so many times the stream's frequency is marked.",
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.observed_property is None and self.owner is None and not self.streams:
            raise ValueError("name the streams, their owner or their observed_property")
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError("minimum is greater than maximum; exchange them")
        return self

    @property
    def precision(self) -> int:
        """How closely the profile says which streams it is for."""
        return 2 if self.streams else 1 if self.owner is not None else 0
