"""What registers keep in the records is the same on every engine."""

from datetime import date

import pytest

from mumian.app.platform import create_platform
from mumian.elements.registers import store
from mumian.elements.registers.credit import store as facts
from mumian.elements.registers.credit.keeping import Credit, FactDraft
from mumian.elements.registers.licences import store as papers
from mumian.elements.registers.licences.issuing import Draft, Licences
from mumian.foundation.ledger.api import Ledger
from mumian.kernel.clock import ManualClock
from mumian.kernel.declarations.documents import read_text
from mumian.kernel.settings import Settings
from mumian.kernel.unit_of_work import Transaction
from tests.elements.registers.conftest import TEXT
from tests.elements.registers.test_http import COMPANY, MORE
from tests.elements.registers.test_matching import CARDS
from tests.foundation.engines import ENGINES, records_url


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest, settings: Settings) -> Settings:
    """Settings of a city on each engine of the records."""
    return settings.model_copy(update={"records": records_url(request.param, "registers_test")})


async def test_runs_decisions_licences_and_facts_are_kept_and_proven(engine: Settings, clock: ManualClock) -> None:
    town = create_platform(engine, clock)
    await town.declarations.apply(read_text(TEXT.split("---\nkind: Dataset")[0].encode()), "town")
    await town.declarations.apply(read_text(MORE.encode()), "more")
    licences, credit, records = town.get(Licences), town.get(Credit), town.records

    def keep(tx: Transaction) -> None:
        store.want(tx, "population")
        run = store.start_run(tx, "population", 1, True)
        store.end_run(tx, "population", run, "failed", {"records": 1}, "cut off")
        row = licences.issue(tx, "midwife", Draft(CARDS[1], "李秀英", {"scope": "home"}))
        licences.change(tx, row["identifier"], "revoke", "misconduct")
        draft = FactDraft("penalty", COMPANY, "某公司", "health", "2013-7", "fined", date(2013, 1, 1))
        fact = credit.record(tx, draft)
        credit.decide(tx, credit.apply(tx, fact["id"], "mended"), True, "seen")
        assert not facts.add(tx, {**fact, "id": "another"})

    await records.write(keep)
    due = await records.read(store.due)
    assert [(row["name"], row["wanted"], row["done"]) for row in due] == [("population", 1, 0)]
    await records.write(lambda tx: store.reached(tx, "population", 1, "f"))
    assert await records.read(store.due) == []
    assert await records.read(lambda s: store.decisions(s, "population", (0, 0), 5)) == []
    [run] = await records.read(lambda s: store.runs(s, "population", None, 5))
    assert (run["state"], run["error"]) == ("failed", "cut off")
    [licence] = await records.read(lambda s: papers.page(s, {"type": "midwife", "status": "revoked"}, "", 5))
    assert licence["holder_code"] == CARDS[1]
    [fact] = await records.read(lambda s: facts.facts(s, COMPANY, "", 5))
    assert fact["status"] == "repaired"
    assert await records.read(lambda s: facts.open_repairs(s, "", 5)) == []
    assert (await town.get(Ledger).verify()).faults == ()
    await town.stop()
