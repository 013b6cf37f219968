"""The check for re-identification: what is not safe is withheld and says why; figures are those of a count by hand."""

import json
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mumian.elements.catalog.api import Tables
from mumian.elements.opening.rules import privacy
from mumian.elements.opening.rules.asking import quoted
from mumian.elements.opening.rules.privacy import Field, Plan
from mumian.elements.opening.service import checking
from mumian.elements.protection.api import AnswerColumn, Delivery
from mumian.foundation.ledger.api import Ledger
from mumian.kernel.declarations.documents import read_text
from mumian.kernel.platform import Platform
from tests.elements.opening.conftest import BASE, Town, fill_patients, furnish

RULE = """
kind: ReleaseRule
name: patients
title: {zh: 病人, en: Patients}
spec: %s
"""


class Rows:
    """A lake of one connection, as far as the check needs one."""

    def __init__(self) -> None:
        self.connection = duckdb.connect()

    def rows(self, sql: str, **params: Any) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql, params).fetchall()


def checked(rows: list[tuple[Any, ...]], plan: Plan) -> dict[str, Any]:
    names = [*plan.quasi, *plan.sensitive]
    values = ", ".join("(" + ", ".join("NULL" if v is None else f"'{v}'" for v in row) + ")" for row in rows)
    return checked_sql(f"SELECT * FROM (VALUES {values}) AS v ({', '.join(map(quoted, names))})", plan)


def checked_sql(sql: str, plan: Plan) -> dict[str, Any]:
    columns = tuple(AnswerColumn(name, "text") for name in (*plan.quasi, *plan.sensitive))
    return checking.check(Rows(), Delivery(sql, {}, columns, ()), plan)  # type: ignore[arg-type]


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from([None, "x", "y"]), st.sampled_from("mno")), min_size=1, max_size=40)
)
def test_figures_are_those_of_a_count_by_hand(rows: list[tuple[Any, ...]]) -> None:
    found = checked(rows, Plan(("a", "b"), ("s",), k=3, l=2, t=0.2))
    classes: dict[Any, list[str]] = defaultdict(list)
    for first, second, value in rows:
        classes[first, second].append(value)
    sizes = [len(values) for values in classes.values()]
    whole = Counter(row[2] for row in rows)

    def distance(values: list[str]) -> float:
        own = Counter(values)
        return sum(abs(own[v] / len(values) - whole[v] / len(rows)) for v in whole) / 2

    assert (found["k"], found["classes"], found["rows"]) == (min(sizes), len(classes), len(rows))
    assert found["below_k"] == sum(size for size in sizes if size < 3)
    assert found["unique"] == sizes.count(1)
    assert found["diversity"]["s"]["least"] == min(len(set(values)) for values in classes.values())
    assert found["t"]["s"] == pytest.approx(max(map(distance, classes.values())), abs=1e-5)
    assert bool(found["reasons"]) == (min(sizes) < 3 or found["diversity"]["s"]["least"] < 2 or found["t"]["s"] > 0.2)


def test_what_would_help_is_enough_and_no_step_of_it_is_idle() -> None:
    rows = [(str(510000 + n % 50), "f" if n % 2 else "m") for n in range(400)]
    help_ = checked(rows, Plan(("zip", "sex"), (), k=20))["help"]
    assert help_["enough"]
    assert [step["field"] for step in help_["steps"]] == ["zip"]
    assert help_["steps"][0]["how"] == "prefix"


def test_published_figures_of_adult_are_met(shared_data: Path) -> None:
    """As pyCANON 1.0 (Sáinz-Pardo and López García 2022) gives them for the same columns."""
    source = f"SELECT * FROM read_csv('{shared_data}/privacy_adult/adult.data.gz', all_varchar = true)"

    def of(quasi: tuple[str, ...], *sensitive: str, **more: Any) -> dict[str, Any]:
        return checked_sql(source, Plan(quasi, sensitive, **more))

    found = of(("sex", "race"), "classification", "occupation", t=0.1)
    assert (found["k"], found["diversity"]["classification"]["least"], found["diversity"]["occupation"]["least"]) == (109, 2, 11)
    assert found["t"] == {"classification": pytest.approx(0.185764), "occupation": pytest.approx(0.322205)}
    found = of(("age", "education", "occupation", "relationship", "sex", "native-country"), "classification", t=0.1)
    assert (found["k"], found["diversity"]["classification"]["least"]) == (1, 1)
    assert found["t"] == {"classification": pytest.approx(0.75919)}
    names = [row[0] for row in duckdb.sql(f"DESCRIBE {source}").fetchall()]
    others = {"fnlwgt", "capital-gain", "capital-loss", "hours-per-week", "classification"}
    assert set(privacy.suggested([Field(name, "text") for name in names])[0]) == set(names) - others


