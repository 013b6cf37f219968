"""An exchange job writes every good row once, as it may be shown, and lists every other with what is wrong with it."""

import re
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mumian.elements.sharing.exchange import patterns
from mumian.elements.sharing.exchange.checkpoints import digest_of
from mumian.elements.sharing.exchange.contracts import Field, FileSource, Job, Mask, Rule
from mumian.elements.sharing.exchange.running import Means, run_job
from mumian.kernel.errors import Invalid
from tests.elements.sharing import exchange_rows as made
from tests.foundation.cryptography.test_columns import reference

KEYS = {"people": made.KEY}
ONE = Means(engines=1)
ROWS = made.people(3500)


@pytest.mark.parametrize("compiled", [True, False], ids=["compiled", "numpy"])
def test_good_rows_are_written_and_the_others_listed_as_another_judge_has_it(tmp_path: Path, compiled: bool) -> None:
    file = made.write(ROWS, tmp_path / "people.parquet")
    outcome = run_job(made.job([file], tmp_path), tmp_path / "job", KEYS, Means(compiled=compiled))
    assert (outcome.state, outcome.reason) == ("done", "")
    wrong = made.broken(ROWS)
    assert made.listed(tmp_path / "job") == wrong
    assert made.delivered(tmp_path / "job") == [made.shown(row, reference) for n, row in enumerate(ROWS) if n not in wrong]
    manifest = outcome.manifest
    assert manifest is not None
    assert (manifest.read, manifest.rejected, manifest.written) == (3500, len(wrong), 3500 - len(wrong))
    assert manifest.rules == {rule: sum(rule in each for each in wrong.values()) for rule in manifest.rules}
    assert len(manifest.parts) == 4
    assert all(digest_of(tmp_path / "job" / "out" / part.name, "sha256") == (part.digest, part.bytes) for part in manifest.parts)


def test_with_and_without_compiled_code_the_files_are_the_same_byte_for_byte(tmp_path: Path) -> None:
    file = made.write(ROWS[:2500], tmp_path / "people.parquet")
    runs = [run_job(made.job([file], tmp_path), tmp_path / str(c), KEYS, Means(engines=2, compiled=c)) for c in (True, False)]
    assert runs[0].manifest is not None
    assert runs[0].manifest == runs[1].manifest


def test_csv_and_several_files_give_the_same_rows(tmp_path: Path) -> None:
    first = made.write(ROWS[:1700], tmp_path / "a.csv")
    second = made.write(ROWS[1700:], tmp_path / "b.csv")
    run_job(made.job([first, second], tmp_path), tmp_path / "job", KEYS, ONE)
    wrong = made.broken([row | {"name": row["name"] or None} for row in ROWS])
    assert made.listed(tmp_path / "job") == wrong
    assert made.delivered(tmp_path / "job") == [made.shown(row, reference) for n, row in enumerate(ROWS) if n not in wrong]


