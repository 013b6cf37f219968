"""Exchange jobs of a city: drafted on the gate's terms, run beside the server, signed, in the ledger, and verified by anybody."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from mumian.elements.catalog.api import Tables
from mumian.elements.protection.api import DatasetGrant, Gate, Grant, Mask, RowRequest
from mumian.elements.protection.errors import NotGranted
from mumian.elements.sharing.exchange.contracts import Record, Rule
from mumian.elements.sharing.exchange.service.jobs import Exchange
from mumian.foundation.cryptography.api import Cryptography
from mumian.foundation.identity.api import Caller, Identity
from mumian.foundation.ledger.api import Ledger
from mumian.foundation.storage.contracts import LakeTransaction
from mumian.kernel.declarations.documents import read_text
from mumian.kernel.errors import Conflict
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Actor

ROOT = Path(__file__).resolve().parents[3]
DECLARED = """
{kind: Organisation, name: town, title: {zh: 镇, en: Town}, spec: {level: city}}
---
{kind: Organisation, name: clinic, title: {zh: 医院, en: Clinic}, spec: {level: department, parent: town}}
---
kind: Dataset
name: people
title: {zh: 人口, en: People}
spec:
  owner: town
  fields:
    - {name: code, personal: personal}
    - {name: phone, personal: personal}
    - {name: district}
    - {name: height, type: number}
  key: [code]
