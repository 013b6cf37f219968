"""Assessing: what the indices ask, counted from the catalogue, the checks and what the public did."""

from datetime import timedelta
from typing import Any

from mumian.elements.catalog.api import Catalog, Dataset
from mumian.elements.opening.rules import indices
from mumian.elements.opening.store import checks, usage, voices
from mumian.kernel.clock import iso
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Session

_MOST = 1_000_000


async def assess(platform: Platform) -> dict[str, Any]:
    """All indicators with their dimensions; harvested datasets are other people's, and left out."""
    now = platform.clock.now()
    own = [one for one in await platform.get(Catalog).all(now) if one.kind != "harvested"]
    since = iso(now - timedelta(days=30))[:10]

    def work(session: Session) -> tuple[set[str], indices.Use]:
        held = set(checks.withheld(session))
        names = {one.name for one in own if one.public}
        used = sum(row["dataset"] in names for row in usage.totals(session, since, _MOST))
        figures, (good, answered) = voices.figures(session), voices.punctual(session)
        filed = sum(sum(figures.get(kind, {}).values()) for kind in ("request", "correction"))
        cases = figures.get("use-case", {}).get("done", 0)
        stars = [(row["stars"], 1) for row in usage.ratings(session)]
        total = sum(int(each[0]) for each in stars)
        return held, indices.Use(good, answered, filed, len(stars), total, cases, used)

    held, use = await platform.records.read(work)
    seen = [_seen(platform, one, one.name in held) for one in own if one.public]
    owners = len({one.owner for one in own} - {None})
    found = indices.indicators(seen, len(own), owners, use)
    return {"indicators": found, "dimensions": indices.dimensions(found), "left_out": list(indices.LEFT_OUT)}


def _seen(platform: Platform, one: Dataset, held: bool) -> indices.Seen:
    formats = {way.format.upper() for way in platform.get(Catalog).distributions(one)}
    return indices.Seen(
        opened="unconditional" if one.kind == "stream" else one.opened,
        formats=frozenset(formats),
        licence=one.licence,
        described=one.description is not None,
        fields_described=bool(one.members) or (bool(one.fields) and all(f["title"] or f["description"] for f in one.fields)),
        contact=one.contact is not None,
        fresh=one.freshness,
        rows=(one.rows or 0) + one.observations,
        withheld=held,
        theme=one.theme,
        owner=one.owner,
    )
