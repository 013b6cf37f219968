"""Models of forms."""

from typing import Literal

from pydantic import Field

from mumian.kernel.declarations.kinds import Spec

_FIELD = r"^[^\W\d_]\w{0,62}$"
Check = Literal["id-card", "credit-code", "phone", "email", "plate"]


class Text(Spec):
    """A text in both languages."""

    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)


class FormField(Spec):
    """A field of the form; type, element, code list and whether it is required are those of the dataset's field."""

    field: str = Field(pattern=_FIELD, description="The field of the dataset.")
    hint: Text | None = Field(None, description="What helps to fill it in.")
    check: Check | None = Field(
        None,
        description="A form with check digit or fixed shape: id-card (GB 11643), credit-code (GB 32100), phone, email, plate; "
        "also taken from the format of the field's element.",
    )
    required: bool | None = Field(None, description="Whether it must be filled in; empty: as the dataset says.")


class Prefill(Spec):
    """From where known values may be taken; the declaration is the grant, and each look is in the ledger."""

    datasets: list[str] = Field(min_length=1, max_length=50, description="The datasets, by name.")
    purpose: str = Field(min_length=1, max_length=200, description="The purpose, as the ledger tells it.")
    basis: str = Field(min_length=1, max_length=500, description="The legal basis.")


class FormSpec(Spec):
    """A form that fills one dataset, one row for each subject."""

    dataset: str = Field(max_length=80, description="The dataset that it fills, whose key is the subject.")
    subject: str = Field(pattern=_FIELD, description="The field that tells whom or what the form is about.")
    fields: list[FormField] = Field(min_length=1, max_length=500, description="Its fields, in order.")
    prefill: Prefill | None = Field(None, description="From where known values may be taken.")
    note: Text | None = Field(None, description="What is said above the form.")
