"""Model of a duty item."""

from pydantic import Field

from mumian.elements.catalog.models import Text
from mumian.kernel.declarations.kinds import Spec


class DutyData(Spec):
    """Data that a duty must produce."""

    name: str = Field(min_length=1, max_length=80, description="What the data are called in the duty list.")
    title: Text = Field(description="What people call them.")
    elements: list[str] = Field(default_factory=list, max_length=200, description="The data elements they must hold, by name.")
    frequency_seconds: int | None = Field(None, gt=0, description="How often they must be updated, in seconds.")
    datasets: list[str] = Field(
        default_factory=list,
        max_length=100,
        description="The datasets that hold them, by name; empty: any dataset that names the duty.",
    )


class DutySpec(Spec):
    """A duty item 职能事项: what an organisation is to do by law, and the data that come of it."""

    organisation: str = Field(max_length=80, description="The organisation whose duty it is.")
    duty: Text = Field(description="The duty, in the words of the document that gives it.")
    basis: str = Field(min_length=1, max_length=500, description="The law or document that gives the duty.")
    matters: list[str] = Field(default_factory=list, max_length=100, description="Codes of the service or power items under it.")
    data: list[DutyData] = Field(default_factory=list, max_length=200, description="The data that it must produce.")
