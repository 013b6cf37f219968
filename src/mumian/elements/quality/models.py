"""Models of quality rules: what may be asked of a dataset."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from mumian.kernel.declarations.kinds import Spec

Dimension = Literal["normativity", "completeness", "accuracy", "consistency", "timeliness", "accessibility"]
Severity = Literal["critical", "major", "minor"]
Format = Literal["id_card", "credit_code", "phone", "mobile", "email", "plate", "postcode", "bank_card", "date", "time", "url"]
Scalar = str | int | float | bool
Name = Annotated[str, Field(pattern=r"^[^\W\d_]\w{0,62}$")]
DatasetName = Annotated[str, Field(min_length=1, max_length=80)]


class Title(Spec):
    """What people call a rule."""

    zh: str = Field(min_length=1, max_length=200)
    en: str = Field(min_length=1, max_length=200)


class CheckSpec(Spec):
    """What all checks have in common."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,59}$", description="The name of the rule, unique in its document.")
    title: Title | None = Field(None, description="What people call it; left out, it is described by what it checks.")
    severity: Severity = Field("major", description="How bad a fault is; it weighs 3, 2 or 1 in the score.")
    weight: float | None = Field(None, gt=0, le=100, description="Its weight in the score, instead of that of its severity.")
    dimension: Dimension | None = Field(
        None, description="The dimension of GB/T 36344-2018 that it belongs to, instead of its usual one."
    )
    ticket: bool = Field(True, description="Whether a fault becomes a ticket to the owner of the dataset.")
    deadline_days: float | None = Field(None, gt=0, le=366, description="Within how many days it is to be mended.")


class RowsSpec(CheckSpec):
    """A check that judges rows; it holds when no larger share of them fails than is tolerated."""

    tolerance: float = Field(0.0, ge=0, lt=1, description="The share of rows, from 0 to 1, that may fail.")
    where: str | None = Field(
        None, max_length=2000, description="A condition in SQL over the fields: only rows that meet it are judged."
    )


class NotNull(RowsSpec):
    """Every row has a value, and no text that is blank."""

    check: Literal["not_null"]
    field: Name = Field(description="The field.")


class Unique(RowsSpec):
    """No two rows have the same values in these fields; rows without a value in one of them are not judged."""

    check: Literal["unique"]
    fields: list[Name] = Field(min_length=1, max_length=20, description="The fields.")


class Formatted(RowsSpec):
    """Values are written in a format; rows without a value are not judged."""

    check: Literal["format"]
    field: Name = Field(description="The field.")
    format: Format | None = Field(
        None, description="A format: id_card (GB 11643-1999), credit_code (GB 32100-2015), bank_card (ISO/IEC 7812-1), …"
    )
    pattern: str | None = Field(None, max_length=500, description="A regular expression (RE2) that whole values match.")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.format is None) == (self.pattern is None):
            raise ValueError("give either format or pattern")
        return self


class Between(RowsSpec):
    """Values lie within bounds (both included); rows without a value are not judged."""

    check: Literal["range"]
    field: Name = Field(description="The field: a number, a date or a time.")
    least: float | str | None = Field(None, description="The least value; a date or time as ISO 8601 text.")
    most: float | str | None = Field(None, description="The greatest value.")

    @model_validator(mode="after")
    def _some(self) -> Self:
        if self.least is None and self.most is None:
            raise ValueError("give least, most or both")
        return self


class Codes(RowsSpec):
    """Values are taken from a code list or from the values given; rows without a value are not judged."""

    check: Literal["codes"]
    field: Name = Field(description="The field.")
    code_list: str | None = Field(None, max_length=80, description="The code list; left out, that of the field.")
    values: list[Scalar] | None = Field(None, min_length=1, max_length=1000, description="The values, instead of a code list.")


class Condition(RowsSpec):
    """A condition over the fields of one row is true; rows for which it is unknown (NULL) are not judged."""

    check: Literal["condition"]
    sql: str = Field(min_length=1, max_length=2000, description="The condition, in SQL: ended >= begun.")


