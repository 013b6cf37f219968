"""Models of what may be declared about sharing: rules, working days, databases to deliver to, and return flows."""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from mumian.kernel.declarations.kinds import Spec

Name = Annotated[str, Field(min_length=1, max_length=80)]
Days = Annotated[int, Field(ge=0, le=250)]


class QuotaSpec(Spec):
    """The most that one grant may have; empty: no bound."""

    calls_day: int | None = Field(None, ge=0)
    rows_day: int | None = Field(None, ge=0)
    bytes_day: int | None = Field(None, ge=0)
    calls_month: int | None = Field(None, ge=0)
    rows_month: int | None = Field(None, ge=0)
    bytes_month: int | None = Field(None, ge=0)


class SharingRuleSpec(Spec):
    """A rule of sharing 共享规则; of several that fit a dataset the nearest one that says something counts."""

    owner: str | None = Field(None, max_length=80, description="For the datasets of this organisation; empty: of all.")
    datasets: list[Name] = Field(default_factory=list, max_length=1000, description="For these datasets only, by name.")
    answer_days: Days | None = Field(None, description="Working days in which the owner answers an application.")
    bureau_days: Days | None = Field(None, description="Working days in which the bureau confirms or settles.")
    supply_days: Days | None = Field(None, description="Working days in which the applicant supplies what is missing.")
    objection_days: Days | None = Field(None, description="Working days in which the owner checks data that are objected to.")
    demand_days: Days | None = Field(None, description="Working days in which a demand for data is answered.")
    bureau: str | None = Field(None, max_length=80, description="The organisation that settles disputes and confirms.")
    review: Literal["never", "labelled", "always"] | None = Field(
        None, description="When the bureau confirms what the owner approved: never, when labelled fields are wanted, always."
    )
    longest_days: int | None = Field(None, ge=1, le=3650, description="The longest that a grant lasts, in days.")
    quota: QuotaSpec | None = Field(None, description="The most that one grant may have in a day and in a month.")
    purposes: dict[Annotated[str, Field(pattern=r"^[a-z][a-z-]{0,79}$")], list[Name]] = Field(
        default_factory=dict, max_length=200, description="The purposes that are allowed, each with the fields that it needs."
    )
    tokens: list[Name] = Field(default_factory=list, max_length=200, description="Fields that are only given as tokens.")
    refusal_basis: str | None = Field(
        None, max_length=1000, description="The law by which datasets with `share: none` are not shared."
    )


class WorkCalendarSpec(Spec):
    """Working days 工作日历; of several calendars the days are put together."""

    weekend: list[Annotated[int, Field(ge=1, le=7)]] = Field(
        default_factory=lambda: [6, 7], max_length=7, description="The days of the week without work; 1 is Monday."
    )
    holidays: list[date] = Field(default_factory=list, max_length=5000, description="Days without work.")
    workdays: list[date] = Field(default_factory=list, max_length=5000, description="Days of work at a weekend 调休.")


class PushTargetSpec(Spec):
    """A PostgreSQL database that grants may be delivered to."""

    holder: str = Field(max_length=80, description="The organisation whose database it is: only its grants are delivered there.")
    url: str = Field(
        max_length=500,
        pattern=r"^postgresql://[^\s:/@]+@[^\s/@]+/[^\s/@?#]+$",
        description="Where it is, without a password: postgresql://user@host:port/database.",
    )
    password_env: str | None = Field(
        None, pattern=r"^MUMIAN_TARGET_[A-Z0-9_]{1,60}$", description="The environment variable that holds the password."
    )
    db_schema: str = Field("public", pattern=r"^[a-z_][a-z0-9_]{0,62}$", description="The schema of its tables.")


class ReturnTarget(Spec):
    """Where the rows of one district go: a dataset of the district's, or a table of its database."""

    district: str = Field(pattern=r"^[0-9]{6}$", description="The district, by GB/T 2260 code.")
    dataset: str | None = Field(None, max_length=80, description="A dataset of that district, by name.")
    target: str | None = Field(None, max_length=80, description="A PushTarget of that district, by name.")
    table: str | None = Field(None, pattern=r"^[a-z_][a-z0-9_]{0,62}$", description="The table in that target.")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.dataset is None) == (self.target is None) or (self.target is None) != (self.table is None):
            raise ValueError("a district gets its rows either in a dataset or in a target with a table; give one of them")
        return self


class ReturnFlowSpec(Spec):
    """Return flow 属地回流: rows of a city's dataset go back to the districts they are about, with every load."""

    dataset: str = Field(max_length=80, description="The dataset whose rows flow back.")
    field: str = Field(
        max_length=63, description="Its field with the district code; longer codes count by their first six digits."
    )
    purpose: str = Field(pattern=r"^[a-z][a-z-]{0,79}$", description="What the districts may use the rows for.")
    basis: str = Field(min_length=1, max_length=1000, description="The law or document by which the rows flow back.")
    fields: list[Name] = Field(default_factory=list, max_length=2000, description="The fields that flow back; empty: all.")
    plain: list[Name] = Field(default_factory=list, max_length=2000, description="Labelled fields that are not masked.")
    tokens: list[Name] = Field(default_factory=list, max_length=200, description="Fields that are given as tokens.")
    targets: list[ReturnTarget] = Field(min_length=1, max_length=200, description="The districts and where their rows go.")
