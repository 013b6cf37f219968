"""Whatever is changed in the stored ledger, verification finds and names it."""

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mumian.foundation.ledger.api import EvidenceChecks, Fault, Ledger, Report
from mumian.foundation.ledger.errors import LedgerDamaged
from tests.foundation.ledger.conftest import happen, open_ledger

SIZE = 600
TABLES = {
    "ledger_entry": ("seq", "time", "actor", "type", "subject", "body", "leaf"),
    "ledger_node": ("level", "position", "hash"),
    "ledger_head": ("size", "root", "time", "signatures"),
    "kernel_outbox": ("id", "type", "subject", "time", "actor", "payload"),
}
COLUMNS = [(table, column) for table, columns in TABLES.items() for column in columns]
KEYS = {"ledger_entry": "seq", "ledger_node": "position", "ledger_head": "size", "kernel_outbox": "id"}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with 600 events and heads at 200, 256 and 600, closed and folded into one file."""
    home = tmp_path_factory.mktemp("written")
    platform = open_ledger(home)
    for count in (200, 56, 344):
        happen(platform, count)
        platform.get(Ledger).sign_now()
    assert platform.get(Ledger).verify_now() == Report(SIZE, 3, 2, ("foundation.identity",), ())
    platform.records.close()
    with sqlite3.connect(database(home)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return home


@pytest.fixture
def home(written: Path, tmp_path: Path) -> Path:
    """A copy of it, to be tampered with."""
    shutil.copytree(written, tmp_path / "city")
    return tmp_path / "city"


def database(home: Path) -> Path:
    return home / "records" / "city.sqlite"


def tamper(home: Path, sql: str, *values: Any) -> int:
    """Change the file behind the platform's back."""
    connection = sqlite3.connect(database(home))
    try:
        changed = connection.execute(sql, values).rowcount
        connection.commit()
    finally:
        connection.close()
    return changed


def verify(home: Path) -> Report:
    platform = open_ledger(home)
    try:
        return platform.get(Ledger).verify_now()
    finally:
        platform.records.close()


def flipped(value: Any) -> Any:
    """A value with its lowest bit flipped: of a number, or of the middle character of a text."""
    if isinstance(value, int):
        return value ^ 1 << 10
    middle = len(value) // 2
    return value[:middle] + chr(ord(value[middle]) ^ 1) + value[middle + 1 :]


def test_an_untouched_ledger_is_sound(home: Path) -> None:
    assert verify(home) == Report(SIZE, 3, 2, ("foundation.identity",), ())


@pytest.mark.parametrize(("table", "column"), COLUMNS)
@pytest.mark.parametrize("end", ["ASC", "DESC"])
def test_one_changed_value_in_any_column_is_named_with_its_table_and_entry(home: Path, table: str, column: str, end: str) -> None:
    key = KEYS[table]
    connection = sqlite3.connect(database(home))
    row, number, value = connection.execute(f"SELECT rowid, {key}, {column} FROM {table} ORDER BY rowid {end} LIMIT 1").fetchone()
    connection.close()
    assert tamper(home, f"UPDATE {table} SET {column} = ? WHERE rowid = ?", flipped(value), row) == 1
    faults = verify(home).faults
    entry = f"8/{number}" if table == "ledger_node" else number
    touched = {str(entry), str(flipped(value)), f"{flipped(value)}/{number}", f"8/{flipped(value)}"}
    named = [f for f in faults if f.table == table and (str(f.entry) in touched or f.field == "count")]
    assert named, faults
    if column not in (key, "level"):
        assert {(f.table, str(f.entry)) for f in faults} == {(table, str(entry))}


@pytest.mark.parametrize("column", ["time", "actor", "type", "subject", "body", "leaf"])
@pytest.mark.parametrize("entry", [0, 130, 255, 256, 511, 512, 599])
def test_a_changed_field_of_an_entry_is_the_only_thing_named(home: Path, column: str, entry: int) -> None:
    connection = sqlite3.connect(database(home))
    value = connection.execute(f"SELECT {column} FROM ledger_entry WHERE seq = ?", (entry,)).fetchone()[0]
    connection.close()
    tamper(home, f"UPDATE ledger_entry SET {column} = ? WHERE seq = ?", flipped(value), entry)
    assert [(f.table, f.entry, f.field) for f in verify(home).faults] == [("ledger_entry", entry, column)]


