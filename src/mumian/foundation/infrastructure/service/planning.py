"""Planning: a question about the next places is made into a problem, solved in another process, and kept with its answer."""

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from typing import Any

import msgspec
import numpy as np

from mumian.foundation.infrastructure import store
from mumian.foundation.infrastructure.contracts import Facility, Solution
from mumian.foundation.infrastructure.errors import PlanningBusy, PlanningFailed
from mumian.foundation.infrastructure.events import Planned
from mumian.foundation.infrastructure.models import FacilityKindSpec
from mumian.foundation.infrastructure.service.keeping import Keeping
from mumian.foundation.infrastructure.settings import InfrastructureSettings
from mumian.foundation.spatial.api import Spatial
from mumian.kernel.errors import Invalid
from mumian.kernel.ids import new_id
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Actor, Transaction

_MARGIN_SECONDS = 30.0
Question = Mapping[str, Any]
Places = list[tuple[str, float, float, float]]  # name, longitude, latitude, weight


class Planning:
    """Answers where the next facilities of a kind should stand."""

    def __init__(self, platform: Platform, keeping: Keeping, settings: InfrastructureSettings) -> None:
        self._platform = platform
        self._keeping = keeping
        self._settings = settings
        self._room = asyncio.Semaphore(settings.plans_at_once)

    async def plan(self, question: Question, by: Actor) -> tuple[str, Solution]:
        """Solve a question (see `endpoints.analysis.PlanBody`) and keep it; raises Invalid, PlanningBusy, PlanningFailed."""
        kind = self._keeping.kind(question["kind"])
        if self._room.locked():
            raise PlanningBusy(reason="another plan is being made; try again in a minute")
        async with self._room:
            problem = await asyncio.to_thread(self._problem, question, kind)
            answer = await self._solved(problem)
        solution = msgspec.json.decode(answer, type=Solution)
        id_, text = new_id(), answer.decode()

        def keep(tx: Transaction) -> None:
            digest = sha256(answer).hexdigest()
            store.keep_plan(tx, id_, question["kind"], json.dumps(question, ensure_ascii=False), text, digest)
            method, gain = solution.method, solution.gain
            tx.emit(Planned(subject=id_, kind=question["kind"], count=question["count"], gain=gain, method=method, digest=digest))

        await self._platform.records.write(keep, by)
        return id_, solution

    async def _solved(self, problem: dict[str, Any]) -> bytes:
        command = (sys.executable, "-m", "mumian.foundation.infrastructure.planning")
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.DEVNULL)
        try:
            work = process.communicate(json.dumps(problem).encode())
            out, _ = await asyncio.wait_for(work, problem["seconds"] + _MARGIN_SECONDS)
        except TimeoutError:
            raise PlanningFailed(reason="it took too long; ask for fewer candidates or points") from None
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if process.returncode != 0:
            raise PlanningFailed(reason=f"the planner ended with status {process.returncode}")
        return out

    def _problem(self, question: Question, kind: FacilityKindSpec) -> dict[str, Any]:
        radius = question.get("radius") or kind.service_radius
        if radius is None:
            raise Invalid.field("radius", "infrastructure.no_radius", kind=question["kind"])
        points = self._demand(question)
        candidates = self._candidates(question)
        for name, places, most in (
            ("demand", points, self._settings.plan_points),
            ("candidates", candidates, self._settings.plan_candidates),
        ):
            if not places or len(places) > most:
                raise Invalid.field(name, "infrastructure.plan_size", given=str(len(places)), most=str(most))
        sites = self._sites(question)
        own = [self._keeping.kind(site.kind).service_radius for site in sites]
        return {
            "points": [[x, y] for _, x, y, _ in points],
            "weights": [weight for *_, weight in points],
            "candidates": [[x, y] for _, x, y, _ in candidates],
            "names": [name for name, *_ in candidates],
            "sites": [[site.longitude, site.latitude] for site in sites],
            "radii": [float(question.get("radius") or each or radius) for each in own],
            "radius": float(radius),
            "count": question["count"],
            "seconds": min(float(question["seconds"]), self._settings.plan_seconds),
            "exact": question.get("method") != "greedy",
        }

    def _sites(self, question: Question) -> list[Facility]:
        kinds = [question["kind"], *question.get("also", [])]
        for name in kinds:
            self._keeping.kind(name)
        states = {"in_use", "renewing"} | ({"planned", "building"} if question.get("count_planned", True) else set())
        found = self._platform.records.read_now(lambda session: store.every(session, kinds))
        return [site for site in found if site.longitude is not None and site.state in states]

    def _demand(self, question: Question) -> Places:
        """Points with weights: given, of a layer's property, or cells that share a figure or the area evenly."""
        demand = question["demand"]
        if demand.get("points"):
            return [(str(n), x, y, weight) for n, (x, y, weight) in enumerate(demand["points"])]
        if demand.get("layer"):
            return self._of_layer(demand["layer"], demand.get("property"), "demand")
        cells = self._cells(question.get("area"), demand["resolution"])
        if demand.get("figure") is None:
            return [(cell, x, y, size) for cell, x, y, size, _ in cells]
        figures = self._platform.declarations.get("AreaFigure", demand["figure"]).spec.values
        sums: dict[str, float] = {}
        for *_, size, code in cells:
            sums[code] = sums.get(code, 0.0) + size
        lacking = sorted(sums.keys() - figures.keys())
        if lacking:
            raise Invalid.field("demand.figure", "infrastructure.figure_lacks", areas=", ".join(lacking)[:300])
        return [(cell, x, y, figures[code] * size / sums[code]) for cell, x, y, size, code in cells]

    def _candidates(self, question: Question) -> Places:
        candidates = question["candidates"]
        if candidates.get("points"):
            return [(str(n), x, y, 1.0) for n, (x, y) in enumerate(candidates["points"])]
        if candidates.get("layer"):
            return self._of_layer(candidates["layer"], None, "candidates")
        return [(cell, x, y, 1.0) for cell, x, y, *_ in self._cells(question.get("area"), candidates["resolution"])]

    def _of_layer(self, layer: str, property_: str | None, at: str) -> Places:
        from shapely.geometry import shape

        found: Places = []
        for feature in self._platform.get(Spatial).features(layer):
            if feature.geometry is None:
                continue
            weight = 1.0 if property_ is None else feature.properties.get(property_)
            if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight < 1e15:
                raise Invalid.field(f"{at}.property", "infrastructure.weight", feature=feature.id)
            place = shape(feature.geometry).representative_point()
            found.append((feature.id, place.x, place.y, float(weight)))
        return found

    def _cells(self, area: str | None, resolution: int) -> list[tuple[str, float, float, float, str]]:
        """H3 cells whose centres lie in the city's districts (or one of them): id, centre, size in km², code of the district."""
        import h3

        spatial = self._platform.get(Spatial)
        city = spatial.city()
        features = [] if city is None else spatial.features(city.district_layer, ids=[area] if area else None)
        if not features:
            raise Invalid.field("area", "infrastructure.no_area", given=str(area or ""))
        self._bounded(features, resolution)
        found = []
        for feature in features:
            for cell in sorted(h3.geo_to_cells(feature.geometry, resolution)):
                latitude, longitude = h3.cell_to_latlng(cell)
                found.append((cell, longitude, latitude, h3.cell_area(cell, unit="km^2"), feature.id))
        return found

    def _bounded(self, features: Sequence[Any], resolution: int) -> None:
        """Refuse what would be too many cells before any is made."""
        import h3
        from shapely.geometry import shape

        from mumian.foundation.infrastructure.rules.plane import flattened

        size = sum(flattened(shape(f.geometry), float(np.mean(shape(f.geometry).bounds[::2]))).area for f in features) / 1e6
        most = 2 * max(self._settings.plan_points, self._settings.plan_candidates)
        cells = int(size / h3.average_hexagon_area(resolution, unit="km^2"))
        if cells > most:
            raise Invalid.field("resolution", "infrastructure.plan_size", given=str(cells), most=str(most))
