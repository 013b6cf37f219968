"""What cameras see by rule becomes one incident for one matter, with the picture as evidence."""

import httpx

from mumian.foundation.video.events import CandidateRaised
from mumian.kernel.platform import Platform
from tests.brain.conftest import rows
from tests.brain.incidents.test_incidents import PATH

SHOWN = "SELECT number, type, state, severity, subject FROM incidents_incident ORDER BY number"


async def see(
    town: Platform, detection: str, matter: str = "parking/cam/1", kind: str = "dust-cloud", severity: str = "minor"
) -> None:
    event = CandidateRaised(
        subject=detection,
        incident_type=kind,
        severity=severity,
        title={"zh": "违停", "en": "Illegal parking"},
        label={"zh": "北站", "en": "North"},
        owner=None,
        longitude=10.0,
        latitude=50.0,
        time="2014-01-01T00:00:00.000000Z",
        matter=matter,
        evidence={"detection": detection, "picture": "video/1.jpg", "sha256": "aa"},
    )
    await town.records.write(lambda tx: tx.emit(event))
    await town.settle()


async def test_a_matter_opens_one_incident_and_is_noted_when_it_is_seen_again(town: Platform, client: httpx.AsyncClient) -> None:
    await see(town, "d1")
    await see(town, "d2", severity="severe")
    await see(town, "d3", matter="parking/cam/2")
    assert [(row["type"], row["severity"], row["subject"]) for row in rows(town, SHOWN)] == [
        ("dust-cloud", "severe", "video/parking/cam/1"),
        ("dust-cloud", "minor", "video/parking/cam/2"),
    ]
    found = (await client.get(f"{PATH}/{rows(town, SHOWN)[0]['number']}")).json()
    assert "d2" in str(found["history"])


async def test_a_candidate_of_a_type_that_is_not_declared_opens_nothing(town: Platform) -> None:
    await see(town, "d1", kind="unheard-of")
    assert rows(town, SHOWN) == []
