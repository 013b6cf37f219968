"""What opening keeps is the same on both engines of records, and is proven."""

from typing import Any

import httpx
import pytest

from mumian.app.web import create_asgi
from mumian.elements.opening.api import Opening
from mumian.elements.opening.service.voices import Voice
from mumian.foundation.ledger.api import Ledger
from tests.elements.opening.conftest import BASE, furnish


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
async def test_voices_ratings_uses_and_packages_are_kept_and_proven(engine: str, engines: Any) -> None:
    async with engines(engine) as platform:
        keys = await furnish(platform)
        opening = platform.get(Opening)
        voice = Voice("correction", "wards", {"title": "a", "text": "b"}, "c@example.org")
        for _ in range(2):
            row = await platform.records.write(lambda tx: opening.voices.hear(tx, voice, "somebody"))
        for stars in (2, 5):
            await platform.records.write(lambda tx, s=stars: opening.voices.rate(tx, "shops.open", "somebody", s))  # type: ignore[misc]
        for way in ("csv", "csv", "json"):
            opening.counting.count("shops.open", way)
        await platform.settle()
        opening.counting.count("shops.open", "csv")
        await platform.settle()
        headers = {"Authorization": keys["nurse"]}
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(create_asgi(platform)), base_url="http://town", timeout=60
        ) as client:

            async def act(action: str, status: int = 200, **data: Any) -> Any:
                answer = await client.post(f"/api/3/action/{action}", json=data, headers=headers)
                assert answer.status_code == status, answer.text
                return answer.json().get("result")

            body = {"state": "done", "text": "thanks"}
            bearer = {"Authorization": f"Bearer {keys['nurse']}"}
            answered = await client.post(f"{BASE}/voices/{row['number']}/answer", json=body, headers=bearer)
            assert answered.json()["state"] == "done"
            shown = (await client.get(f"{BASE}/voices", params={"kind": "correction", "dataset": "wards"})).json()["items"]
            assert [one["number"] for one in shown] == [row["number"]]
            uses = (await client.get(f"{BASE}/datasets/shops.open/usage")).json()["items"]
            assert [(one["way"], one["uses"]) for one in uses] == [("csv", 3), ("json", 1)]
            assert (await client.get(f"{BASE}/datasets/shops.open")).json()["stars"] == {"5": 1}
            await act("package_create", name="beds_2", owner_org="clinic", resources=[{"url": "https://example.org/a"}])
            made = await act("resource_create", package_id="beds_2", url="https://example.org/b.csv", format="CSV")
            await act("package_patch", id="beds_2", title="Beds")
            assert [one["format"] for one in (await act("package_show", id="beds_2"))["resources"]] == ["", "CSV"]
            await act("resource_delete", id=made["id"])
            await act("resource_show", 404, id=made["id"])
            await act("package_create", 409, name="beds_2", owner_org="clinic")
        faults = (await platform.get(Ledger).verify()).faults
        assert [fault for fault in faults if fault.table.startswith("opening_")] == []
        await platform.records.write(lambda tx: tx.session.execute("UPDATE opening_record SET record = '{}'"))
        assert "opening_record" in {fault.table for fault in (await platform.get(Ledger).verify()).faults}
