"""Anybody may check the ledger over HTTP; who is signed in may read its entries."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mumian.foundation.ledger import rules
from mumian.foundation.ledger.api import Ledger
from tests.foundation.identity.conftest import Town, open_town
from tests.foundation.ledger.conftest import Happened
from tools import verify_ledger as script

BASE = "/api/v1/foundation/ledger"


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """A small city with thirty events."""
    made = open_town(tmp_path / "home")
    made.platform.records.write_now(lambda tx: [tx.emit(Happened(subject=f"thing-{n % 3}", number=n)) for n in range(30)])
    yield made
    made.platform.records.close()


async def test_a_stranger_checks_that_the_ledger_grows_honestly(town: Town) -> None:
    async with town.client() as stranger:
        first = (await stranger.get(f"{BASE}/head")).json()
        await town.platform.records.write(lambda tx: [tx.emit(Happened(subject="more", number=n)) for n in range(300)])
        second = (await _signed(town, stranger)).json()
        keys = [_der(key["pem"]) for key in (await stranger.get(f"{BASE}/keys")).json()["items"]]
        consistency = (await stranger.get(f"{BASE}/consistency", params={"first": first["size"]})).json()
        proof = (await stranger.get(f"{BASE}/entries/300/proof")).json()
    assert (consistency["first_root"], consistency["second_root"]) == (first["root"], second["root"])
    assert script.continues(first, second, consistency["path"])
    assert all(script.signed(head, key) for head in (first, second) for key in keys)
    path = [bytes.fromhex(step) for step in proof["path"]]
    assert proof["head"] == second
    assert rules.verify_inclusion(bytes.fromhex(proof["leaf"]), 300, second["size"], path, bytes.fromhex(second["root"]))


async def _signed(town: Town, client: Any) -> Any:
    await town.platform.get(Ledger).sign()
    return await client.get(f"{BASE}/head")


def _der(pem: str) -> bytes:
    return base64.b64decode("".join(line for line in pem.splitlines() if "-" not in line))


async def test_entries_and_bundles_are_for_who_is_signed_in(town: Town) -> None:
    async with town.client() as stranger:
        assert (await stranger.get(f"{BASE}/entries")).status_code == 401
        assert (await stranger.get(f"{BASE}/entries/0/bundle")).status_code == 401
    member = await town.signed_in("li.na")
    bundle = (await member.get(f"{BASE}/entries/3/bundle")).json()
    assert all(true for _, true in script.checks(bundle, []))
    assert bundle["payload"] == await town.platform.records.read(
        lambda s: s.value("SELECT payload FROM kernel_outbox WHERE id = 4")
    )


async def test_entries_are_paged_by_index_and_found_by_subject(town: Town) -> None:
    member = await town.signed_in("li.na")
    seen: list[int] = []
    after: str | None = "-1"
    while after is not None:
        page = (await member.get(f"{BASE}/entries", params={"after": after, "limit": 4, "subject": "thing-1"})).json()
        assert len(page["items"]) <= 4
        seen += [entry["index"] for entry in page["items"]]
        assert {entry["subject"] for entry in page["items"]} <= {"thing-1"}
        after = page["next"]
    assert len(seen) == 10
    assert sorted(set(seen)) == seen


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/entries/99999/proof", 404),
        ("/entries/-1/proof", 422),
        ("/entries/x/proof", 422),
        ("/entries/9007199254740993/proof", 422),
        ("/consistency", 422),
        ("/consistency?first=0", 422),
        ("/consistency?first=5&second=4", 404),
        ("/consistency?first=1&second=99999", 404),
        ("/entries?limit=0", 422),
        ("/entries?limit=1001", 422),
        ("/entries?after=-2", 422),
        ("/entries?after=NaN", 422),
        ("/entries?subject=a%00b", 422),
        ("/entries?subject=%ff", 200),
        ("/entries/5/bundle?since=-1", 422),
        ("/entries/99999/bundle", 404),
    ],
)
async def test_bad_requests_are_answered_as_problems(town: Town, path: str, status: int) -> None:
    member = await town.signed_in("li.na")
    await town.platform.get(Ledger).sign()
    answer = await member.get(f"{BASE}{path}", headers={"accept-language": "zh"})
    assert answer.status_code == status
    if status >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["detail"]
