"""Models of data elements, code lists and terms."""

from datetime import date
from typing import Self

from pydantic import Field, model_validator

from mumian.elements.catalog.models import FIELD_PATTERN, FieldType, Text
from mumian.kernel.declarations.kinds import Spec


class SourceField(Spec):
    """A field of a dataset."""

    dataset: str = Field(max_length=80, description="The dataset, by name.")
    field: str = Field(pattern=FIELD_PATTERN, description="Its field.")


class ElementSpec(Spec):
    """A data element 数据元 (after GB/T 18391 / ISO/IEC 11179): what a value means, wherever it stands."""

    definition: Text = Field(description="What it means, so that two people decide alike whether a value is one.")
    type: FieldType = Field("text", description="The type of its values.")
    format: str | None = Field(None, max_length=200, description="How values are written, e.g. n18 or YYYY-MM-DD.")
    pattern: str | None = Field(None, max_length=500, description="A regular expression that whole values match.")
    unit: str | None = Field(None, max_length=60, description="The unit of its values.")
    code_list: str | None = Field(None, max_length=80, description="The code list that values are taken from, by name.")
    standard: str | None = Field(None, max_length=200, description="The standard that defines it, with its clause.")
    names: list[str] = Field(default_factory=list, max_length=50, description="Other names that it goes by 同义名.")
    owner: str | None = Field(None, max_length=80, description="The organisation that keeps the definition.")
    source: SourceField | None = Field(
        None, description="Its one authoritative source 一数一源; where it is empty, a decision may name it."
    )


class CodeSpec(Spec):
    """A code; outside its validity it may stand in old data, but not be written anew."""

    code: str = Field(min_length=1, max_length=80, description="The code as it stands in the data.")
    title: Text = Field(description="What it stands for.")
    parent: str | None = Field(None, max_length=80, description="The code above it.")
    since: date | None = Field(None, description="The first day of its validity.")
    until: date | None = Field(None, description="The last day of its validity.")


class CodeListSpec(Spec):
    """A code list 代码集."""

    description: Text | None = Field(None, description="What its codes tell apart.")
    standard: str | None = Field(None, max_length=200, description="The standard it is taken from, with its year.")
    owner: str | None = Field(None, max_length=80, description="The organisation that keeps it.")
    since: date | None = Field(None, description="The first day of its validity.")
    until: date | None = Field(None, description="The last day of its validity.")
    codes: list[CodeSpec] = Field(min_length=1, max_length=50_000, description="Its codes.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        known: set[str] = set()
        for each in self.codes:
            if each.code in known:
                raise ValueError(f"the code {each.code} is given twice; drop one")
            if each.since and each.until and each.until < each.since:
                raise ValueError(f"the code {each.code} ends before it begins; exchange since and until")
            known.add(each.code)
        lost = next((each for each in self.codes if each.parent is not None and each.parent not in known), None)
        if lost is not None:
            raise ValueError(f"the code {lost.code} stands below {lost.parent}, which is no code of the list; correct it")
        return self


class TermSpec(Spec):
    """A term 术语 of the glossary."""

    definition: Text = Field(description="What it means.")
    domain: str | None = Field(None, max_length=80, description="The field in which it means that.")
    synonyms: list[str] = Field(default_factory=list, max_length=50, description="Words that mean the same.")
    related: list[str] = Field(default_factory=list, max_length=50, description="Other terms, by name.")
    elements: list[str] = Field(default_factory=list, max_length=200, description="The data elements it speaks of, by name.")
    source: str | None = Field(None, max_length=300, description="Where the definition is taken from.")
