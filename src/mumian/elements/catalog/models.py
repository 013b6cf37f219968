"""Models of what may be declared about a dataset: who answers for it, what it holds, who may have it."""

from typing import Literal, Self

from pydantic import Field, model_validator

from mumian.kernel.declarations.kinds import Spec

FIELD_PATTERN = r"^[^\W\d_]\w{0,62}$"
FieldType = Literal["text", "integer", "number", "boolean", "date", "time", "json"]
Grade = Literal["core", "important", "general"]
Personal = Literal["none", "personal", "sensitive"]
HighValue = Literal["geospatial", "earth-observation", "meteorological", "statistics", "companies", "mobility"]
Access = Literal["unconditional", "conditional", "none"]


class Text(Spec):
    """A text in both languages."""

    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)


class FieldSpec(Spec):
    """A field 数据项 of a dataset; times are UTC, `json` is any JSON as text, GeoJSON geometries too."""

    name: str = Field(
        pattern=FIELD_PATTERN, description="The column's name: a letter, then letters, digits or _; Chinese may be used."
    )
    type: FieldType = "text"
    title: Text | None = Field(None, description="What people call it.")
    description: Text | None = Field(None, description="What it means.")
    element: str | None = Field(None, max_length=80, description="The data element 数据元 that it is, by name.")
    unit: str | None = Field(None, max_length=60, description="The unit of its values.")
    code_list: str | None = Field(None, max_length=80, description="The code list that its values are taken from, by name.")
    required: bool = Field(False, description="Whether every row must have a value.")
    grade: Grade = Field("general", description="Its grade after GB/T 43697: general, important or core data.")
    personal: Personal = Field("none", description="Whether it is personal, or sensitive personal, information.")


class DatasetSpec(Spec):
    """A dataset: described by hand, and alive where it has rows of its own or is made of streams."""

    owner: str = Field(description="The organisation that answers for it.")
    description: Text | None = Field(None, description="What it holds and what it is for.")
    theme: str | None = Field(None, max_length=80, description="The theme under which it is listed.")
    keywords: list[str] = Field(default_factory=list, max_length=50, description="Words by which it is found.")
    duty: str | None = Field(None, max_length=80, description="The duty item 职责 whose data it holds, by name.")
    unit: str | None = Field(None, max_length=60, description="The unit, where all its values have the same.")
    frequency_seconds: int | None = Field(None, gt=0, description="How often it is updated, in seconds; empty: irregularly.")
    observed_property: str | None = Field(
        None, max_length=200, description="It is made of all streams that observe this property."
    )
    fields: list[FieldSpec] = Field(default_factory=list, max_length=2000, description="Its fields, when it has rows of its own.")
    key: list[str] = Field(default_factory=list, max_length=20, description="The fields that together tell its rows apart.")
    share: Access = Field(
        "conditional", description="How other departments may have it 共享类型: unconditional, conditional (by grant), none."
    )
    opened: Access = Field("none", description="How the public may have it 开放类型: unconditional, conditional, none.")
    licence: str | None = Field(None, max_length=200, description="The licence under which it may be used.")
    source: str | None = Field(None, max_length=1000, description="Where it comes from, to be cited.")
    contact: str | None = Field(None, max_length=200, description="The e-mail address for questions about it.")
    landing_page: str | None = Field(None, max_length=1000, pattern=r"^https?://\S+$", description="A page about it.")
    series: str | None = Field(None, max_length=80, description="The series of datasets that it belongs to, by name.")
    high_value: HighValue | None = Field(
        None, description="Its category as a high-value dataset (EU 2023/138), where it is published as one."
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = [field.name.casefold() for field in self.fields]
        double = next((name for name in names if names.count(name) > 1), None)
        if double is not None:
            raise ValueError(f"two fields are called {double} (case does not count); rename one")
        missing = [name for name in self.key if name.casefold() not in names]
        if missing:
            raise ValueError(f"the key names {missing[0]}, which is no field; add the field or correct the key")
        if self.fields and self.observed_property is not None:
            raise ValueError("a dataset either has fields of its own or is made of streams; remove fields or observed_property")
        return self
