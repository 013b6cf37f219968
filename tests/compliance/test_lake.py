"""The lake port, on every engine."""

import os
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import numpy as np
import pytest

from mumian.foundation.storage.contracts import NONE, Array, Column, Lake, Position, Table
from mumian.foundation.storage.lake.opening import open_lake
from mumian.kernel.errors import Invalid, Unavailable
from mumian.kernel.ids import new_id

TABLE = Table("reading", (Column("id", "BIGINT"), Column("time", "BIGINT"), Column("result", "DOUBLE")), ("time",))


@pytest.fixture(params=["ducklake-sqlite", "ducklake-postgresql"])
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Lake]]:
    """Opens the same lake again and again, as a restarted process would."""
    if request.param == "ducklake-sqlite":
        yield lambda: open_lake("local", tmp_path)
        return
    server = os.environ.get("MUMIAN_TEST_POSTGRESQL")
    if not server:
        pytest.skip("MUMIAN_TEST_POSTGRESQL names no PostgreSQL server")
    psycopg = pytest.importorskip("psycopg")
    name = f"lake_{new_id().lower()}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    url = urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    yield lambda: open_lake(url, tmp_path)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def lake(opener: Callable[[], Lake]) -> Iterator[Lake]:
    made = opener()
    made.create(TABLE)
    yield made
    made.close()


def readings(first: int, count: int) -> dict[str, Array]:
    ids = np.arange(first, first + count, dtype=np.int64)
    return {"id": ids, "time": ids * 1_000_000, "result": ids / 2}


def test_a_table_is_new_once(opener: Callable[[], Lake]) -> None:
    lake = opener()
    assert [lake.create(TABLE), lake.create(TABLE), lake.has(TABLE), lake.tables()] == [True, False, True, ["reading"]]
    assert not lake.has(Table("reading", (*TABLE.columns, Column("more", "VARCHAR"))))
    lake.close()


def test_a_lake_whose_folder_was_moved_is_read_in_its_new_place(tmp_path: Path) -> None:
    before = open_lake("local", tmp_path / "old")
    before.create(TABLE)
    before.append("reading", readings(1, 10))
    before.close()
    (tmp_path / "old").rename(tmp_path / "new")
    after = open_lake("local", tmp_path / "new")
    after.append("reading", readings(11, 5))
    assert after.rows("SELECT count(*), max(id) FROM reading") == [(15, 15)]
    assert all(str(tmp_path / "new") in file.path for file in after.files("reading"))
    after.close()


def test_appended_rows_are_read_back(lake: Lake) -> None:
    lake.append("reading", readings(1, 1000))
    assert lake.rows("SELECT count(*), min(id), max(time), sum(result) FROM reading") == [(1000, 1, 1_000_000_000, 250250.0)]
    found = lake.columns("SELECT id, result FROM reading WHERE id <= $most ORDER BY id", most=3)
    assert found["id"].tolist() == [1, 2, 3]
    assert found["result"].dtype == np.float64


def test_missing_values_come_back_as_missing(lake: Lake) -> None:
    columns = {"id": np.array([1, 2]), "time": np.array([NONE, 5]), "result": np.array([np.nan, 0.0])}
    lake.append("reading", columns)
    assert lake.rows("SELECT time, result FROM reading ORDER BY id") == [(None, None), (5, 0.0)]
    found = lake.columns("SELECT time, result FROM reading ORDER BY id")
    assert found["time"].tolist() == [NONE, 5]
    assert np.isnan(found["result"][0])


def test_a_query_may_join_the_callers_arrays(lake: Lake) -> None:
    lake.append("reading", readings(1, 100))
    wanted = {"wanted": {"id": np.array([7, 50, 1000])}}
    found = lake.columns("SELECT id, result FROM wanted JOIN reading USING (id) ORDER BY id", wanted)
    assert found["id"].tolist() == [7, 50]


@pytest.mark.parametrize("value", ["late", b"late", None])
@pytest.mark.parametrize("missing", [10, 5000])
def test_an_array_that_begins_with_nothing_but_missing_values_can_be_read(lake: Lake, missing: int, value: object) -> None:
    values = np.full(missing + 1, None, object)
    values[-1] = value
    sql = "SELECT count(*) AS n, max(value) AS value FROM given"
    found = lake.columns(sql, {"given": {"value": values}})
    assert found["n"].tolist() == [missing + 1]
    assert value is None or found["value"].tolist() == [value]
    with lake.transaction() as work:
        work.offer("given", {"value": values})
        assert work.rows("SELECT count(*), count(value) FROM given") == [(missing + 1, 0 if value is None else 1)]


def test_rows_and_position_are_one_commit(lake: Lake) -> None:
    assert lake.position("journal") == 0
    lake.append("reading", readings(1, 10), Position("journal", 10))
    lake.append("reading", readings(11, 10), Position("journal", 20))
    lake.append("reading", readings(21, 1), Position("other", 3))
    assert (lake.position("journal"), lake.position("other")) == (20, 3)
    with pytest.raises(Exception, match="nonsense"):
        lake.append("reading", {**readings(31, 2), "nonsense": np.array([1, 2])}, Position("journal", 30))
    assert lake.position("journal") == 20
    assert lake.rows("SELECT count(*) FROM reading") == [(21,)]


def test_a_transaction_that_raises_leaves_nothing(lake: Lake) -> None:
    def fail() -> None:
        with lake.transaction() as work:
            work.offer("incoming", readings(1, 5))
            work.execute("INSERT INTO reading SELECT id, time, result FROM incoming")
            work.advance(Position("journal", 5))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert lake.rows("SELECT count(*) FROM reading") == [(0,)]
    assert lake.position("journal") == 0
    with lake.transaction() as work:
        work.execute("INSERT INTO reading VALUES (1, 2, 3)")
        assert work.rows("SELECT id FROM reading") == [(1,)]
        assert work.columns("SELECT time FROM reading")["time"].tolist() == [2]
    assert lake.rows("SELECT count(*) FROM reading") == [(1,)]


