"""Every event is an entry in the commit that made it true, and heads are signed as the ledger grows."""

import asyncio
import json
import logging
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import ClassVar

import pytest

from mumian.foundation.cryptography.api import Cryptography
from mumian.foundation.ledger import rules
from mumian.foundation.ledger.api import Ledger
from mumian.foundation.ledger.errors import NotCovered
from mumian.kernel.clock import ManualClock
from mumian.kernel.errors import NotFound
from mumian.kernel.events import Event
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Actor, Transaction
from tests.foundation.ledger.conftest import Happened, happen, open_ledger


@dataclass(frozen=True, kw_only=True)
class Personal(Event):
    """An event about a citizen."""

    type: ClassVar[str] = "test.personal"
    name: str


async def test_each_event_of_a_transaction_is_an_entry_with_its_actor_time_and_payload_digest(
    city: Platform, log: Ledger
) -> None:
    def work(tx: Transaction) -> None:
        tx.emit(Happened(subject="a", number=1))
        tx.emit(Happened(subject="b", number=2))

    await city.records.write(work, Actor("01ME", "person"))
    first, second = await log.entries()
    payload = await city.records.read(lambda s: s.value("SELECT payload FROM kernel_outbox WHERE id = 1"))
    assert (first.index, first.subject, second.index, second.subject) == (0, "a", 1, "b")
    assert json.loads(first.body) == {
        "actor": "01ME",
        "payload": sha256(payload.encode()).hexdigest(),
        "seq": 0,
        "subject": "a",
        "time": "2014-01-01T00:00:00.000000Z",
        "type": "test.happened",
    }
    assert first.leaf == rules.leaf_hash(first.body.encode()).hex()


async def test_a_transaction_that_fails_leaves_no_entry_and_no_gap(city: Platform, log: Ledger) -> None:
    def fails(tx: Transaction) -> None:
        tx.emit(Happened(subject="never", number=1))
        raise NotFound(kind="thing", name="never")

    works = [city.records.write(lambda tx, n=n: tx.emit(Happened(subject="ok", number=n))) for n in range(20)]  # type: ignore[misc]
    failures = [city.records.write(fails) for _ in range(20)]
    mixed = [one for pair in zip(works, failures, strict=True) for one in pair]
    results = await asyncio.gather(*mixed, return_exceptions=True)
    assert sum(isinstance(result, NotFound) for result in results) == 20
    assert [entry.index for entry in await log.entries()] == list(range(20))
    assert await log.entries(subject="never") == []
    assert (await log.verify()).sound


async def test_no_personal_data_of_a_payload_gets_into_the_ledger(city: Platform) -> None:
    await city.records.write(lambda tx: tx.emit(Personal(subject="01CITIZEN", name="张三丰")))
    text = str(await city.records.read(lambda session: session.rows("SELECT * FROM ledger_entry")))
    assert "01CITIZEN" in text
    assert "张三丰" not in text


@pytest.mark.parametrize("subject", ['quote " and \\ slash', "换行\n\t", "\u2028 \x7f", "", "😀" * 50])
async def test_any_text_is_recorded_and_verified(city: Platform, log: Ledger, subject: str) -> None:
    await city.records.write(lambda tx: tx.emit(Happened(subject=subject, number=1, note=subject)))
    assert (await log.entries(subject=subject))[0].subject == subject
    assert (await log.verify()).sound


async def test_entries_are_paged_and_found_by_subject(city: Platform, log: Ledger) -> None:
    await asyncio.to_thread(happen, city, 30)
    assert [e.index for e in await log.entries(after=9, limit=3)] == [10, 11, 12]
    assert [e.index for e in await log.entries(after=9, limit=3, subject="thing-0")] == [12, 15, 18]
    assert await city.records.read(lambda session: log.indices(session, "thing-1")) == list(range(1, 30, 3))


async def test_the_first_head_is_signed_when_asked_for_even_of_an_empty_ledger(log: Ledger) -> None:
    head = await log.head()
    assert (head.size, head.root) == (0, sha256(b"").hexdigest())
    assert (await log.verify()).sound


