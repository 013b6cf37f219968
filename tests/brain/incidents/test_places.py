"""In a real city an incident is numbered by the city's own day and lies in the district of its place."""

from datetime import UTC, datetime

from mumian.brain.incidents.api import Incidents, Report
from mumian.kernel.clock import ManualClock
from mumian.kernel.platform import Platform


def report(longitude: float | None = None, latitude: float | None = None) -> Report:
    title = {"zh": "烟", "en": "Smoke"}
    return Report(type="air-pollution", title=title, severity="minor", longitude=longitude, latitude=latitude)


async def test_an_incident_has_the_prefix_the_local_day_and_the_district_of_its_place(city: Platform, clock: ManualClock) -> None:
    clock.set(datetime(2014, 1, 11, 16, 30, tzinfo=UTC))
    incidents = city.get(Incidents)
    here = await city.records.write(lambda tx: incidents.open(tx, report(113.319, 23.119)))
    assert (here.number, here.district) == ("GZ-20140112-0001", "440106")
    assert here.label["zh"] == "天河区"
    whole = await city.records.write(lambda tx: incidents.open(tx, report()))
    assert (whole.number, whole.district, whole.label["en"]) == ("GZ-20140112-0002", None, "Guangzhou")
    await city.settle()
    found = await city.records.read(lambda session: [incidents.find(session, i.number) for i in (here, whole)])
    assert [incident.organisation for incident in found] == ["440106-ecology", "ecology"]
