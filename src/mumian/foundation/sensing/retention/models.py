"""Models of what may be declared about how long observations are kept."""

from typing import Self

from pydantic import Field, model_validator

from mumian.kernel.declarations.kinds import Spec


class RetentionSpec(Spec):
    """How long the observations of some streams are kept 留存期限.

    Where several fit a stream, one that names the stream comes before one by owner, and that before one by observed property.
    Days begin at midnight of `utc_offset_hours`; what is removed is whole days.
    """

    observed_property: str | None = Field(None, min_length=1, max_length=200, description="Streams that observe this property.")
    owner: str | None = Field(None, max_length=80, description="Streams that this organisation answers for.")
    streams: tuple[str, ...] = Field((), max_length=1000, description="Streams by name.")
    raw_days: int = Field(ge=1, le=36_500, description="So many days single observations are kept.")
    hourly_days: int | None = Field(
        None, ge=1, le=36_500, description="So many days hourly aggregates are kept; empty: for good."
    )
    daily_days: int | None = Field(None, ge=1, le=36_500, description="So many days daily aggregates are kept; empty: for good.")
    utc_offset_hours: int = Field(0, ge=-12, le=14, description="Which midnight days begin at, in hours before that of UTC.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.observed_property is None and self.owner is None and not self.streams:
            raise ValueError("name the streams, their owner or their observed_property")
        if self.hourly_days is not None and self.hourly_days < self.raw_days:
            raise ValueError("hourly_days is less than raw_days; aggregates are what stays")
        if self.daily_days is not None and self.daily_days < (self.hourly_days or self.daily_days + 1):
            raise ValueError("daily_days is less than hourly_days; give hourly_days, and daily_days of at least as many")
        return self

    @property
    def precision(self) -> int:
        """How closely the declaration says which streams it is for."""
        return 2 if self.streams else 1 if self.owner is not None else 0
