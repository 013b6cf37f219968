"""Asking both engines: conditions are divided between records and observations, and each set is asked once."""

import json
from collections.abc import Sequence

from mumian.foundation.sensing.api import Sensing
from mumian.foundation.sensing.rules import microseconds
from mumian.foundation.sensing.sta import records, spatial
from mumian.foundation.sensing.sta.dialects import DIALECTS
from mumian.foundation.sensing.sta.dividing import Divider
from mumian.foundation.sensing.sta.entity_sets import MODEL
from mumian.foundation.sensing.sta.model import EntitySet, Property
from mumian.foundation.sensing.sta.observations import ObservationSearch, Streams
from mumian.foundation.sensing.sta.observed import Observed
from mumian.foundation.sensing.sta.options import Options
from mumian.foundation.sensing.sta.records import MOST_IDS, Owners, Page, Wish
from mumian.foundation.sensing.sta.rendering import Spans
from mumian.foundation.sensing.sta.syntax import Expression
from mumian.kernel.errors import Invalid
from mumian.kernel.unit_of_work import Row, Session

MOST_GEOMETRIES = 300_000


class Asking:
    """Answers wishes for pages; it is what conditions ask that reach over to the other engine (`dividing.Elsewhere`)."""

    def __init__(self, sensing: Sensing) -> None:
        self._sensing = sensing
        self._records = sensing.platform.records
        self.now = microseconds(sensing.platform.clock.now())
        self.observations = ObservationSearch(sensing, self.now)

    async def page(
        self,
        entities: EntitySet,
        options: Options,
        owners: Owners | None = None,
        number: int | None = None,
        each: bool = False,
        among: Sequence[int] | None = None,
    ) -> Page:
        """A page of a set (for `each` owner one): all of it, the entity with a number, or those `among` some ids."""
        condition = await self._divided(entities, options.filter, options.name("$filter"))
        if entities.name == "Observations":
            streams = None if owners is None else await self.streams(owners)
            return await self.observations.page(options, condition, streams, number, each)
        wish = Wish(entities, options, condition, owners, number, each, among)
        engine = self._records.engine
        return await self._records.read(lambda session: records.page(session, engine, wish, self.now))

    async def _divided(self, entities: EntitySet, condition: Expression | None, option: str) -> Expression | None:
        return None if condition is None else await Divider(MODEL, entities, self, option).divide(condition)

    async def streams(self, owners: Owners) -> Streams:
        """Whose observations a link leads to."""
        if owners.set.name != "FeaturesOfInterest":
            return Streams(owners.ids)
        ids = owners.ids
        own = "SELECT id AS stream, feature FROM sensing_stream WHERE feature = :f"
        named = "SELECT stream FROM sensing_stream_feature WHERE feature = :f"

        def work(session: Session) -> Streams:
            features: dict[int, int] = {}
            candidates: set[int] = set()
            for number in ids:
                features |= {int(row["stream"]): int(row["feature"]) for row in session.rows(own, f=number)}
                candidates |= {int(row["stream"]) for row in session.rows(named, f=number)}
            return Streams(ids, features or {0: 0}, [*features, *candidates - set(features)])

        return await self._records.read(work)

    async def features(self, streams: set[int]) -> dict[int, int]:
        """The own features of interest of streams."""
        params: dict[str, object] = {}

        def bind(value: object) -> str:
            params["streams"] = value
            return ":streams"

        dialect = DIALECTS[self._records.engine]
        sql = (
            f"SELECT id, feature FROM sensing_stream WHERE feature IS NOT NULL AND {dialect.member('id', sorted(streams), bind)}"
        )
        found = await self._records.read(lambda session: session.rows(sql, **params))
        return {int(row["id"]): int(row["feature"]) for row in found}

    def spans(self, streams: Sequence[int]) -> dict[int, Spans]:
        """From when to when streams have observations: by phenomenon time and by result time."""
        return self._sensing.spans(streams)

    def is_multi(self, stream: int) -> bool:
        """Whether a stream is a MultiDatastream."""
        info = self._sensing.registry.numbered(stream)
        return info is not None and info.multi

    def any_multi(self, rows: Sequence[Sequence[int]]) -> bool:
        """Whether any of these observations belongs to a MultiDatastream."""
        newest = rows.columns.streams[:1].tolist() if isinstance(rows, Observed) else None
        return any(self.is_multi(stream) for stream in newest or {row[1] for row in rows})

    async def ids(self, entities: str, condition: Expression, option: str) -> Sequence[int]:
        """The ids of the entities of a set in the records that fulfil a condition."""
        known = MODEL[entities]
        divided = await self._divided(known, condition, option)
        wish = Wish(known, Options(option=option.rpartition(".")[0]), divided)
        engine = self._records.engine
        found = await self._records.read(lambda session: records.ids(session, engine, wish, self.now))
        return _bounded(found, option)

    async def observed(self, owners: str, condition: Expression, option: str) -> Sequence[int]:
        """The ids of the streams, or features of interest, with an observation that fulfils a condition."""
        divided = await self._divided(MODEL["Observations"], condition, option)
        assert divided is not None
        streams = _bounded(await self.observations.owners(divided, option, features=False), option)
        if owners != "FeaturesOfInterest":
            return streams
        named = await self.observations.owners(divided, option, features=True)
        own = await self._records.read(lambda session: session.rows("SELECT id, feature FROM sensing_stream"))
        wanted = set(streams)
        return sorted({int(row["feature"]) for row in own if row["id"] in wanted and row["feature"]} | set(named))

    async def streams_at(self, features: Sequence[int]) -> Sequence[int]:
        """The ids of the streams whose own feature of interest is one of these."""
        dialect = DIALECTS[self._records.engine]
        params: dict[str, object] = {}

        def bind(value: object) -> str:
            params["features"] = value
            return ":features"

        sql = f"SELECT id FROM sensing_stream WHERE {dialect.member('feature', features, bind)}"
        found = await self._records.read(lambda session: session.rows(sql, **params))
        return [int(row["id"]) for row in found]

    async def placed(self, entities: str, known: Property, condition: Expression, option: str) -> Sequence[int]:
        """The ids of the entities of a set whose geometry fulfils a spatial condition."""
        kept, bounds = MODEL[entities], spatial.bounds_of(condition)

        def work(session: Session) -> list[Row]:
            return records.geometries(session, kept, known, bounds, MOST_GEOMETRIES)

        rows = await self._records.read(work)
        if len(rows) > MOST_GEOMETRIES:
            raise Invalid.field(option, "sensing.query.broad", limit=MOST_GEOMETRIES)
        mask = spatial.chosen(condition, [row["geometry"] for row in rows], option)
        return [int(row["id"]) for row, fits in zip(rows, mask.tolist(), strict=True) if fits]


def feature_of(detail: str | None, own: int | None) -> int | None:
    """The feature of interest of an observation: the one that it names, or that of its stream."""
    named = json.loads(detail).get("feature") if detail is not None else None
    return own if named is None else int(named)


def _bounded(ids: list[int], option: str) -> list[int]:
    if len(ids) > MOST_IDS:
        raise Invalid.field(option, "sensing.query.broad", limit=MOST_IDS)
    return ids