async def test_a_head_carries_one_signature_of_each_suite(city: Platform, log: Ledger) -> None:
    await asyncio.to_thread(happen, city, 5)
    head = await log.sign()
    assert [s.algorithm for s in head.signatures] == ["ed25519", "sm2-sm3"]
    message = rules.head_message(head.size, head.root, head.time)
    assert all(city.get(Cryptography).verify(message, signature) for signature in head.signatures)
    assert await log.sign() == head == await log.head()


async def test_heads_are_signed_when_the_ledger_grew_and_time_has_passed(city: Platform, log: Ledger) -> None:
    clock = city.clock
    assert isinstance(clock, ManualClock)
    assert not await log.heads.settle()
    await asyncio.to_thread(happen, city, 5)
    assert await log.heads.settle()
    await asyncio.to_thread(happen, city, 5)
    assert not await log.heads.settle()
    clock.advance(seconds=61)
    assert await log.heads.settle()
    clock.advance(seconds=61)
    assert not await log.heads.settle()
    assert (await log.head()).size == 10


async def test_what_is_not_signed_yet_is_signed_at_the_end(tmp_path: Path) -> None:
    city = open_ledger(tmp_path / "city")
    await city.start()
    await asyncio.to_thread(happen, city, 5)
    await city.stop()
    again = open_ledger(tmp_path / "city")
    assert (await again.get(Ledger).head()).size == 5
    again.records.close()


async def test_many_signers_at_once_agree_on_one_head(city: Platform, log: Ledger) -> None:
    await asyncio.to_thread(happen, city, 300)
    heads = await asyncio.gather(*(log.sign() for _ in range(8)), *(asyncio.to_thread(log.sign_now) for _ in range(4)))
    assert len({(head.root, head.signatures) for head in heads}) == 1
    assert (await log.verify()).sound


async def test_a_ledger_grown_in_steps_leads_to_the_same_root_as_one_read_at_once(city: Platform, log: Ledger) -> None:
    for count in (1, 254, 1, 1, 300, 512):
        await asyncio.to_thread(happen, city, count)
        await log.sign()
    leaves = [bytes.fromhex(e.leaf) for e in await log.entries(limit=5000)]
    edge = rules.Frontier()
    for leaf in leaves:
        edge.append(leaf)
    assert (await log.head()).root == edge.root().hex()
    assert (await log.verify()).sound


async def test_proofs_lead_to_the_last_head_and_what_it_does_not_cover_is_refused(city: Platform, log: Ledger) -> None:
    await asyncio.to_thread(happen, city, 600)
    head = await log.sign()
    await asyncio.to_thread(happen, city, 10)
    for index in (0, 255, 256, 599):
        proof = await log.proof(index)
        path = [bytes.fromhex(step) for step in proof.path]
        assert proof.head == head
        assert rules.verify_inclusion(bytes.fromhex(proof.entry.leaf), index, head.size, path, bytes.fromhex(head.root))
    with pytest.raises(NotCovered):
        await log.proof(605)
    with pytest.raises(NotFound):
        await log.proof(610)


async def test_consistency_is_proved_between_any_two_signed_sizes(city: Platform, log: Ledger) -> None:
    await asyncio.to_thread(happen, city, 600)
    await log.sign()
    for first, second in ((1, 600), (256, 300), (300, 512), (600, 600)):
        found = await log.consistency(first, second)
        path = [bytes.fromhex(step) for step in found.path]
        assert rules.verify_consistency(first, bytes.fromhex(found.first_root), second, bytes.fromhex(found.second_root), path)
    assert (await log.consistency(10)).second == 600
    for first, second in ((0, 5), (5, 4), (1, 601)):
        with pytest.raises(NotCovered):
            await log.consistency(first, second)


async def test_a_damaged_ledger_keeps_running_and_says_so_once_signing_fails(
    city: Platform, log: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    await asyncio.to_thread(happen, city, 10)
    await log.sign()
    await city.records.write(lambda tx: tx.session.execute("UPDATE ledger_head SET root = 'ab'"))
    await asyncio.to_thread(happen, city, 10)
    city.clock.advance(seconds=100)  # type: ignore[attr-defined]
    with caplog.at_level(logging.ERROR):
        assert not await log.heads.settle()
    assert "mumian ledger verify" in caplog.text
    assert len(await log.entries()) == 20