"""
TERMS = DatasetGrant(
    "people",
    fields=("code", "phone", "district", "height"),
    rows="district <> 'south'",
    masks=(("phone", Mask("keep", 3, 4)),),
    tokens=(("code", "clinic"),),
)
GRANT = Grant("grant-1", (TERMS,), ("care",), "clinic")
RULES = (
    Rule(name="phone", kind="pattern", fields=("phone",), pattern="1[3-9][0-9]{9}"),
    Rule(name="height", kind="range", fields=("height",), minimum=30, maximum=250),
    Rule(name="once", kind="unique", fields=("code",)),
)


def fill(count: int) -> Any:
    def filling(work: LakeTransaction) -> str:
        return (
            f"SELECT 'c' || range AS code, CASE WHEN range % 100 = 1 THEN '12' ELSE printf('138%08d', range) END AS phone, "
            f"CASE range % 3 WHEN 0 THEN 'south' ELSE 'north' END AS district, "
            f"CASE WHEN range % 200 = 50 THEN 999.0 ELSE 170.0 END AS height FROM range({count})"
        )

    return filling


def caller(platform: Platform, organisation: str) -> Caller:
    decide = platform.get(Identity).decisions.allowed
    return Caller(Actor("she", "person", (), organisation), person="she", decide=decide)


async def submitted(platform: Platform, **options: Any) -> Record:
    exchange = platform.get(Exchange)
    request = RowRequest(caller(platform, "clinic"), "care", "", grant=GRANT)
    job = await exchange.draft(request, "people", RULES, **options)
    return await platform.records.write(lambda tx: exchange.submit(tx, job, "town", "she"))


async def ended(platform: Platform, id_: str) -> Record:
    await platform.settle()
    return await platform.records.read(lambda session: platform.get(Exchange).find(session, id_))


@pytest.fixture
async def town(platform: Platform) -> Platform:
    await platform.declarations.apply(read_text(DECLARED.encode()), "test")
    await platform.get(Tables).load("people", fill(3000), "append", "test")
    return platform


def verified(folder: Path, keys: Path, town: Platform) -> tuple[int, str]:
    keys.mkdir(exist_ok=True)
    pems = []
    for key in town.get(Cryptography).public_keys():
        pems.append(str(keys / f"{key.algorithm}.pem"))
        Path(pems[-1]).write_text(key.pem)
    ran = subprocess.run(
        [sys.executable, "-I", ROOT / "tools" / "verify_exchange.py", folder, *pems], capture_output=True, text=True, check=False
    )
    return ran.returncode, ran.stdout + ran.stderr


async def test_a_delivery_is_what_the_grant_lets_through_and_anybody_can_verify_it(town: Platform, tmp_path: Path) -> None:
    record = await ended(town, (await submitted(town)).id)
    assert record.state == "done", record.outcome
    assert record.outcome is not None
    assert record.outcome.manifest is not None
    out = town.get(Exchange).processes.folder(record.id) / "out"
    rows = duckdb.connect().execute("SELECT * FROM read_parquet(?)", [str(out / "part-*.parquet")]).fetchall()
    good = [n for n in range(3000) if n % 3 and n % 100 != 1 and n % 200 != 50]
    token = town.get(Gate).keys.token
    assert rows == [(token("clinic", f"c{n}"), f"138****{n % 10000:04d}", "north", 170.0) for n in good]
    assert record.outcome.manifest.read == 2000
    assert record.outcome.manifest.rejected == 2000 - len(good)
    assert verified(out, tmp_path / "keys", town)[0] == 0
    report = await town.get(Ledger).verify()
    assert report.faults == ()
    with (out / "part-00001.parquet").open("r+b") as part:
        part.seek(100)
        part.write(b"!")
    status, said = verified(out, tmp_path / "keys", town)
    assert (status, "FAILED part-00001.parquet" in said) == (1, True)


async def test_every_step_is_in_the_ledger_with_the_digest_of_what_was_delivered(town: Platform) -> None:
    record = await ended(town, (await submitted(town)).id)
    entries = await town.get(Ledger).entries(subject=record.id)
    assert [entry.type for entry in entries] == ["elements.sharing.exchange"] * 3
    sql = "SELECT payload FROM kernel_outbox WHERE subject = :id ORDER BY id DESC LIMIT 1"
    told = await town.records.read(lambda session: session.value(sql, id=record.id))
    assert record.outcome is not None
    assert record.outcome.manifest is not None
    assert record.outcome.manifest.digest in (told if isinstance(told, str) else bytes(told).decode())
    out = town.get(Exchange).processes.folder(record.id) / "out"
    (out / "manifest.json").unlink()
    assert [fault.field for fault in (await town.get(Ledger).verify()).faults] == ["manifest.json"]


async def test_rows_that_come_while_a_job_runs_are_not_in_it(town: Platform) -> None:
    record = await submitted(town)
    await town.get(Tables).load("people", fill(10), "append", "test")
    done = await ended(town, record.id)
    assert done.outcome is not None
    assert done.outcome.manifest is not None
    assert done.outcome.manifest.read == 2000


async def test_a_worker_that_is_killed_is_started_again_and_the_job_is_done(town: Platform) -> None:
    exchange = town.get(Exchange)
    record = await submitted(town, chunk_rows=1000)
    await exchange.look()
    pid = exchange.processes.pid(record.id)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    done = await ended(town, record.id)
    assert (done.state, done.attempts) == ("done", 2)
    assert not (exchange.processes.folder(record.id) / "staging").exists()


async def test_a_job_can_be_cancelled_once_and_then_delivers_nothing(town: Platform) -> None:
    exchange = town.get(Exchange)
    record = await submitted(town)
    await town.records.write(lambda tx: exchange.cancel(tx, record.id))
    done = await ended(town, record.id)
    assert (done.state, exchange.files(done)) == ("cancelled", [])
    with pytest.raises(Conflict):
        await town.records.write(lambda tx: exchange.cancel(tx, record.id))


async def test_without_a_grant_there_is_no_job(town: Platform) -> None:
    with pytest.raises(NotGranted):
        await town.get(Exchange).draft(RowRequest(caller(town, "clinic"), "care", ""), "people")


async def test_keys_of_tokens_are_nowhere_in_the_folder_of_a_job(town: Platform) -> None:
    record = await ended(town, (await submitted(town)).id)
    key = town.get(Gate).keys.key("clinic")
    files = [file for file in town.get(Exchange).processes.folder(record.id).rglob("*") if file.is_file()]
    contents = await asyncio.gather(*(asyncio.to_thread(file.read_bytes) for file in files))
    assert files
    assert not any(key in content or key.hex().encode() in content for content in contents)
