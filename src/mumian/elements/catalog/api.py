"""The catalogue for other components: `platform.get(Catalog)` finds and describes datasets and takes in those of others."""

from collections.abc import Callable, Iterable
from datetime import datetime

from mumian.elements.catalog.contracts import Load, LoadMode, TableInfo
from mumian.elements.catalog.entries import store
from mumian.elements.catalog.entries.contracts import FACETS, Answer, Distribution, HarvestedDataset, Question
from mumian.elements.catalog.entries.describing import Dataset, Describing
from mumian.elements.catalog.entries.entering import Entering, read
from mumian.elements.catalog.entries.finding import Finder
from mumian.elements.catalog.models import DatasetSpec
from mumian.elements.catalog.service.tables import Tables
from mumian.elements.catalog.sources.comparing import Comparing
from mumian.foundation.identity.api import Caller
from mumian.foundation.sensing.api import Sensing
from mumian.kernel.errors import NotFound
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Session, Transaction

__all__ = [
    "FACETS",
    "Answer",
    "Catalog",
    "Dataset",
    "Distribution",
    "HarvestedDataset",
    "Load",
    "LoadMode",
    "Question",
    "TableInfo",
    "Tables",
    "sees_all",
]
Ways = Callable[[Dataset], Iterable[Distribution]]
Formats = Callable[[str, DatasetSpec], Iterable[str]]


def sees_all(caller: Caller) -> bool:
    """Whether a caller sees every entry; others see what is opened in any way, streams, and what was harvested."""
    return caller.allowed("dataset:survey")


class Catalog:
    """`platform.get(Catalog)`: every dataset of the city, whether declared, made of a stream or harvested."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._ways: list[tuple[Ways, Formats]] = []
        self.describing = Describing(platform)
        self.entering = Entering(platform, self._formats)
        self.finder = Finder(platform)

    def offer(self, ways: Ways, formats: Formats) -> None:
        """Let a component that hands out data tell how: `ways(dataset)` gives its distributions for the faces of the catalogue,
        `formats(name, spec)` the names of the formats of a declared dataset, by which it is found. Call it when registering;
        `formats` must depend on nothing but its arguments.
        """
        self._ways.append((ways, formats))

    def enter(self, tx: Transaction, given: HarvestedDataset) -> bool:
        """Enter or update a dataset that another catalogue describes; False if nothing is new. Raises Invalid.

        Its entry is `origin:identifier`, of kind `harvested`; the record as it came is kept whole: see `harvested`.
        """
        return self.entering.enter(tx, given)

    def leave(self, tx: Transaction, origin: str, identifier: str) -> bool:
        """Take a harvested dataset out of the catalogue, when its origin has it no more; False if it was not there."""
        return self.entering.leave(tx, f"{origin}:{identifier}")

    @staticmethod
    def harvested(session: Session, name: str) -> HarvestedDataset:
        """A harvested dataset as it was entered, with its original; raises NotFound."""
        row = store.harvested(session, name)
        if row is None:
            raise NotFound(kind="Dataset", name=name)
        return read(row)

    @staticmethod
    def harvested_names(session: Session, origin: str) -> list[str]:
        """The names (`origin:identifier`) of all that came from one catalogue, to tell what it has no more."""
        return store.harvested_names(session, origin)

    async def find(self, question: Question) -> Answer:
        """The names of one page of what is looked for, best first, with counts of facets."""
        return await self._platform.records.read(lambda session: self.finder.find(session, question))

    async def page(self, question: Question, now: datetime) -> tuple[list[Dataset], Answer]:
        """One page of datasets, with what `find` says of them."""

        def work(session: Session) -> tuple[list[Dataset], Answer]:
            answer = self.finder.find(session, question)
            names = [name for _, name in answer.hits]
            rows = store.entries(session, names)
            return self.describing.datasets((rows[name] for name in names if name in rows), now), answer

        return await self._platform.records.read(work)

    async def all(self, now: datetime) -> list[Dataset]:
        """Every dataset, by name; of a large catalogue rather ask for a `page`."""
        found: list[Dataset] = []
        after: tuple[float, str] | None = None
        while True:
            datasets, answer = await self.page(Question(every=True, limit=1000, after=after, facets=False), now)
            found += datasets
            if not answer.more:
                return found
            after = answer.hits[-1]

    async def get(self, name: str, now: datetime) -> Dataset:
        """One dataset; raises NotFound."""
        row = await self._platform.records.read(lambda session: store.entry(session, name))
        if row is None:
            raise NotFound(kind="Dataset", name=name)
        return self.describing.datasets([row], now)[0]

    async def source_of(self, element: str) -> tuple[str, str] | None:
        """The one authoritative source of a data element, dataset and field: declared, decided, or the only one there is.

        None while there is none. Raises NotFound.
        """
        return await self._platform.get(Comparing).authoritative(element)

    def distributions(self, dataset: Dataset) -> list[Distribution]:
        """Every way to have a dataset's data: those it was harvested with, and those that components offer."""
        return [
            *_streamed(self._platform, dataset),
            *dataset.distributions,
            *(each for ways, _ in self._ways for each in ways(dataset)),
        ]

    def _formats(self, name: str, spec: DatasetSpec) -> tuple[str, ...]:
        return tuple(sorted({each for _, formats in self._ways for each in formats(name, spec)}))


def _streamed(platform: Platform, dataset: Dataset) -> list[Distribution]:
    """A stream is had by SensorThings."""
    if dataset.kind != "stream" or not dataset.members:
        return []
    url = f"/sta/v1.1/Datastreams({platform.get(Sensing).stream(dataset.name).id})/Observations"
    title = {"zh": "SensorThings 观测接口", "en": "Observations by SensorThings"}
    return [Distribution("SensorThings", url, "application/json", title, service=True)]
