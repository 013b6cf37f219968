"""A session of ngsildclient, run as `python client_session.py PORT TOKEN` where it is installed; prints what it saw as JSON."""

import json
import sys
from typing import Any


def main(port: int, token: str) -> dict[str, Any]:
    """Create, query, change, batch, look back, subscribe, delete: as the library's own documentation does it."""
    from datetime import UTC, datetime

    from ngsildclient import Client, Entity, SubscriptionBuilder  # type: ignore[import-not-found]
    from requests.auth import AuthBase  # type: ignore[import-untyped]

    class Bearer(AuthBase):  # type: ignore[misc]
        def __call__(self, request: Any) -> Any:
            request.headers["Authorization"] = f"Bearer {token}"
            return request

    seen: dict[str, Any] = {}
    client = Client("127.0.0.1", port, custom_auth=Bearer(), verbose=False, port_temporal=port)
    car = Entity("Vehicle", "C1").prop("speed", 50, unitcode="KMH", observedat=datetime(2013, 12, 31, 22, tzinfo=UTC))
    car.gprop("location", (23.1, 113.3)).rel("parkedAt", "urn:ngsi-ld:OffStreetParking:P1")
    seen["created"] = client.create(car)
    seen["exists"] = client.exists(car)
    seen["speed"] = client.get(car)["speed.value"]
    others = [Entity("Vehicle", f"D{n}").prop("speed", n) for n in range(30)]
    seen["batch"] = client.upsert(*others).n_ok
    seen["count"] = client.count(type="Vehicle")
    seen["found"] = sorted(entity.id for entity in client.query(type="Vehicle", q="speed>=29"))
    car["speed.value"] = 60
    client.upsert(car)
    seen["changed"] = client.get(car)["speed.value"]
    seen["types"] = client.types.list()
    seen["past"] = client.temporal.get(car, attrs=["speed"])["speed"]["values"]
    body = (
        SubscriptionBuilder("http://example.org/told")
        .select_type("Vehicle")
        .watch(["speed"])
        .description("speed of vehicles")
        .build()
    )
    made = client.subscriptions.create(body)
    seen["subscriptions"] = len(client.subscriptions.list())
    seen["unsubscribed"] = bool(made) and client.subscriptions.delete("speed")
    seen["deleted"] = client.delete(car)
    seen["gone"] = not client.exists(car)
    return seen


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]), sys.argv[2])))
