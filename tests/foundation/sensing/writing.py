"""What the tests of writing share: a client on each engine of the records, and the bodies of the standard's own examples."""

from typing import Any

import httpx

ROOT = "/sta/v1.1"
TYPE = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_"
CELSIUS = {"name": "degree Celsius", "symbol": "degC", "definition": "http://www.qudt.org/qudt/owl/1.0.0/unit#DegreeCelsius"}
SENSOR = {
    "name": "HUMICAP 180R",
    "description": "a hygrometer",
    "encodingType": "application/pdf",
    "metadata": "http://example.org/humicap.pdf",
}
PROPERTY = {"name": "DewPoint", "definition": "http://example.org/dewpoint", "description": "the temperature of condensation"}
PLACE = {
    "name": "CCIT",
    "description": "Calgary Center for Innovative Technologies",
    "encodingType": "application/geo+json",
    "location": {"type": "Point", "coordinates": [-114.133, 51.08]},
}
FEATURE = {
    "name": "Weather station",
    "description": "a roof",
    "encodingType": "application/geo+json",
    "feature": {"type": "Point", "coordinates": [-114.06, 51.05]},
}
STREAM = {
    "name": "oven temperature",
    "description": "a stream of air temperatures",
    "unitOfMeasurement": CELSIUS,
    "observationType": TYPE + "Measurement",
    "Sensor": SENSOR,
    "ObservedProperty": PROPERTY,
}
THING = {
    "name": "Oven",
    "description": "This thing is an oven.",
    "properties": {"owner": "John Doe", "color": "Silver"},
    "Locations": [PLACE],
    "Datastreams": [STREAM],
}


class Client:
    """A SensorThings client that fails on answers it did not expect."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def ask(self, method: str, path: str, body: Any = None, status: int = 200, **options: Any) -> Any:
        """Send a request to a path below the root (or to a whole address), expect the status, and give the JSON back."""
        address = path if path.startswith("http") else ROOT + path
        answer = await self.http.request(method, address, json=body, **options)
        assert answer.status_code == status, (method, path, answer.status_code, answer.text)
        return answer.json() if answer.content else None

    async def get(self, path: str, status: int = 200) -> Any:
        """GET."""
        return await self.ask("GET", path, status=status)

    async def make(self, path: str, body: Any) -> int:
        """POST, and the id of what was made."""
        made = await self.ask("POST", path, body, 201)
        return int(made["@iot.id"])

    async def count(self, path: str) -> int:
        """How many entities a set has."""
        return int((await self.get(f"{path}?$count=true&$top=0"))["@iot.count"])

    async def results(self, stream: int) -> list[Any]:
        """The results of a stream by phenomenon time."""
        page = await self.get(f"/Datastreams({stream})/Observations?$orderby=phenomenonTime")
        return [one["result"] for one in page["value"]]
