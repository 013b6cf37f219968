"""Measuring: a little after facilities or declarations change, what came out anew is kept, told and carried to streams."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from mumian.foundation.infrastructure import store
from mumian.foundation.infrastructure.contracts import Facility, Measurement
from mumian.foundation.infrastructure.events import Measured
from mumian.foundation.infrastructure.models import MeasureSpec
from mumian.foundation.infrastructure.rules import measuring as rules
from mumian.foundation.infrastructure.rules.plane import flat, flattened, lattice, reached
from mumian.foundation.infrastructure.service.keeping import Keeping
from mumian.foundation.infrastructure.settings import InfrastructureSettings
from mumian.foundation.sensing.api import Observations, Sensing, microseconds
from mumian.foundation.spatial.api import Spatial
from mumian.kernel.background import Loop
from mumian.kernel.clock import iso, parse_iso
from mumian.kernel.declarations.kinds import Declared
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Session, Transaction

_POSITION = "infrastructure.measured"
_ORIGIN = "infrastructure"
_PAGE = 400


def stream_name(measure: str, area: str) -> str:
    """The name of the sensing stream that carries a measure of an area."""
    return f"infrastructure.{measure}.{area}"


class Measuring:
    """Keeps the measures up to date; one measure that fails to change is told of no second time."""

    name = "infrastructure.measuring"

    def __init__(self, platform: Platform, keeping: Keeping, settings: InfrastructureSettings) -> None:
        self._platform = platform
        self._keeping = keeping
        self._settings = settings
        self._revision = -1
        self._shapes: tuple[int, dict[str, tuple[float, dict[str, Any]]]] = (-1, {})
        self._working = asyncio.Lock()
        self._loop = Loop(self.name, platform.clock, self.settle, settings.measure_seconds)

    async def start(self) -> None:
        """Begin."""
        self._loop.start()

    async def stop(self) -> None:
        """End after the run under way."""
        await self._loop.stop()

    async def settle(self) -> bool:
        """Take all measures if anything changed since; True if one came out anew or was carried on."""
        async with self._working:
            stamp, measured = await self._platform.records.read(_stamps)
            revision = self._platform.declarations.revision
            anew = False
            if stamp != measured or revision != self._revision:
                anew = await self._take(stamp)
                self._revision = revision
            return await self._publish() or anew

    async def _take(self, stamp: int) -> bool:
        found = await asyncio.to_thread(self._measured)
        return await self._platform.records.write(lambda tx: self._keep(tx, found, stamp))

    def _measured(self) -> dict[str, list[Measurement]]:
        declared = self._platform.declarations.all("FacilityMeasure")
        city = self._platform.get(Spatial).city()
        if city is None or not declared:
            return {}
        kinds = sorted({kind for each in declared for kind in each.spec.kinds})
        facilities = self._platform.records.read_now(lambda session: store.every(session, kinds)) if kinds else []
        now = iso(self._platform.clock.now())
        return {each.name: self._one(each, city.code, city.district_layer, facilities, now) for each in declared}

    def _one(
        self, declared: Declared[MeasureSpec], city: str, layer: str, facilities: Sequence[Facility], now: str
    ) -> list[Measurement]:
        spec = declared.spec
        if spec.kinds and not any(facility.kind in spec.kinds for facility in facilities):
            return []  # nobody has entered any yet: that is no figure, least of all a zero
        counted = [facility for facility in facilities if rules.counts(facility, spec)]
        middle, shapes = self._areas(spec.layer or layer)
        if spec.layer not in (None, layer):
            counted = self._located(counted, str(spec.layer))
        shares = self._shares(spec, counted, middle, shapes) if spec.value.startswith("covered") else {}
        areas = [rules.Area(code, float(shape.area) / 1e6, shares.get(code)) for code, shape in shapes.items()]
        figure = spec.people if spec.people is not None else spec.per if spec.per not in (None, "km2") else None
        figures = self._platform.declarations.get("AreaFigure", figure).spec.values if figure is not None else {}
        return rules.measured(declared.name, spec, areas, city, counted, figures, now)

    def _areas(self, layer: str) -> tuple[float, dict[str, Any]]:
        """The middle meridian of a layer, and its areas by code as shapes on the plane; kept until declarations change."""
        import shapely

        revision = self._platform.declarations.revision
        if self._shapes[0] != revision:
            self._shapes = (revision, {})
        if layer not in self._shapes[1]:
            features = [f for f in self._platform.get(Spatial).features(layer) if f.geometry is not None]
            drawn = {f.id: shapely.from_geojson(json.dumps(f.geometry)) for f in features}
            bounds = [shape.bounds for shape in drawn.values()]
            middle = (min(b[0] for b in bounds) + max(b[2] for b in bounds)) / 2 if bounds else 0.0
            self._shapes[1][layer] = (middle, {code: flattened(shape, middle) for code, shape in sorted(drawn.items())})
        return self._shapes[1][layer]

    def _located(self, facilities: Sequence[Facility], layer: str) -> list[Facility]:
        from msgspec.structs import replace

        placed = [f for f in facilities if f.longitude is not None]
        codes = self._platform.get(Spatial).locate(layer, [f.longitude for f in placed], [f.latitude for f in placed])
        lost = [replace(f, district=None) for f in facilities if f.longitude is None]
        return [replace(f, district=code) for f, code in zip(placed, codes.tolist(), strict=True)] + lost

    def _shares(
        self, spec: MeasureSpec, facilities: Sequence[Facility], middle: float, shapes: dict[str, Any]
    ) -> dict[str, float]:
        """The share of each area within the service radius of a facility, of whatever area it is, by a lattice of points."""
        kinds = self._keeping.kinds()
        placed = [f for f in facilities if f.longitude is not None]
        sites = flat([f.longitude for f in placed], [f.latitude for f in placed], middle)
        radii = np.array([spec.radius or kinds[f.kind].service_radius or 0.0 for f in placed])
        shares = {}
        for code, shape in shapes.items():
            points = lattice(shape, self._settings.lattice)
            shares[code] = float(reached(points, sites, radii).mean()) if placed else 0.0
        return shares

    def _keep(self, tx: Transaction, found: dict[str, list[Measurement]], stamp: int) -> bool:
        kept: dict[str, dict[str, Measurement]] = {}
        for each in store.measurements(tx.session):
            kept.setdefault(each.measure, {})[each.area] = each
        anew = False
        for name in sorted({*found, *kept}):
            before, after = kept.get(name, {}), {each.area: each for each in found.get(name, [])}
            store.drop_measurements(tx.session, name, sorted(before.keys() - after.keys()))
            fresh = [each for area, each in after.items() if _told(each) != _told(before.get(area))]
            if not fresh:
                continue
            anew = True
            store.keep_measurements(tx.session, fresh)
            areas = {e.area: {"value": e.value, "numerator": e.numerator, "denominator": e.denominator} for e in fresh}
            unit = self._platform.declarations.get("FacilityMeasure", name).spec.unit
            tx.emit(Measured(subject=name, unit=unit, as_of=fresh[0].as_of, areas=areas))
        tx.session.execute(
            "INSERT INTO kernel_sequence (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = :value",
            name=_POSITION,
            value=stamp,
        )
        return anew

    async def _publish(self) -> bool:
        """Carry measurements to their streams; one that was cut off half-way is a repeat that sensing knows."""
        waiting = await self._platform.records.read(store.unpublished)
        if not waiting:
            return False
        declared = {each.name: each for each in self._platform.declarations.all("FacilityMeasure")}
        waiting = [each for each in waiting if each.measure in declared]
        sensing = self._platform.get(Sensing)
        for start in range(0, len(waiting), _PAGE):
            some = waiting[start : start + _PAGE]
            ids, made = await self._platform.records.write(lambda tx, some=some: self._streams(tx, some, declared))  # type: ignore[misc]
            if made:
                await asyncio.to_thread(sensing.registry.changed, made)
            times = np.array([microseconds(parse_iso(_instant(each.as_of))) for each in some], np.int64)
            results = np.array([each.value for each in some], np.float64)
            await sensing.record(Observations(np.array(ids, np.int64), times, results))
            await self._platform.records.write(lambda tx, some=some: store.publish(tx.session, some))  # type: ignore[misc]
        return bool(waiting)

    def _streams(
        self, tx: Transaction, wanted: Sequence[Measurement], declared: dict[str, Declared[MeasureSpec]]
    ) -> tuple[list[int], list[int]]:
        """The ids of the streams of measurements, and of those that had to be made."""
        things = self._platform.get(Sensing).things
        titles = {district.code: district.title for district in self._platform.get(Spatial).districts()}
        city = self._platform.get(Spatial).city()
        if city is not None:
            titles[city.code] = city.title
        ids, made = [], []
        for each in wanted:
            name = stream_name(each.measure, each.area)
            info = things.stream_named(tx.session, name)
            if info is None or info.retired:
                measure, title = declared[each.measure], titles.get(each.area, {"zh": each.area, "en": each.area})
                number = things.register(
                    tx,
                    things.StreamDraft(
                        name=name,
                        title={language: f"{title[language]} {measure.title[language]}" for language in ("zh", "en")},
                        description=measure.title["en"],
                        thing=_thing(things, tx, each.area, title),
                        sensor=things.sensor_named(tx, "infrastructure ledger"),
                        property=things.property_named(tx, each.measure),
                        unit=measure.spec.unit,
                        origin=_ORIGIN,
                        properties={"measure": each.measure, "area": each.area},
                    ),
                )
                made.append(number)
                ids.append(number)
            else:
                ids.append(info.id)
        return ids, made


def _thing(things: Any, tx: Transaction, area: str, title: dict[str, str]) -> int:
    sql = "SELECT MIN(id) FROM sensing_thing WHERE origin = :origin AND name = :name"
    name = f"{area} {title['zh']}"
    found = tx.session.value(sql, origin=_ORIGIN, name=name)
    if found is not None:
        return int(found)
    row = {"name": name, "description": title["en"], "properties": {"area": area}, "origin": _ORIGIN}
    return int(things.add_thing(tx, row))


def _stamps(session: Session) -> tuple[int, int]:
    return store.stamped(session), int(
        session.value("SELECT value FROM kernel_sequence WHERE name = :name", name=_POSITION) or -1
    )


def _told(each: Measurement | None) -> Any:
    return None if each is None else (each.value, each.numerator, each.denominator)


def _instant(as_of: str) -> str:
    return as_of if "T" in as_of else f"{as_of}T00:00:00Z"
