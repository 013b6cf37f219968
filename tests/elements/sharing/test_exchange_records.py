"""Records of exchange jobs are the same on both engines: handed in, listed page by page, cancelled, and told to the ledger."""

from pathlib import Path

import msgspec
import pytest

from mumian.app.platform import create_platform
from mumian.elements.sharing.exchange.service import store
from mumian.elements.sharing.exchange.service.jobs import Exchange
from mumian.foundation.ledger.api import Ledger
from mumian.kernel.clock import ManualClock
from mumian.kernel.errors import Conflict, Invalid, NotFound
from mumian.kernel.settings import Settings
from tests.elements.sharing import exchange_rows as made


async def test_jobs_are_kept_listed_and_cancelled(engine: Settings, clock: ManualClock, tmp_path: Path) -> None:
    platform = create_platform(engine, clock)
    exchange, base = platform.get(Exchange), made.job([tmp_path / "people.parquet"], tmp_path)
    for number in range(3):
        job = msgspec.structs.replace(base, id=f"job-{number}", holder="clinic" if number else "court")
        kept = await platform.records.write(lambda tx, job=job: exchange.submit(tx, job, "town", "she"))  # type: ignore[misc]
        assert await platform.records.read(lambda session, id_=job.id: exchange.find(session, id_)) == kept  # type: ignore[misc]
    with pytest.raises(Conflict):
        await platform.records.write(lambda tx: exchange.submit(tx, job, "town", "she"))
    with pytest.raises(Invalid):
        await platform.records.write(lambda tx: exchange.submit(tx, msgspec.structs.replace(base, id="x", fields=()), "town"))
    with pytest.raises(NotFound):
        await platform.records.read(lambda session: exchange.find(session, "x"))
    pages = [await platform.records.read(lambda session, b=b: store.page(session, b, 2)) for b in (None, "job-1")]  # type: ignore[misc]
    assert [[record.id for record in page] for page in pages] == [["job-2", "job-1"], ["job-0"]]
    mine = await platform.records.read(lambda session: store.page(session, None, 10, "clinic"))
    assert [record.id for record in mine] == ["job-2", "job-1"]
    cancelled = await platform.records.write(lambda tx: exchange.cancel(tx, "job-1"))
    assert (cancelled.state, cancelled.version) == ("cancelled", 2)
    queued = await platform.records.read(lambda session: store.in_states(session, ("queued",)))
    assert [record.id for record in queued] == ["job-0", "job-2"]
    assert [fault for fault in (await platform.get(Ledger).verify()).faults if "exchange" in fault.table] == []
    await platform.records.write(lambda tx: tx.session.execute("UPDATE sharing_exchange SET holder = 'me' WHERE id = 'job-0'"))
    assert [fault.field for fault in (await platform.get(Ledger).verify()).faults if "exchange" in fault.table] == ["record"]
    await platform.stop()