@pytest.mark.parametrize(
    ("names", "quasi", "sensitive"),
    [
        (["年龄", "性别", "诊断"], ("年龄", "性别"), ("诊断",)),
        (["birth_date", "postcode", "gender", "wage"], ("birth_date", "postcode", "gender"), ("wage",)),
        (["shop", "district", "opened"], (), ()),
        (["stage", "message", "page"], (), ()),
    ],
)
def test_quasi_identifiers_are_suggested_by_name(names: list[str], quasi: tuple[str, ...], sensitive: tuple[str, ...]) -> None:
    assert privacy.suggested([Field(name, "text") for name in names]) == (quasi, sensitive)


def test_a_dataset_that_fails_is_withheld_and_says_why(town: Town) -> None:
    with town.client() as client:
        told = client.get(f"{BASE}/datasets/patients/check").json()
        assert (told["state"], told["withheld"]) == ("failed", True)
        assert told["result"]["reasons"][0]["rule"] == "k"
        assert told["result"]["help"]["enough"]
        for path in ("data.csv", "records", "preview", "profile"):
            refused = client.get(f"{BASE}/datasets/patients/{path}", headers={"Accept-Language": "zh"})
            assert refused.status_code == 403, path
            assert "重标识" in refused.json()["detail"]
        assert client.get(f"{BASE}/datasets/patients").json()["files"] == []
    with town.client("nurse") as owner:
        assert owner.get(f"{BASE}/datasets/patients/records").status_code == 200
        assert owner.post(f"{BASE}/datasets/patients/check").json()["state"] == "failed"
    with town.client("teacher") as other:
        assert other.post(f"{BASE}/datasets/patients/check").status_code == 403
        assert other.get(f"{BASE}/datasets/patients/records").status_code == 403
    with town.client("chief") as chief:
        listed = chief.get(f"{BASE}/checks").json()["items"]
        assert {item["dataset"]: item["state"] for item in listed}["patients"] == "failed"


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
async def test_a_rule_and_new_rows_decide_anew(engine: str, engines: Any) -> None:
    platform: Platform
    async with engines(engine) as platform:
        await furnish(platform)
        await platform.settle()

        async def state() -> tuple[str, bool]:
            from mumian.elements.opening.api import Opening

            found = await platform.get(Opening).opened.state("patients")
            return found["state"], found["withheld"]

        assert await state() == ("failed", True)
        exempt = '{dataset: patients, exempt: "made by a machine, about nobody"}'
        await platform.declarations.apply(read_text((RULE % exempt).encode()), "rules")
        await platform.settle()
        assert await state() == ("exempt", False)
        await platform.declarations.apply(read_text((RULE % "{dataset: patients, quasi: [sex], k: 900}").encode()), "rules")
        await platform.settle()
        assert await state() == ("passed", False)
        await platform.get(Tables).load("patients", lambda work: fill_patients(work) + " LIMIT 500", "replace", "made")
        await platform.bus.settle()
        assert await state() == ("due", True)
        await platform.settle()
        assert await state() == ("failed", True)
        report = await platform.get(Ledger).verify()
        assert report.faults == ()
        await platform.records.write(lambda tx: tx.session.execute("UPDATE opening_check SET state = 'passed'"))
        assert {fault.field for fault in (await platform.get(Ledger).verify()).faults} == {"state"}


def test_the_self_assessment_counts_what_it_says(town: Town) -> None:
    with town.client() as client:
        told = client.get(f"{BASE}/assessment").json()
        by_name = {one["name"]: one for one in told["indicators"]}
        assert by_name["machine-readable"]["part"] <= by_name["machine-readable"]["whole"]
        assert 0 < by_name["opened"]["value"] < 1
        assert by_name["fields-described"]["value"] < 1
        for one in told["indicators"]:
            assert one["value"] is None or 0 <= one["value"] <= 1
            assert one["formula"]["zh"]
        assert json.dumps(told["left_out"], ensure_ascii=False).count("ODIN") == 1