def test_what_is_not_of_its_type_is_a_fault_of_the_row(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("number,day\n1,2020-01-01\nmany,2020-01-01\n3,2020-02-30\n4,\n", "utf-8")
    fields = (Field(name="number", type="integer"), Field(name="day", type="date"))
    job = Job(id="job", source=FileSource(paths=(str(tmp_path / "a.csv"),)), fields=fields, most_rejected=0.9)
    outcome = run_job(job, tmp_path / "job", {}, ONE)
    assert outcome.state == "done"
    assert made.listed(tmp_path / "job") == {1: {"type:number"}, 2: {"type:day"}}
    assert [row[0] for row in made.delivered(tmp_path / "job")] == [1, 4]


def test_a_rule_that_only_reports_keeps_no_row_back(tmp_path: Path) -> None:
    file = made.write(ROWS[:1000], tmp_path / "people.parquet")
    job = made.job([file], tmp_path)
    rules = tuple(Rule(name=r.name, kind=r.kind, fields=r.fields, pattern=r.pattern, action="report") for r in job.rules[:3])
    outcome = run_job(made.job([file], tmp_path, rules=rules), tmp_path / "job", KEYS, ONE)
    assert outcome.manifest is not None
    assert (outcome.manifest.written, outcome.manifest.rejected) == (1000, 0)
    assert {"named", "id", "phone"} == set().union(*made.listed(tmp_path / "job").values())


def test_a_job_with_too_many_faults_stops_and_delivers_nothing(tmp_path: Path) -> None:
    file = made.write(ROWS, tmp_path / "people.parquet")
    outcome = run_job(made.job([file], tmp_path, most_rejected=0.001), tmp_path / "job", KEYS, ONE)
    assert (outcome.state, outcome.manifest) == ("stopped", None)
    assert "0.10%" in outcome.reason


@pytest.mark.parametrize("algorithm", ["sha256", "sm3"])
def test_tokens_are_those_of_their_algorithm_for_values_of_any_length(tmp_path: Path, algorithm: Any) -> None:
    values = ["", "一", "x" * 12, "y" * 13, "长" * 18, "z" * 55, "z" * 56, "w" * 119, "w" * 1000, None, "a"]
    import duckdb

    connection = duckdb.connect()
    connection.execute("CREATE TABLE v (v VARCHAR)")
    connection.executemany("INSERT INTO v VALUES (?)", [[value] for value in values])
    connection.execute(f"COPY v TO '{tmp_path / 'v.parquet'}' (FORMAT parquet)")
    job = Job(
        id="j",
        source=FileSource(paths=(str(tmp_path / "v.parquet"),)),
        fields=(Field(name="v", token="people"),),
        tokens=algorithm,
    )
    run_job(job, tmp_path / "job", KEYS, ONE)
    token = {"sm3": reference, "sha256": made.sha256_token}[algorithm]
    assert [row[0] for row in made.delivered(tmp_path / "job")] == [
        v if v is None else token(made.KEY, v.encode()).hex() for v in values
    ]


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(numbers=st.lists(st.one_of(st.none(), st.integers(0, 30)), min_size=1, max_size=200))
def test_of_rows_with_the_same_value_the_first_stands(
    tmp_path_factory: pytest.TempPathFactory, numbers: list[int | None]
) -> None:
    import duckdb

    folder = tmp_path_factory.mktemp("unique")
    connection = duckdb.connect()
    connection.execute("CREATE TABLE v (v BIGINT)")
    connection.executemany("INSERT INTO v VALUES (?)", [[number] for number in numbers])
    connection.execute(f"COPY v TO '{folder / 'v.parquet'}' (FORMAT parquet)")
    source = FileSource(paths=(str(folder / "v.parquet"),))
    rules = (Rule(name="once", kind="unique", fields=("v",)),)
    job = Job(id="j", source=source, fields=(Field(name="v", type="integer"),), rules=rules, most_rejected=1.0)
    run_job(job, folder / "job", {}, ONE)
    expected = {n for n, number in enumerate(numbers) if number is not None and number in numbers[:n]}
    assert set(made.listed(folder / "job")) == expected


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"most_rejected": 2.0}, "most_rejected"),
        ({"chunk_rows": 1}, "chunk_rows"),
        ({"fields": (Field(name="a", mask=Mask(method="null"), token="k"),), "rules": ()}, "fields[0].token"),
        ({"rules": (Rule(name="r", kind="pattern", fields=("name",), pattern="("),)}, "rules[0].pattern"),
        ({"rules": (Rule(name="r", kind="range", fields=("height",)),)}, "rules[0].minimum"),
        ({"rules": (Rule(name="r", kind="order", fields=("birth", "height")),)}, "rules[0].fields"),
        ({"rules": (Rule(name="r", kind="required", fields=("nothing",)),)}, "rules[0].fields"),
        ({"rules": (Rule(name="a,b", kind="required", fields=("name",)),)}, "rules[0].name"),
    ],
)
def test_a_job_that_makes_no_sense_is_refused_before_it_begins(tmp_path: Path, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        run_job(made.job([tmp_path / "people.parquet"], tmp_path, **changes), tmp_path / "job", KEYS, ONE)
    assert field in {fault.field for fault in refused.value.faults}
    assert not (tmp_path / "job").exists()


@pytest.mark.parametrize(
    ("content", "told"), [("a,b\n1,2\n", "has no column"), (None, "is not there"), ('serial,name\n1,"x\n2,y\n', "no CSV")]
)
def test_a_source_that_cannot_be_read_is_told_without_its_values(tmp_path: Path, content: str | None, told: str) -> None:
    file = tmp_path / "people.csv"
    if content is not None:
        file.write_text(content, "utf-8")
    outcome = run_job(made.job([file], tmp_path), tmp_path / "job", KEYS, ONE)
    assert outcome.state == "failed"
    assert told in outcome.reason
    assert '"x' not in outcome.reason


@pytest.mark.parametrize(
    "pattern", ["1[3-9][0-9]{9}", "[A-C0-2x]{3}", r"a\d{2}[b-d]", "abc", "[0-9]", "a|b", "[^a]", "a{1,2}", "a.", "(a)", "a*"]
)
@settings(max_examples=15)
@given(data=st.data())
def test_a_table_of_places_matches_what_the_pattern_matches(pattern: str, data: st.DataObject) -> None:
    found = patterns.table(pattern)
    simple = pattern not in {"a|b", "[^a]", "a{1,2}", "a.", "(a)", "a*"}
    assert (found is not None) == simple
    if found is None:
        return
    text = data.draw(
        st.one_of(st.from_regex(re.compile(pattern, re.ASCII), fullmatch=True), st.text("012389abcdxABC", max_size=12))
    )
    here = text.encode()
    matched = len(here) == len(found) and all(found[place, byte] for place, byte in enumerate(here))
    assert matched == (re.fullmatch(pattern, text, re.ASCII) is not None)


@settings(max_examples=10)
@given(st.lists(st.lists(st.integers(0, 40), max_size=60), max_size=6))
def test_hashes_that_come_twice_are_found_across_batches(batches: list[list[int]]) -> None:
    grouping = pytest.importorskip("mumian.elements.sharing.exchange.engine.grouping")
    spread = [np.array([(n * 0x9E3779B97F4A7C15 | 1) % 2**64 for n in batch], np.uint64) for batch in batches]
    with tempfile.TemporaryDirectory() as folder:
        found = grouping.twice([lambda b=b: b for b in spread], Path(folder), 2)
    every = [int(value) for batch in spread for value in batch]
    assert set(found.tolist()) == {value for value in every if every.count(value) > 1}