def test_everything_is_there_after_opening_again(opener: Callable[[], Lake]) -> None:
    first = opener()
    first.create(TABLE)
    first.append("reading", readings(1, 10), Position("journal", 10))
    first.close()
    second = opener()
    second.create(TABLE)
    assert second.rows("SELECT count(*) FROM reading") == [(10,)]
    assert second.position("journal") == 10
    second.close()


def test_a_table_gains_the_columns_it_lacks(lake: Lake) -> None:
    lake.append("reading", readings(1, 2))
    wider = Table("reading", (*TABLE.columns, Column("quality", "VARCHAR")))
    lake.create(wider)
    lake.create(wider)
    lake.append("reading", {**readings(3, 1), "quality": np.array(["good"], dtype=object)})
    assert lake.rows("SELECT quality FROM reading ORDER BY id") == [(None,), (None,), ("good",)]


def test_the_digest_of_a_data_file_is_that_of_its_bytes(lake: Lake) -> None:
    lake.append("reading", readings(1, 10))
    lake.append("reading", readings(11, 10))
    files = lake.files("reading")
    assert len(files) == 2
    for file in files:
        content = Path(file.path).read_bytes()
        assert (file.bytes, file.sha256) == (len(content), sha256(content).hexdigest())


def test_a_data_file_that_is_known_is_not_read(lake: Lake) -> None:
    lake.append("reading", readings(1, 10))
    lake.append("reading", readings(11, 10))
    first, second = lake.files("reading")
    again = lake.files("reading", {Path(first.path).name})
    assert [file.sha256 for file in again] == ["", second.sha256]
    Path(first.path).unlink()
    assert [file.sha256 for file in lake.files("reading")] == ["", second.sha256]


def test_the_digest_of_the_catalogue_changes_with_the_lake_and_only_then(opener: Callable[[], Lake]) -> None:
    lake = opener()
    lake.create(TABLE)
    empty = lake.catalogue_digest()
    lake.append("reading", readings(1, 10), Position("journal", 10))
    filled = lake.catalogue_digest()
    assert lake.rows("SELECT count(*) FROM reading") == [(10,)]
    assert filled not in (empty, "")
    lake.close()
    again = opener()
    again.create(TABLE)
    assert again.catalogue_digest() == filled
    with again.transaction() as work:
        work.advance(Position("journal", 11))
    assert again.catalogue_digest() != filled
    assert again.integrity_faults() == []
    again.close()


def test_compaction_merges_files_and_keeps_every_row(lake: Lake) -> None:
    for part in range(5):
        lake.append("reading", readings(part * 100, 100), Position("journal", part))
    before = lake.rows("SELECT * FROM reading ORDER BY id")
    done = lake.compact("reading", datetime.now(UTC) + timedelta(minutes=1))
    assert (done.before, done.after) == (5, 1)
    assert lake.rows("SELECT * FROM reading ORDER BY id") == before
    assert lake.position("journal") == 4
    assert len(lake.files("reading")) == 1
    kept = {Path(f.path).name for f in lake.files("reading")}
    on_disk = {p.name for p in Path(lake.files("reading")[0].path).parent.glob("*.parquet")}
    assert on_disk == kept


def test_readers_see_whole_commits_while_a_writer_writes(lake: Lake) -> None:
    stop = threading.Event()
    seen: list[int] = []

    def read() -> None:
        while not stop.is_set():
            seen.append(int(lake.rows("SELECT count(*) FROM reading")[0][0]))

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for part in range(10):
        lake.append("reading", readings(part * 100, 100))
    stop.set()
    for reader in readers:
        reader.join()
    assert all(count % 100 == 0 for count in seen)
    assert seen == sorted(seen) or len(seen) > 1


def test_writers_in_several_threads_wait_for_each_other(lake: Lake) -> None:
    def write(first: int) -> None:
        for part in range(3):
            lake.append("reading", readings(first + part * 10, 10))

    writers = [threading.Thread(target=write, args=(k * 1000,)) for k in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert lake.rows("SELECT count(*), count(DISTINCT id) FROM reading") == [(120, 120)]


def test_a_closed_lake_says_so(lake: Lake) -> None:
    lake.close()
    with pytest.raises(Unavailable):
        lake.rows("SELECT 1")
    with pytest.raises(Unavailable):
        lake.append("reading", readings(1, 1))


def test_an_unknown_engine_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid):
        open_lake("mysql://somewhere", tmp_path)


def test_a_sealed_reader_reads_the_tables_and_can_do_nothing_else(lake: Lake, tmp_path: Path) -> None:
    lake.append("reading", readings(1, 10))
    sealed = lake.sealed("256MB")
    cursor = sealed.cursor()
    cursor.execute("SELECT count(*) FROM lake.main.reading")
    assert cursor.fetchmany(2) == [(10,)]
    lake.append("reading", readings(11, 5))
    cursor.execute("SELECT count(*) FROM lake.main.reading")
    assert cursor.fetchmany(2) == [(15,)]
    for sql in ("DELETE FROM lake.main.reading", f"COPY lake.main.reading TO '{tmp_path}/out.csv'", "SET memory_limit = '1TB'"):
        with pytest.raises(Exception, match=r"read-only|disabled|locked|cannot|Cannot"):
            cursor.execute(sql)
    cursor.close()
    sealed.close()
    assert lake.rows("SELECT count(*) FROM reading") == [(15,)]