def test_a_rewritten_entry_with_a_matching_leaf_is_found_by_what_was_signed(home: Path) -> None:
    from mumian.foundation.ledger import rules

    connection = sqlite3.connect(database(home))
    body = connection.execute("SELECT body FROM ledger_entry WHERE seq = 100").fetchone()[0].replace("01TEST", "01EVIL")
    connection.close()
    leaf = rules.leaf_hash(body.encode()).hex()
    tamper(home, "UPDATE ledger_entry SET body = ?, leaf = ?, actor = '01EVIL' WHERE seq = 100", body, leaf)
    tamper(home, "UPDATE kernel_outbox SET actor = '01EVIL' WHERE id = 101")
    faults = {(f.table, f.entry, f.field) for f in verify(home).faults}
    assert faults == {("ledger_node", "8/0", "hash"), *(("ledger_head", size, "root") for size in (200, 256, 600))}


@pytest.mark.parametrize("entry", [0, 255, 300, 599])
def test_a_deleted_entry_is_named(home: Path, entry: int) -> None:
    tamper(home, "DELETE FROM ledger_entry WHERE seq = ?", entry)
    assert ("ledger_entry", entry, "seq") in {(f.table, f.entry, f.field) for f in verify(home).faults}


def test_swapped_entries_are_named(home: Path) -> None:
    tamper(home, "UPDATE ledger_entry SET seq = seq + 10000 WHERE seq IN (7, 8)")
    tamper(home, "UPDATE ledger_entry SET seq = 10015 - seq WHERE seq >= 10000")
    named = {(f.table, f.entry) for f in verify(home).faults}
    assert {("ledger_entry", 7), ("ledger_entry", 8)} <= named


def test_a_forged_entry_at_the_end_is_named(home: Path) -> None:
    tamper(home, "INSERT INTO ledger_entry SELECT 600, time, actor, type, subject, body, leaf FROM ledger_entry WHERE seq = 599")
    faults = verify(home).faults
    assert ("ledger_entry", None, "count") in {(f.table, f.entry, f.field) for f in faults}
    assert ("ledger_entry", 600, "seq") in {(f.table, f.entry, f.field) for f in faults}


def test_a_cut_off_end_is_found_by_the_head_and_by_the_count(home: Path) -> None:
    tamper(home, "DELETE FROM ledger_entry WHERE seq >= 590")
    tamper(home, "DELETE FROM kernel_outbox WHERE id > 590")
    tamper(home, "UPDATE kernel_sequence SET value = 590 WHERE name = 'outbox'")
    assert [(f.table, f.entry, f.field) for f in verify(home).faults] == [("ledger_head", 600, "size")]


def test_a_forged_event_in_the_outbox_is_named(home: Path) -> None:
    tamper(home, "INSERT INTO kernel_outbox SELECT 601, type, subject, time, actor, payload FROM kernel_outbox WHERE id = 600")
    assert ("kernel_outbox", "601", "id") in {(f.table, f.entry, f.field) for f in verify(home).faults}


def test_events_that_the_outbox_no_longer_keeps_are_no_fault(home: Path) -> None:
    tamper(home, "DELETE FROM kernel_outbox WHERE id < 300")
    assert verify(home).sound


def test_a_missing_or_forged_tile_is_named(home: Path) -> None:
    tamper(home, "DELETE FROM ledger_node WHERE position = 1")
    tamper(home, "INSERT INTO ledger_node (level, position, hash) VALUES (8, 2, ?)", "ab" * 32)
    named = {(f.table, f.entry, f.found) for f in verify(home).faults}
    assert {("ledger_node", "8/1", "nothing"), ("ledger_node", "8/2", "one that is not")} == named


def test_a_head_signed_with_other_keys_is_named(home: Path, tmp_path: Path) -> None:
    other = open_ledger(tmp_path / "other")
    happen(other, SIZE)
    head = other.get(Ledger).sign_now()
    other.records.close()
    assert head.size == SIZE
    connection = sqlite3.connect(database(tmp_path / "other"))
    forged = connection.execute("SELECT signatures FROM ledger_head").fetchone()[0]
    connection.close()
    tamper(home, "UPDATE ledger_head SET signatures = ? WHERE size = 600", forged)
    assert {(f.table, f.entry, f.field) for f in verify(home).faults} == {("ledger_head", 600, "signatures")}


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", "[1]", '[{"algorithm":"ed25519"}]', "\x00"])
def test_signatures_that_are_none_are_named(home: Path, text: str) -> None:
    tamper(home, "UPDATE ledger_head SET signatures = ? WHERE size = 256", text)
    assert [(f.table, f.entry, f.field) for f in verify(home).faults] == [("ledger_head", 256, "signatures")]


