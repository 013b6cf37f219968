"""What is entered into the catalogue from elsewhere, and what entries are looked for by."""

from dataclasses import dataclass, field
from typing import Any

FACETS = ("theme", "owner", "share", "opened", "kind", "origin", "quality", "freshness", "format")


@dataclass(frozen=True)
class Distribution:
    """One way to have the data of a dataset: its `format` (CSV, …), the address, and whether it is a service (an API).

    `url` may begin with `/`: then it is on this server. `media_type` is an IANA type, `licence` a name or address.
    """

    format: str
    url: str
    media_type: str | None = None
    title: dict[str, str] = field(default_factory=dict)
    service: bool = False
    licence: str | None = None
    bytes: int | None = None


@dataclass(frozen=True)
class HarvestedDataset:
    """A dataset that another catalogue describes: `origin` names that catalogue, `identifier` is what it calls the dataset.

    `title` has zh or en or both; `publisher` is the name of who answers for it there, `owner` an organisation declared here if
    there is one. `issued` and `modified` are ISO dates or times. `original` is the record as it came (any JSON), kept whole.
    """

    origin: str
    identifier: str
    title: dict[str, str]
    original: Any
    description: dict[str, str] = field(default_factory=dict)
    source_url: str | None = None
    landing_page: str | None = None
    publisher: str | None = None
    owner: str | None = None
    theme: str | None = None
    keywords: tuple[str, ...] = ()
    licence: str | None = None
    frequency_seconds: int | None = None
    issued: str | None = None
    modified: str | None = None
    distributions: tuple[Distribution, ...] = ()

    @property
    def name(self) -> str:
        """The name of its entry: `origin:identifier`."""
        return f"{self.origin}:{self.identifier}"


@dataclass(frozen=True)
class Question:
    """What is looked for: words, the wanted values of facets (any of each), order, and the page.

    `order` is relevance, name, changed, uses or score. `every`: whether the caller sees also what is not opened.
    """

    text: str = ""
    wanted: dict[str, tuple[str, ...]] = field(default_factory=dict)
    order: str = "name"
    every: bool = False
    after: tuple[float, str] | None = None
    limit: int = 20
    facets: bool = True


@dataclass(frozen=True)
class Answer:
    """The names of one page with their order keys, how many there are in all, and the counts of each facet's values.

    A facet counts what is left by all other filters, so that further values of it can be chosen.
    """

    hits: tuple[tuple[float, str], ...]
    total: int
    facets: dict[str, dict[str, int]]
    read_as: str | None
    relaxed: bool
    more: bool
