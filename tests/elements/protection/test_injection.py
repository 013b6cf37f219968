"""Injection: whatever is put into any parameter of the gate, it reaches no file, setting, table or value that is not meant."""

import asyncio

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from mumian.elements.protection.api import DatasetGrant, Gate, Grant, Limits, Mask, RowRequest
from mumian.elements.protection.errors import BadQuery
from mumian.elements.protection.rules import parsing
from mumian.foundation.storage.contracts import Lake
from mumian.kernel.errors import MumianError
from mumian.kernel.platform import Platform
from tests.elements.protection.conftest import PEOPLE, ask, caller

SECRETS = [value for row in PEOPLE for value in (row[0], row[1])] + ["flu"]
TRICKS = """
SELECT * FROM read_csv('/etc/passwd')
SELECT * FROM '/etc/passwd'
SELECT * FROM "/etc/hostname.csv"
SELECT * FROM read_text('/etc/passwd')
SELECT * FROM glob('/*')
SELECT * FROM read_parquet('lake/data/**/*.parquet')
SELECT * FROM parquet_scan('x')
SELECT * FROM sniff_csv('/etc/passwd')
SELECT * FROM sqlite_scan('catalogue.sqlite', 'ducklake_table')
SELECT * FROM query('SELECT * FROM lake.main.dataset_1')
SELECT * FROM query_table('dataset_1')
SELECT * FROM query_table(['lake.main.dataset_1'])
SELECT * FROM histogram(lake.main.dataset_1, phone)
SELECT * FROM histogram_values('lake.main.dataset_1', 'phone')
SELECT * FROM summary('people')
SELECT * FROM lake.main.dataset_1
SELECT * FROM dataset_1
SELECT * FROM main.dataset_1
SELECT * FROM "lake"."main"."dataset_1"
SELECT * FROM "lake.main.dataset_1"
SELECT * FROM information_schema.tables
SELECT * FROM information_schema.columns
SELECT * FROM pg_catalog.pg_tables
SELECT * FROM pg_class
SELECT * FROM sqlite_master
SELECT * FROM duckdb_tables()
SELECT * FROM duckdb_tables
SELECT * FROM duckdb_settings()
SELECT * FROM duckdb_secrets()
SELECT * FROM pragma_table_info('dataset_1')
SELECT * FROM ducklake_snapshots('lake')
SELECT * FROM ducklake_list_files('lake', 'dataset_1')
SELECT * FROM __ducklake_metadata_lake.ducklake_data_file
SELECT getenv('HOME') FROM shops.open
SELECT current_setting('memory_limit') FROM shops.open
SELECT current_database(), current_schema(), version(), current_user FROM shops.open
SELECT pg_get_viewdef(1) FROM shops.open
SELECT nextval('s') FROM shops.open
SELECT write_log('x') FROM shops.open
SELECT error('x') FROM shops.open
SELECT getvariable('x') FROM shops.open
SELECT in_search_path('a', 'b') FROM shops.open
SELECT * FROM shops.open; DROP TABLE lake.main.dataset_1
SELECT * FROM shops.open; SELECT * FROM lake.main.dataset_1
SELECT 1; --
INSERT INTO people SELECT * FROM people
UPDATE people SET phone = 1
DELETE FROM people
WITH x AS (DELETE FROM people RETURNING *) SELECT * FROM x
WITH x AS (INSERT INTO people VALUES (1) RETURNING *) SELECT * FROM x
CREATE TABLE t AS SELECT * FROM people
SELECT * INTO t FROM people
COPY people TO '/tmp/people.csv'
COPY (SELECT * FROM people) TO '/tmp/people.csv'
EXPORT DATABASE '/tmp/x'
ATTACH '/tmp/x.db' AS x
DETACH lake
INSTALL httpfs
LOAD httpfs
SET memory_limit = '100GB'
PRAGMA database_list
PRAGMA enable_profiling
CALL pragma_version()
EXPLAIN SELECT * FROM people
DESCRIBE people
SUMMARIZE people
SHOW TABLES
SHOW ALL TABLES
USE lake
VACUUM
CHECKPOINT
BEGIN
EXECUTE p
PREPARE p AS SELECT * FROM people
VALUES (1), (2)
TABLE dataset_1
FROM dataset_1
FROM read_csv('/etc/passwd')
PIVOT people ON phone
UNPIVOT people ON phone INTO NAME n VALUE v
SELECT * FROM people PIVOT (count(*) FOR district IN ('a'))
SELECT * FROM people AT (VERSION => 1)
SELECT COLUMNS(*) FROM lake.main.dataset_1
SELECT COLUMNS('.*') FROM shops.open
SELECT #1 FROM dataset_1
WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r
WITH pg_class AS (SELECT 1) SELECT * FROM shops.open
SELECT * FROM (WITH hidden AS (SELECT 1) SELECT * FROM hidden) AS a, hidden
WITH a AS (SELECT * FROM b), b AS (SELECT 1) SELECT * FROM a
SELECT (SELECT phone FROM dataset_1 LIMIT 1) FROM shops.open
SELECT * FROM shops.open WHERE "编号" IN (SELECT _id FROM lake.main.dataset_1)
SELECT * FROM shops.open ORDER BY (SELECT max(phone) FROM lake.main.dataset_1)
SELECT * FROM shops.open LIMIT (SELECT count(*) FROM lake.main.dataset_1)
SELECT * FROM shops.open, LATERAL (SELECT * FROM dataset_1)
SELECT * FROM shops.open JOIN lake.main.dataset_1 AS d ON d._id = 1
SELECT repeat('a', 2000000000) FROM shops.open
SELECT lpad('a', 2000000000, 'b') FROM shops.open
SELECT printf('%2000000000d', 1) FROM shops.open
SELECT range(2000000000) FROM shops.open
SELECT * FROM range(2000000000000)
SELECT * FROM generate_series(1, 2000000000000)
SELECT replace(replace(replace('aaa', 'a', 'aaaaaaaaaaaaaaaaaa'), 'a', 'aaaaaaaaaaaaa'), 'a', 'aaaaaaaaa') FROM shops.open
SELECT replace('a', 'a', district) FROM shops.open
SELECT list_transform([1], x -> x) FROM shops.open
SELECT regexp_replace('a', '', district, 'g') FROM shops.open
SELECT $mumian_hash_i FROM shops.open
SELECT ? FROM shops.open
SELECT $1 FROM shops.open
SELECT $nowhere FROM shops.open
SELECT * FROM shops.open /*+ hint */ FOR UPDATE
SELECT 'x'::STRUCT(a INT) FROM people.phone
SELECT E'\\' FROM dataset_1 --' FROM shops.open
SELECT $$ FROM shops.open; SELECT $$ FROM dataset_1
""".strip().splitlines()


