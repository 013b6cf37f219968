"""Models of credit facts: what kinds there are, who may record them, and how long they are shown."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from mumian.kernel.declarations.kinds import Spec


class CreditKindSpec(Spec):
    """A kind of credit fact 信用信息类别, with the times that the rules on credit repair 信用修复 give it."""

    category: Literal["penalty", "abnormal", "serious", "commitment", "honour", "other"]
    recorders: list[Annotated[str, Field(max_length=80)]] = Field(
        min_length=1, max_length=50, description="The organisations that may record such facts."
    )
    public: bool = Field(True, description="Whether the public may see it while it is in force.")
    most_days: int = Field(ge=1, le=36_600, description="How long it is shown at most.")
    least_days: int = Field(0, ge=0, le=36_600, description="How long it is shown at least, before a repair can be granted.")
    repairable: bool = True

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.least_days > self.most_days:
            raise ValueError("least_days is above most_days; correct one of them")
        return self
