"""Models of what may be declared about opening."""

from typing import Annotated

from pydantic import Field

from mumian.kernel.declarations.kinds import Spec

Name = Annotated[str, Field(min_length=1, max_length=80)]


class ReleaseRuleSpec(Spec):
    """How the rows of a dataset are checked for re-identification before it is opened."""

    dataset: str = Field(max_length=80, description="The dataset, by name.")
    exempt: str | None = Field(
        None, min_length=5, max_length=1000, description="Why no check is needed, such as: its rows are about no people."
    )
    quasi: list[Name] | None = Field(
        None,
        max_length=40,
        description="The quasi-identifiers 准标识符: fields that together may tell who somebody is; empty: suggested.",
    )
    sensitive: list[Name] | None = Field(
        None, max_length=20, description="The fields that nobody may learn of a person; empty: suggested."
    )
    k: int = Field(5, ge=2, le=1000, description="How many rows must look alike (k-anonymity).")
    l: int = Field(2, ge=1, le=100, description="How many values a sensitive field must have among them (distinct l-diversity).")  # noqa: E741
    t: float | None = Field(
        None, gt=0, le=1, description="How far their distribution may be from that of all rows (t-closeness); empty: not asked."
    )
    tolerated: float = Field(0.0, ge=0, le=0.05, description="The share of rows that may stand in smaller groups.")