@pytest.mark.parametrize(
    "value", [None, 7, 1.5, b"\xff\xfe", "", "{}", "[]", '{"seq":300}', "\udcff".encode("utf-8", "surrogateescape")]
)
@pytest.mark.parametrize("column", ["body", "leaf", "subject", "time"])
def test_values_of_any_other_type_are_named_without_an_error(home: Path, column: str, value: Any) -> None:
    connection = sqlite3.connect(database(home))
    connection.execute("PRAGMA writable_schema = 1")
    connection.execute("UPDATE sqlite_master SET sql = replace(sql, ' NOT NULL', '') WHERE name = 'ledger_entry'")
    connection.commit()
    connection.close()
    tamper(home, f"UPDATE ledger_entry SET {column} = ? WHERE seq = 300", value)
    assert {(f.table, f.entry) for f in verify(home).faults} == {("ledger_entry", 300)}


def test_text_that_is_no_utf_8_is_named(home: Path) -> None:
    tamper(home, "UPDATE ledger_entry SET subject = CAST(x'ff41' AS TEXT) WHERE seq = 300")
    assert ("ledger_entry", 300) in {(f.table, f.entry) for f in verify(home).faults}


def test_no_new_head_is_signed_over_a_changed_end(home: Path) -> None:
    tamper(home, "UPDATE ledger_entry SET leaf = ? WHERE seq = 590", "ab" * 32)
    platform = open_ledger(home)
    happen(platform, 10)
    with pytest.raises(LedgerDamaged):
        platform.get(Ledger).sign_now()
    platform.records.close()


def test_no_new_head_is_signed_over_a_shortened_ledger(home: Path) -> None:
    tamper(home, "DELETE FROM ledger_entry WHERE seq >= 500")
    platform = open_ledger(home)
    with pytest.raises(LedgerDamaged):
        platform.get(Ledger).sign_now()
    platform.records.close()


def test_faults_that_other_components_find_are_reported(home: Path) -> None:
    platform = open_ledger(home)
    mine = Fault("lake_file", "part-1", "digest", "aa", "bb")

    def broken(session: Any) -> Iterator[Fault]:
        yield mine
        raise OSError("the file is gone")

    platform.get(EvidenceChecks).add("lake", broken)
    platform.get(EvidenceChecks).add("states", lambda session: [])
    report = platform.get(Ledger).verify_now()
    platform.records.close()
    assert report.checks == ("foundation.identity", "lake", "states")
    assert [fault.table for fault in report.faults] == ["lake_file", "lake"]


def contents(file: Path) -> dict[str, list[Any]] | None:
    """All that the tables say, or None when they cannot be read."""
    connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    connection.text_factory = bytes
    try:
        return {
            table: connection.execute(f"SELECT rowid, *, typeof({columns[0]}) FROM {table} ORDER BY rowid").fetchall()
            for table, columns in TABLES.items()
        }
    except sqlite3.DatabaseError:
        return None
    finally:
        connection.close()


def pages_of_the_ledger(file: Path) -> list[int]:
    """The offsets of all pages that hold the ledger's tables and their indexes."""
    connection = sqlite3.connect(file)
    try:
        names = connection.execute("SELECT name, rootpage FROM sqlite_master WHERE tbl_name LIKE 'ledger_%'").fetchall()
        size = connection.execute("PRAGMA page_size").fetchone()[0]
    finally:
        connection.close()
    content = file.read_bytes()
    pages, todo = set(), [root for _, root in names]
    while todo:
        page = todo.pop()
        pages.add(page)
        start = (page - 1) * size
        kind, cells = content[start], int.from_bytes(content[start + 3 : start + 5], "big")
        if kind in (2, 5):
            places = [int.from_bytes(content[start + 12 + 2 * i : start + 14 + 2 * i], "big") for i in range(cells)]
            todo += [int.from_bytes(content[start + p : start + p + 4], "big") for p in places]
            todo.append(int.from_bytes(content[start + 8 : start + 12], "big"))
    return sorted((page - 1) * size for page in pages)


@given(data=st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_flipped_bit_anywhere_in_the_ledger_s_pages_is_found_unless_it_changes_nothing(
    written: Path, home: Path, data: Any
) -> None:
    file, pages = database(home), pages_of_the_ledger(database(written))
    whole = bytearray(database(written).read_bytes())
    place = data.draw(st.sampled_from(pages)) + data.draw(st.integers(0, 4095))
    whole[place] ^= 1 << data.draw(st.integers(0, 7))
    for leftover in file.parent.glob("city.sqlite-*"):
        leftover.unlink()
    file.write_bytes(whole)
    same = contents(file) == contents(database(written))
    report = verify(home)
    assert same or not report.sound, f"byte {place} of the file"