@pytest.fixture
def everything(town: Platform) -> RowRequest:
    """A request by somebody with a grant for a few masked fields."""
    terms = DatasetGrant("people", fields=("district", "phone"), masks=(("phone", Mask("keep", 3, 4)),))
    return RowRequest(caller(town, organisation="clinic"), "care", "", grant=Grant("g", (terms,), ("care",)))


async def attempt(platform: Platform, request: RowRequest) -> str:
    """What comes out, an answer or a refusal; anything but an expected error is a fault."""
    try:
        return str((await platform.get(Gate).query(request)).rows)
    except MumianError as refused:
        return f"refused: {refused}"


async def test_known_tricks_are_refused_or_harmless(town: Platform, everything: RowRequest) -> None:
    harmless = {"VALUES (1), (2)", "SELECT $$ FROM shops.open; SELECT $$ FROM dataset_1", "SELECT 1; --"}
    before = await asyncio.to_thread(town.get(Lake).catalogue_digest)  # type: ignore[type-abstract]
    for trick in TRICKS:
        came = await attempt(town, RowRequest(**{**everything.__dict__, "sql": trick, "limits": Limits(seconds=5)}))
        assert came.startswith("refused") or trick in harmless, f"{trick}: {came[:200]}"
        assert not any(secret in came for secret in SECRETS), trick
        assert "root:" not in came, trick
    assert await asyncio.to_thread(town.get(Lake).catalogue_digest) == before  # type: ignore[type-abstract]