class Reference(RowsSpec):
    """Values exist in another dataset; rows without a value are not judged."""

    check: Literal["reference"]
    fields: list[Name] = Field(min_length=1, max_length=20, description="The fields that refer.")
    dataset: DatasetName = Field(description="The dataset they refer to.")
    target: list[Name] = Field(default_factory=list, max_length=20, description="Its fields; left out, its key.")


class Consistent(RowsSpec):
    """Where another dataset has a row with the same key, it has the same value; rows without a counterpart are not judged."""

    check: Literal["consistency"]
    key: list[Name] = Field(min_length=1, max_length=20, description="The fields that tell which rows belong together.")
    field: Name = Field(description="The field whose values are compared.")
    dataset: DatasetName = Field(description="The other dataset.")
    target_key: list[Name] = Field(default_factory=list, max_length=20, description="Its key fields; left out, of the same name.")
    target_field: Name | None = Field(None, description="Its field; left out, of the same name.")
    within: float = Field(0.0, ge=0, description="By how much numbers may differ.")


class Freshness(CheckSpec):
    """The data are not older than allowed."""

    check: Literal["freshness"]
    seconds: int | None = Field(None, gt=0, description="How old they may be; left out, twice the dataset's update frequency.")
    field: Name | None = Field(
        None, description="The date or time field whose greatest value counts; left out, the last load or observation."
    )


class Volume(CheckSpec):
    """There are as many rows as expected."""

    check: Literal["volume"]
    of: Literal["total", "load"] = Field("total", description="Rows of the whole dataset, or of the newest load.")
    least: int | None = Field(None, ge=0, description="The least number of rows.")
    most: int | None = Field(None, ge=0, description="The greatest number of rows.")
    change: float | None = Field(None, gt=0, description="By what share it may differ from its mean before: 0.5 is ±50 %.")
    loads: int = Field(7, ge=1, le=100, description="Over how many loads before that mean is taken.")

    @model_validator(mode="after")
    def _some(self) -> Self:
        if self.least is None and self.most is None and self.change is None:
            raise ValueError("give least, most or change")
        return self


class Drift(CheckSpec):
    """The values are distributed as they were in a load before."""

    check: Literal["drift"]
    field: Name = Field(description="The field; of texts the commonest values are compared, of others ranges.")
    method: Literal["psi", "ks"] = Field("psi", description="Population stability index, or Kolmogorov-Smirnov distance.")
    most: float | None = Field(None, gt=0, description="The greatest difference; left out, 0.2 for psi and 0.1 for ks.")
    baseline: Literal["first", "previous"] = Field(
        "first", description="All rows when the rule is first judged, or the load before."
    )


class Query(CheckSpec):
    """A SELECT over datasets that gives the failing rows; where it gives `_id` of the dataset they are kept for review."""

    check: Literal["sql"]
    sql: str = Field(min_length=1, max_length=20_000, description="The SELECT, over names of datasets.")
    most: int = Field(0, ge=0, description="How many rows it may give.")
    seconds: float = Field(60.0, gt=0, le=600, description="How long it may run.")


Check = Annotated[
    NotNull | Unique | Formatted | Between | Codes | Condition | Reference | Consistent | Freshness | Volume | Drift | Query,
    Field(discriminator="check"),
]


class QualityRuleSpec(Spec):
    """Rules for one dataset; a dataset may have several documents."""

    dataset: DatasetName = Field(description="The dataset.")
    deadline_days: float = Field(10.0, gt=0, le=366, description="Within how many days faults are to be mended.")
    rules: list[Check] = Field(min_length=1, max_length=200, description="The rules.")

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        ids = [rule.id for rule in self.rules]
        double = next((each for each in ids if ids.count(each) > 1), None)
        if double is not None:
            raise ValueError(f"two rules are called {double}; rename one")
        return self
