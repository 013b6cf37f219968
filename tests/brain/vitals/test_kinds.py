"""A vital that cannot work is refused when it is applied, with the place and the fault."""

import pytest

from mumian.kernel.declarations.documents import read_text
from mumian.kernel.errors import Invalid
from mumian.kernel.platform import Platform
from tests.brain.conftest import TOWN


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("vital: dust-3h,", "vital: dust-index,", "spec.source.derived.vital"),
        ("vital: dust-3h,", "vital: nothing,", "spec.source.derived.vital"),
        ("[[0, 0], [50, 100], [100, 300]]", "[[0, 0], [0, 100]]", "spec.source.derived"),
        ("hours: 3,", "hours: 0,", "spec.source.window.hours"),
        ("owner: air-office\n  source: {window", "owner: nobody\n  source: {window", "spec.owner"),
        ("enter: 100, leave: 80", "enter: 100, leave: 101", "spec"),
        ("enter: 300", "enter: 90", "spec"),
        ("vital: dust-index\n", "vital: nothing\n", "spec.vital"),
        ("of {threshold}", "of {limit}", "spec.message.en"),
        ("opened_by: [dust]", "opened_by: [rain]", "spec.opened_by[0]"),
        ("incident_types: [dust-cloud]", "incident_types: [rain]", "spec.incident_types[0]"),
        ("organisation: air-office", "organisation: nobody", "spec.organisation"),
        ("organisation: air-office", 'organisation: "{street}"', "spec"),
    ],
)
async def test_a_contradiction_is_refused_with_its_field(platform: Platform, old: str, new: str, field: str) -> None:
    assert old in TOWN
    with pytest.raises(Invalid) as caught:
        await platform.declarations.apply(read_text(TOWN.replace(old, new).encode()), "town")
    assert field in [fault.field for fault in caught.value.faults]
    assert platform.declarations.all("Vital") == []