async def test_values_are_never_read_as_sql(town: Platform, everything: RowRequest) -> None:
    evil = "' OR 1=1 --"
    sql = "SELECT district FROM people WHERE district = $d"
    assert await ask(town, sql, "keeper", params={"d": evil}) == []
    assert await ask(town, "SELECT district FROM people", "keeper", match={"身份证": evil}) == []
    for name in ("d; DROP TABLE x", "mumian_k0_i", "D", ""):
        came = await attempt(town, RowRequest(everything.caller, "care", "SELECT 1 FROM shops.open", params={name: 1}))
        assert came.startswith("refused"), name
    for purpose in (evil, 'x", Action::"y', "care\n", "x" * 300):
        await attempt(town, RowRequest(caller(town, "keeper"), purpose, "SELECT phone FROM people"))


@pytest.mark.parametrize(
    "rows", ["1=1) UNION SELECT * FROM dataset_1 --", "district IN (SELECT 1)", "1; DROP TABLE x", "$mumian_k0_i = 'a'", "*", ""]
)
async def test_a_row_filter_is_one_condition_and_nothing_else(town: Platform, rows: str) -> None:
    terms = DatasetGrant("people", fields=("district",), rows=rows)
    request = RowRequest(caller(town), "care", "SELECT district FROM people", grant=Grant("g", (terms,), ("care",)))
    assert (await attempt(town, request)).startswith("refused")


async def test_texts_of_masks_and_names_of_fields_cannot_break_out(town: Platform) -> None:
    mask = Mask("constant", value="' || (SELECT max(phone) FROM lake.main.dataset_1) || '")
    terms = DatasetGrant("people", fields=("district",), masks=(("district", mask),))
    rows = await ask(town, "SELECT DISTINCT district FROM people", purpose="care", grant=Grant("g", (terms,), ("care",)))
    assert rows == [(mask.value,)]


def test_deep_and_long_queries_are_refused_at_once() -> None:
    for sql in ("SELECT " + "(" * 5000, "SELECT " + "NOT " * 4000 + "1", "x" * 30_000, "SELECT '\x00'"):
        with pytest.raises(BadQuery):
            parsing.parse(sql, {})


PARTS = st.sampled_from(
    (
        "SELECT FROM WHERE people shops.open dataset_1 lake.main.dataset_1 phone 身份证 * ( ) , ' \" -- /* */ ; UNION ALL WITH "
        "AS x JOIN ON IN = 1 read_csv '/etc/passwd' count(*) GROUP BY ORDER LIMIT $a ? :: INTEGER || people.phone people.* "
        "information_schema.tables EXISTS CASE WHEN THEN END illness site range(3) unnest([1]) LATERAL USING NATURAL EXCLUDE "
        "COLUMNS PIVOT getenv('HOME') [ ] { }"
    ).split()
)


@hypothesis_settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.lists(PARTS, min_size=1, max_size=14))
def test_no_mixture_of_words_gets_through_both_locks_with_another_table(words: list[str]) -> None:
    """Whatever parses: every table that is left names a dataset, which then has to exist and be allowed."""
    try:
        tree = parsing.parse("SELECT " + " ".join(words), {"a": 1})
    except MumianError:
        return
    for table in parsing.sources(tree):
        assert parsing.dataset_name(table)


@hypothesis_settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
async def test_nothing_hidden_comes_out_of_random_queries(town: Platform, everything: RowRequest, data: st.DataObject) -> None:
    words = data.draw(st.lists(PARTS, min_size=1, max_size=10))
    sql = data.draw(
        st.sampled_from(["SELECT * FROM people {}", "SELECT {} FROM people", "{}", "SELECT phone FROM people WHERE {}"])
    )
    request = RowRequest(everything.caller, "care", sql.format(" ".join(words)), grant=everything.grant, params={"a": "x"})
    came = await attempt(town, request)
    assert not any(secret in came for secret in SECRETS)
