"""The kind Dataset 数据集: what is not a stream by itself, described by hand."""

from collections.abc import Iterable

from pydantic import Field

from mumian.kernel.declarations.documents import Document
from mumian.kernel.declarations.kinds import Catalogue, Kind, Spec
from mumian.kernel.errors import Fault


class Text(Spec):
    """A text in both languages."""

    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)


class DatasetSpec(Spec):
    """A dataset: described by hand, and alive where it is made of streams."""

    owner: str = Field(description="The organisation that answers for it.")
    description: Text | None = Field(None, description="What it holds and what it is for.")
    unit: str | None = Field(None, max_length=60, description="The unit, where all its values have the same.")
    frequency_seconds: int | None = Field(None, gt=0, description="How often it is updated, in seconds; empty: irregularly.")
    observed_property: str | None = Field(
        None, max_length=200, description="It is made of all streams that observe this property."
    )
    licence: str | None = Field(None, max_length=200, description="The licence under which it may be used.")
    source: str | None = Field(None, max_length=1000, description="Where it comes from, to be cited.")


def check_dataset(document: Document, spec: DatasetSpec, catalogue: Catalogue) -> Iterable[Fault]:
    """The owner exists, and no stream has the name already."""
    if not catalogue.has("Organisation", spec.owner):
        yield document.fault("spec.owner", "field.reference", kind="Organisation", name=spec.owner)
    if catalogue.has("Stream", document.name):
        yield document.fault("name", "catalog.stream_name", name=document.name)


KINDS = [Kind("Dataset", DatasetSpec, "A dataset in the catalogue, described by hand or made of streams.", check_dataset)]
