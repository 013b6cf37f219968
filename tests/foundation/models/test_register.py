"""Tests of the register: drafts, approval, retirement, uploads, answers, and evidence that nobody changed them."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mumian.foundation.ledger.api import Ledger
from mumian.foundation.models import endpoints, rules
from mumian.foundation.models.api import Labelled, Version, held_out
from mumian.foundation.models.contracts import STATES
from mumian.foundation.models.errors import BadModel, NoBetter, NotLearnable, NotPossible
from mumian.foundation.storage.contracts import Objects
from mumian.kernel.errors import Invalid
from tests.foundation.models.conftest import City
from tests.foundation.models.invented import tickets

BASE = f"http://city{endpoints.router.prefix}"


@given(st.sampled_from(STATES), st.sampled_from(STATES))
def test_a_version_never_goes_back(before: str, after: str) -> None:
    assert not (rules.possible(before, after) and rules.possible(after, before))


@given(st.floats(0, 1), st.floats(0, 1), st.integers(1, 5), st.integers(1, 5))
def test_only_what_is_strictly_better_than_the_one_in_use_takes_over(new: float, old: float, against: int, present: int) -> None:
    assert rules.better({"against": against, "new": new, "old": old}, present) == (against == present and new > old)
    assert rules.better({}, None)
    assert not rules.better({}, present)


async def trained(city: City, count: int = 60, name: str = "ticket-category") -> Version:
    """A draft that learned invented tickets."""
    return await asyncio.to_thread(city.models.train_now, name, tickets(count), {"source": "invented.csv"})


async def approved(city: City, version: Version) -> Version:
    """It, approved."""
    return await city.platform.records.write(lambda tx: city.models.approve(tx, version.model, version.number))


async def test_a_trained_model_is_a_draft_that_nobody_uses_until_it_is_approved(made: City) -> None:
    version = await trained(made)
    assert (version.state, version.number, version.data["texts"]) == ("draft", 1, 60)
    assert version.evaluation["macro_f1"] > 0.8
    keeper = await made.person("keeper")
    asked = {"texts": [["路灯不亮", "枫林路路灯不亮，夜里看不清路"]], "explain": True}
    assert (await keeper.post("/ticket-category/predict", json=asked)).status_code == 404
    decided = await keeper.post("/ticket-category/versions/1/approve", json={"note": "looked at it"})
    assert (decided.status_code, decided.json()["state"]) == (200, "approved")
    user = await made.person("user")
    told = (await user.post("/ticket-category/predict", json=asked)).json()
    assert told["version"] == 1
    assert told["answers"][0]["candidates"][0]["label"] == "道路"
    assert told["answers"][0]["reasons"]
    assert told["answers"][0]["similar"][0]["label"] == "道路"
    assert (await user.get(BASE)).status_code == 403
    assert (await keeper.get(BASE)).json()["items"][0]["in_use"] == 1
    assert (await keeper.get("/ticket-category")).json()["in_use"]["number"] == 1
    assert [each["number"] for each in (await keeper.get("/ticket-category/versions")).json()["items"]] == [1]


async def test_a_second_version_takes_over_only_when_it_is_better_on_held_out_corrections(made: City) -> None:
    first = await approved(made, await trained(made))
    second = await trained(made)
    with pytest.raises(NoBetter):
        await approved(made, second)
    outcome = "新问题：共享单车乱停乱放，堵住盲道"
    corrections = [
        Labelled(f"C{number}", (f"第{number}个单车投诉", f"{outcome}，已经{number}天"), "单车") for number in range(60)
    ]
    third = await asyncio.to_thread(made.models.retrain_now, "ticket-category", corrections)
    assert third.compared["against"] == first.number
    assert third.compared["old"] == 0
    assert third.compared["new"] > 0.9
    assert third.data["corrections"] == sum(not held_out(each) for each in corrections)
    assert (await approved(made, third)).state == "approved"
    states = {version: made.platform.records.read_now(lambda s, n=version: made.models.newest(s, "ticket-category", n)).state
              for version in (1, 2, 3)}  # fmt: skip
    assert states == {1: "retired", 2: "draft", 3: "approved"}


async def test_too_few_corrections_to_try_on_are_said_so(made: City) -> None:
    await approved(made, await trained(made))
    with pytest.raises(NotLearnable):
        await asyncio.to_thread(made.models.retrain_now, "ticket-category", tickets(6))


async def test_what_is_retired_comes_back_no_more(made: City) -> None:
    version = await trained(made)
    await made.platform.records.write(lambda tx: made.models.retire(tx, version.model, version.number, "wrong data"))
    with pytest.raises(NotPossible):
        await approved(made, version)


async def test_a_file_is_taken_as_a_draft_and_a_broken_one_is_refused(made: City) -> None:
    version = await trained(made)
    content = made.models.keeping.content(version.sha256, "it")
    keeper = await made.person("keeper")
    headers = {"Content-Type": "application/octet-stream"}
    taken = await keeper.post("/from-elsewhere/versions", content=content, headers=headers)
    assert taken.status_code == 201
    assert taken.json()["sha256"] == version.sha256
    refused = await keeper.post("/from-elsewhere/versions/1/approve", json={})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "evaluation")
    for broken in (content[:-100], content[:1000], b"x", b""):
        answer = await keeper.post("/from-elsewhere/versions", content=broken, headers=headers)
        assert answer.status_code == 422, answer.text


@pytest.mark.parametrize("name", ["", "Großes", "a b", "../x", "x" * 61])
async def test_a_name_that_cannot_be_one_is_refused(made: City, name: str) -> None:
    with pytest.raises(Invalid):
        await asyncio.to_thread(made.models.train_now, name, tickets(60), {})


async def test_the_evidence_tells_when_a_file_or_a_row_was_changed(made: City) -> None:
    version = await trained(made)
    ledger = made.platform.get(Ledger)
    assert (await ledger.verify()).faults == ()
    objects: Any = made.platform.get(Objects)  # type: ignore[type-abstract]
    content = objects.get(f"models/{version.sha256}")
    objects.put(f"models/{version.sha256}", content[:-1] + b"!")
    with pytest.raises(BadModel):
        made.models.loaded(version)
    assert any(version.sha256 in str(fault) for fault in (await ledger.verify()).faults)
    objects.put(f"models/{version.sha256}", content)
    await made.platform.records.write(
        lambda tx: tx.session.execute("UPDATE models_version SET state = 'approved' WHERE number = 1")
    )
    assert any("state" in str(fault) for fault in (await ledger.verify()).faults)
