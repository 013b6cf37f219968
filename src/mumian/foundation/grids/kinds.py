"""The kind GridTree 网格层级: which divisions of the country's table are grids of this city, without their boundaries."""

from collections.abc import Iterable
from datetime import date
from typing import Any, Literal

from pydantic import Field

from mumian.foundation.addresses.api import division_names
from mumian.foundation.grids.contracts import Grid
from mumian.foundation.grids.rules import coding
from mumian.foundation.grids.service.recording import record
from mumian.foundation.grids.store import GRIDS
from mumian.kernel.declarations.documents import Document
from mumian.kernel.declarations.kinds import Catalogue, Change, Kind, Spec
from mumian.kernel.errors import Fault
from mumian.kernel.unit_of_work import Transaction


class GridTreeSpec(Spec):
    """Grids that follow from the table of divisions that ships: codes and names, to be filled with boundaries by imports."""

    within: str = Field(pattern=r"^[0-9]{4}$", description="The city, by the first four digits of its GB/T 2260 code.")
    levels: list[Literal["city", "district", "street"]] = Field(
        default=["city", "district", "street"], min_length=1, description="Which levels to take."
    )
    since: date = Field(description="The day from which these grids hold.")


def _check(document: Document, spec: Any, _: Catalogue) -> Iterable[Fault]:
    if spec.within not in division_names():
        yield document.fault("spec.within", "grids.no_division", code=spec.within)


def _apply(tx: Transaction, change: Change) -> None:
    """Grids that are not there yet come into force; those that are stay as they are, also when the declaration goes."""
    if change.new is None:
        return
    spec: GridTreeSpec = change.new.spec
    wanted = {
        code: name
        for code, name in division_names().items()
        if code.startswith(spec.within) and coding.level_of(code) in spec.levels
    }
    known = GRIDS.last_versions(tx.session, wanted)
    day = spec.since.isoformat()
    new = [
        Grid(
            code=code,
            valid_from=day,
            level=coding.level_of(code) or "",
            parent=coding.parent_of(code) if len(code) > 4 else "",
            title={"zh": name, "en": name},
        )
        for code, name in sorted(wanted.items())
        if code not in known
    ]
    if new:
        record(tx, GRIDS, "import", new, (), {"declared": change.name})


KINDS = [Kind("GridTree", GridTreeSpec, "Grids that follow from the divisions of the country: codes and names.", _check, _apply)]
