"""Models of what may be declared about infrastructure: kinds of facility, measures, and figures of areas."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from mumian.kernel.declarations.kinds import Spec

Title = dict[Literal["zh", "en"], Annotated[str, Field(min_length=1, max_length=200)]]
Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,59}$")]
Word = Annotated[str, Field(min_length=1, max_length=100)]
Name = Annotated[str, Field(max_length=80)]
CODE_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$"
DAY_PATTERN = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
State = Literal["planned", "building", "in_use", "renewing", "retired"]


class FieldSpec(Spec):
    """A property of facilities of a kind."""

    type: Literal["number", "integer", "boolean", "text", "choice"] = Field(description="What values it takes.")
    title: Title | None = Field(None, description="What people call it, {zh, en}; imports know it by these names, too.")
    unit: str = Field("", max_length=60, description="The unit of a number.")
    minimum: float | None = Field(None, description="The least value of a number.")
    maximum: float | None = Field(None, description="The greatest value of a number.")
    choices: list[Word] = Field(default_factory=list, max_length=200, description="The values of a choice.")
    length: int = Field(200, ge=1, le=4000, description="The most characters of a text.")
    required: bool = Field(False, description="Whether it must be given.")
    several: bool = Field(False, description="Whether it holds a list of such values, such as bands or operators.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.type == "choice") != bool(self.choices):
            raise ValueError("a choice needs choices, and nothing else has them; add or remove them")
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError("minimum is greater than maximum; exchange them")
        return self


class RenewalSpec(Spec):
    """When a facility is due for renewal: one of its figures lies above or below a limit."""

    field: str = Field(description="A numeric property, or `age_years` since the day it was built.", max_length=60)
    above: float | None = Field(None, description="Due where the figure is greater.")
    below: float | None = Field(None, description="Due where the figure is less.")
    title: Title = Field(description="Why, in words: old, small, scattered …")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.above is None) == (self.below is None):
            raise ValueError("give either above or below")
        return self


class LiveSpec(Spec):
    """The live state of facilities: what values there are, and the stream that tells it."""

    states: dict[Key, Title] = Field(min_length=1, max_length=50, description="The values with their titles: free, busy, fault …")
    stream: Key | None = Field(None, description="The key of the facility's stream whose results tell it; none: by API only.")
    results: dict[Key, float] = Field(default_factory=dict, description="The result of the stream that stands for each value.")
    fresh_seconds: int = Field(900, ge=1, le=31 * 86_400, description="What is older than so many seconds is not known any more.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if set(self.results) - set(self.states):
            raise ValueError("results name values that states do not have; add them there")
        if (self.stream is None) != (not self.results):
            raise ValueError("stream and results go together; give both or neither")
        return self


class FacilityKindSpec(Spec):
    """A kind of facility 设施类型: what its facilities have in common."""

    theme: str = Field(min_length=1, max_length=80, description="The group of kinds it belongs to, such as network or energy.")
    fields: dict[Key, FieldSpec] = Field(default_factory=dict, max_length=100, description="What is known of each facility.")
    service_radius: float | None = Field(None, ge=1, le=200_000, description="Each serves what lies within so many metres.")
    live: LiveSpec | None = Field(None, description="Its live state, if it has one.")
    renewal: list[RenewalSpec] = Field(default_factory=list, max_length=20, description="What makes one due for renewal.")
    renewal_matches: int = Field(1, ge=1, le=20, description="How many of these reasons must hold.")
    link: bool = Field(False, description="Whether it links two other facilities, as a cable or a network segment does.")
    public: list[Key] | None = Field(
        None, description="Shown to everybody on the public map, with these fields; none: not shown."
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        numeric = {name for name, field in self.fields.items() if field.type in ("number", "integer") and not field.several}
        for reason in self.renewal:
            if reason.field != "age_years" and reason.field not in numeric:
                raise ValueError(f"renewal looks at {reason.field}, which is no numeric field; use one of fields or age_years")
        for name in self.public or ():
            if name not in self.fields:
                raise ValueError(f"public names {name}, which is no field")
        return self


class MeasureSpec(Spec):
    """A measure of how well infrastructure serves each area, such as stations per km²; streams and indicators carry it on."""

    kinds: list[Name] = Field(default_factory=list, max_length=50, description="The kinds of facility that count.")
    states: list[State] = Field(default=["in_use"], min_length=1, description="The states in which they count.")
    where: dict[Key, str | float | bool] = Field(
        default_factory=dict, description="Only those whose properties are these values."
    )
    value: Literal["count", "sum", "mean", "covered_area", "covered_people", "reported"] = Field(
        "count", description="What is taken of them; `reported`: figures that others measured."
    )
    field: Key | None = Field(None, description="The property that is summed or averaged.")
    weight: Key | None = Field(None, description="The property that weighs a mean, such as racks for a PUE.")
    per: str | None = Field(None, max_length=80, description="Divided by: `km2`, or an AreaFigure such as population.")
    scale: float = Field(1.0, gt=0, description="Times this: 10000 for a rate per ten thousand people.")
    people: Name | None = Field(None, description="The AreaFigure of people that covered_people weighs areas with.")
    radius: float | None = Field(None, ge=1, le=200_000, description="The service radius in metres; default: that of each kind.")
    reported: dict[str, float] = Field(default_factory=dict, max_length=2000, description="Figures by code of the area.")
    as_of: str | None = Field(None, pattern=DAY_PATTERN, description="The day that reported figures speak of.")
    source: str = Field("", max_length=500, description="Where reported figures come from.")
    layer: Name | None = Field(None, description="The layer of areas; default: the city's districts.")
    unit: str = Field(min_length=1, max_length=60, description="The unit of the measure.")
    direction: Literal["up", "down"] = Field("up", description="Which way is better.")
    targets: dict[int, float] = Field(default_factory=dict, max_length=100, description="What the city shall reach, by year.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.value in ("sum", "mean")) != (self.field is not None):
            raise ValueError("field goes with sum and mean, and with nothing else")
        if (self.value == "covered_people") != (self.people is not None):
            raise ValueError("people goes with covered_people, and with nothing else")
        if self.value == "reported":
            if not self.reported or self.as_of is None or not self.source:
                raise ValueError("reported figures need reported, as_of and source")
        elif not self.kinds:
            raise ValueError("kinds must name at least one kind of facility")
        if self.per is not None and self.value not in ("count", "sum"):
            raise ValueError("per goes with count and sum only")
        return self


class AreaFigureSpec(Spec):
    """A figure of areas that others counted: residents, households; by code of the area or of the whole city."""

    unit: str = Field(min_length=1, max_length=60, description="The unit, such as people.")
    as_of: str = Field(pattern=DAY_PATTERN, description="The day that the figures speak of.")
    source: str = Field(min_length=1, max_length=500, description="Where the figures come from.")
    values: dict[str, Annotated[float, Field(ge=0)]] = Field(min_length=1, max_length=2000, description="By code of the area.")
