"""History: what a split, a merge or a new code needs so that on every day the live grids cover the same ground once."""

from collections.abc import Iterable, Sequence

import shapely
from shapely.geometry.base import BaseGeometry

from mumian.foundation.grids.contracts import Grid
from mumian.foundation.grids.rules import coding, shapes
from mumian.kernel.errors import Fault


def live(grids: Iterable[Grid], date: str) -> list[Grid]:
    """The grids that hold on a day."""
    return [grid for grid in grids if grid.valid_from <= date and (not grid.valid_to or grid.valid_to > date)]


def step_faults(old: Sequence[Grid], new: Sequence[Grid], date: str, taken: set[str]) -> list[Fault]:
    """What speaks against replacing `old` by `new` from `date` on; `taken` are the codes of other live grids.

    Old ones must hold then, all be of one level, and new codes be free, of that level and below a parent of an old one;
    where boundaries are known, the new ones must not overlap and must cover exactly what the old ones did.
    """
    faults = [Fault("date", "grids.not_in_force", {"code": g.code, "date": date}) for g in old if not g.valid_from < date]
    faults += [Fault("date", "grids.not_in_force", {"code": g.code, "date": date}) for g in old if g.valid_to]
    if len({grid.level for grid in old}) > 1:
        faults.append(Fault("codes", "grids.levels_differ", {}))
    parents, levels = {grid.parent for grid in old}, {grid.level for grid in old}
    codes = [grid.code for grid in new]
    for index, grid in enumerate(new):
        field = f"parts[{index}].code"
        if coding.level_of(grid.code) not in levels:
            faults.append(Fault(field, "grids.bad_code", {"code": grid.code}))
        elif grid.parent not in parents:
            faults.append(Fault(field, "grids.other_parent", {"code": grid.code, "parents": ", ".join(sorted(parents))}))
        elif grid.code in taken or codes.count(grid.code) > 1:
            faults.append(Fault(field, "grids.taken", {"code": grid.code}))
    return faults or ground_faults(old, new)


def ground_faults(old: Sequence[Grid], new: Sequence[Grid]) -> list[Fault]:
    """Whether new boundaries cover the ground of the old ones once; nothing where no boundaries are known."""
    before = [grid.geometry for grid in old if grid.geometry]
    after = [grid.geometry for grid in new if grid.geometry]
    if not before and not after:
        return []
    if len(before) < len(old) or len(after) < len(new):
        return [Fault("parts", "grids.boundary_missing", {})]
    parts = list(shapes.parse(after))
    faults = [
        Fault(f"parts[{b}].geometry", "grids.overlap", {"code": new[b].code, "other": new[a].code, "area": f"{shared:.0f}"})
        for a, b, shared in shapes.overlaps(parts)
    ]
    whole: BaseGeometry = shapely.union_all(shapes.parse(before))
    if not faults and not shapes.same(whole, shapely.union_all(parts)):
        faults.append(
            Fault(
                "parts",
                "grids.ground_differs",
                {"before": f"{shapes.area(whole):.0f}", "after": f"{sum(map(shapes.area, parts)):.0f}"},
            )
        )
    return faults


def descendants(lineage: Iterable[tuple[str, str]], code: str) -> list[str]:
    """The codes that a code has turned into, through any number of steps; itself where it has not changed."""
    steps: dict[str, list[str]] = {}
    for old, new in lineage:
        steps.setdefault(old, []).append(new)
    found: dict[str, None] = {}
    waiting, seen = [code], set()
    while waiting:
        present = waiting.pop(0)
        if present in seen:
            continue
        seen.add(present)
        following = [new for new in steps.get(present, []) if new != present]
        waiting += following
        if not following:
            found[present] = None
    return list(found)
