"""Databases and interfaces as sources: paging of every kind, watermarks, secrets, and hosts that may be reached."""

import json
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from mumian.elements.collection import store
from mumian.kernel.errors import Invalid
from mumian.kernel.platform import Platform
from tests.elements.collection.conftest import Answer, Server, connect, held, inbox, run

Serve = Callable[[Answer], Server]


def database(path: Path, *rows: tuple[Any, ...]) -> None:
    """A database of shops, or more rows for it; a row of the same key is replaced."""
    with sqlite3.connect(path) as con:
        con.execute("CREATE TABLE IF NOT EXISTS shop (编号 INTEGER PRIMARY KEY, name TEXT, changed TIMESTAMP)")
        con.executemany("INSERT OR REPLACE INTO shop VALUES (?, ?, ?)", rows)
    con.close()


def at(day: int, hour: int = 0) -> str:
    return f"2024-01-{day:02} {hour:02}:00:00.000000"


async def test_changed_rows_of_a_database_are_brought_by_watermark_without_doubles_or_gaps(town: Platform) -> None:
    path = inbox(town) / "shops.db"
    database(path, *((i, f"s{i}", at(1 + i // 10)) for i in range(95)))
    source = {"kind": "sql", "address": "sqlite:///shops.db", "table": "shop", "page": 20}
    await connect(town, "shops-sql", source=source, mode="upsert", watermark="changed")
    first = await run(town, "shops-sql")
    assert (first.state, first.read, first.total, first.watermark) == ("done", 95, 95, "time:2024-01-10T00:00:00"), first.error
    assert len(await held(town)) == 95
    # A row of the very instant of the mark that was committed late, a changed one, and a new one.
    database(path, (100, "late", at(10)), (3, "changed", at(11)), (101, "new", at(12)))
    second = await run(town, "shops-sql")
    assert (second.read, second.watermark) == (8, "time:2024-01-12T00:00:00")
    rows = dict(await held(town))
    assert (len(rows), rows[3], rows[100], rows[101]) == (97, "changed", "late", "new")
    again = await run(town, "shops-sql", everything=True)
    assert (again.read, len(await held(town))) == (97, 97)


async def test_a_query_is_read_whole_and_nothing_else_than_a_select_is_declared(town: Platform) -> None:
    database(inbox(town) / "shops.db", (1, "a", at(1)), (2, "b:c", at(1)))
    source = {"kind": "sql", "address": "sqlite:///shops.db", "query": "SELECT 编号, name FROM shop WHERE name LIKE '%:%'"}
    await connect(town, "shops-sql", source=source)
    done = await run(town, "shops-sql")
    assert (done.state, await held(town)) == ("done", [(2, "b:c")]), done.error
    for query in ("DELETE FROM shop", "SELECT 1; DROP TABLE shop", "WITH d AS (DELETE FROM shop RETURNING *) SELECT * FROM d"):
        with pytest.raises(Invalid, match="SELECT"):
            await connect(town, "bad", source={**source, "query": query})
    with pytest.raises(Invalid, match="password"):
        await connect(town, "bad", source={"kind": "sql", "address": "postgresql://a:b@db/x", "table": "t"})
    for address in ("sqlite:////etc/passwd", "sqlite:///../../x.db"):
        await connect(town, "bad", source={"kind": "sql", "address": address, "table": "t"})
        done = await run(town, "bad")
        assert (done.state, done.error["faults"][0]["key"] if done.error else "") == ("failed", "collection.outside")


async def test_postgresql_is_read_only_and_its_types_are_kept(town: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    dsn = os.environ.get("MUMIAN_TEST_POSTGRESQL")
    if not dsn:
        pytest.skip("MUMIAN_TEST_POSTGRESQL names no server")
    import psycopg

    table = f"collection_shop_{os.getpid()}"
    with psycopg.connect(dsn, autocommit=True) as con:
        con.execute(f"CREATE TABLE {table} (编号 bigint PRIMARY KEY, name text, since date, changed timestamptz, note jsonb)")
        try:
            con.execute(f"INSERT INTO {table} VALUES (1, '甲', '2024-01-02', '2024-01-02T08:00:00+08', '{{}}')")
            monkeypatch.setenv("MUMIAN_SECRET_SHOPS", dsn)
            await connect(town, "shops-pg", source={"kind": "sql", "secret": "SHOPS", "table": f"public.{table}"})
            done = await run(town, "shops-pg")
            assert done.state == "done", done.error
            wanted = '"编号", name, CAST(since AS VARCHAR), CAST(changed AS VARCHAR)'
            assert await held(town, wanted) == [(1, "甲", "2024-01-02", "2024-01-02 00:00:00")]
            query = f"SELECT * FROM {table} WHERE pg_sleep(0) IS NULL OR nextval('nothing') > 0"
            await connect(town, "shops-pg", source={"kind": "sql", "secret": "SHOPS", "query": query})
            assert (await run(town, "shops-pg")).state == "failed"
        finally:
            con.execute(f"DROP TABLE {table}")


SHOPS = [{"编号": i, "name": f"s{i}"} for i in range(1, 8)]


def paged(path: str, query: dict[str, str], headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
    """Three shops a page, in every way in which interfaces page."""
    size, start = 3, 0
    if path == "/page":
        start = (int(query["page"]) - 1) * size
    elif path in ("/offset", "/cursor", "/link", "/next"):
        start = int(query.get("at", "0"))
    part, more = SHOPS[start : start + size], start + size < len(SHOPS)
    body: dict[str, Any] = {"data": {"rows": part}, "total": len(SHOPS)}
    answer: dict[str, str] = {"Content-Type": "application/json"}
    if path == "/cursor":
        body["next"] = str(start + size) if more else None
    if path == "/next" and more:
        body["next"] = f"/next?at={start + size}"
    if path == "/link" and more:
        answer["Link"] = f'</link?at=0>; rel="first", </link?at={start + size}>; rel="next"'
    return 200, answer, json.dumps(body).encode()


async def test_pages_follow_by_number_offset_cursor_link_and_next_address(town: Platform, serve: Serve) -> None:
    server = serve(paged)
    for by, more in {
        "page": {"parameter": "page", "size_parameter": "n", "size": 3},
        "offset": {"parameter": "at", "size": 3},
        "cursor": {"parameter": "at", "at": "next"},
        "link": {},
        "next": {"at": "next"},
    }.items():
        paging = {"by": by, "total": "total", **more}
        reading = {"format": "json", "rows": "data.rows"}
        source = {"kind": "http", "url": f"{server.url}/{by}", "paging": paging, "reading": reading}
        await connect(town, f"shops-{by}", source=source)
        done = await run(town, f"shops-{by}")
        assert (by, done.state, done.read, done.total) == (by, "done", 7, 7), done.error
        assert await held(town) == [(each["编号"], each["name"]) for each in SHOPS]


async def test_secrets_go_to_the_declared_host_only_and_are_never_declared(
    town: Platform, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = serve(lambda path, query, headers: (200, {}, json.dumps(SHOPS).encode()))
    first = serve(
        lambda path, query, headers: (302, {"Location": other.url + "/x"}, b"") if path == "/away" else (200, {}, b"[]")
    )
    monkeypatch.setenv("MUMIAN_SECRET_KEY", "s3cret")
    for by in ("bearer", "basic", "header", "query"):
        source = {"kind": "http", "url": f"{first.url}/away?a=1", "auth": {"by": by, "secret": "KEY"}}
        await connect(town, "shops-http", source=source)
        done = await run(town, "shops-http")
        assert (done.state, done.read) == ("done", 7), done.error
        told = json.dumps(first.asked[-1]) + json.dumps(other.asked[-1])
        assert ("s3cret" in json.dumps(first.asked[-1])) or by == "basic"
        assert "s3cret" not in json.dumps(other.asked[-1])
        assert first.asked[-1][1]["a"] == "1", told
    row = await town.records.read(lambda s: s.rows("SELECT * FROM collection_run"))
    assert "s3cret" not in json.dumps(row)
    await connect(town, "shops-http", source={**source, "auth": {"by": "bearer", "secret": "NONE"}})
    done = await run(town, "shops-http")
    assert (done.state, done.error["key"] if done.error else "") == ("failed", "collection.no_secret")


async def test_hosts_that_are_not_named_are_not_reached_however_they_are_written(
    town: Platform, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = serve(lambda path, query, headers: (200, {}, b'[{"name": "secret"}]'))
    port = urlsplit(inner.url).port
    away = serve(lambda path, query, headers: (302, {"Location": f"http://localhost:{port}/"}, b""))
    runner = town.jobs
    settings = next(job.settings for job in runner if hasattr(job, "settings") and hasattr(job.settings, "hosts"))
    monkeypatch.setattr(settings, "hosts", [f"127.0.0.1:{urlsplit(away.url).port}", "example.org", "localhost"])
    for url in (
        f"http://127.0.0.1:{port}/",
        f"http://localhost:{port}/",
        f"http://2130706433:{port}/",
        f"http://[::ffff:127.0.0.1]:{port}/",
        f"http://0.0.0.0:{port}/",
        "http://169.254.169.254/latest/meta-data",
        f"{away.url}/",
    ):
        await connect(town, "shops-http", source={"kind": "http", "url": url})
        done = await run(town, "shops-http")
        assert (url, done.state, done.error["key"] if done.error else "") == (url, "failed", "collection.host")
    assert inner.asked == []


async def test_a_source_that_fails_for_the_moment_is_asked_again_and_one_that_goes_in_circles_is_not(
    town: Platform, serve: Serve
) -> None:
    left = [503]

    def shaky(path: str, query: dict[str, str], headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        if path == "/circle":
            return 200, {}, json.dumps({"rows": SHOPS, "next": "/circle"}).encode()
        return (left.pop(), {"Retry-After": "0"}, b"") if left else (200, {}, json.dumps(SHOPS).encode())

    server = serve(shaky)
    await connect(town, "shops-http", source={"kind": "http", "url": f"{server.url}/shaky"})
    assert (await run(town, "shops-http")).state == "done"
    paging, reading = {"by": "next", "at": "next"}, {"format": "json", "rows": "rows"}
    await connect(town, "circle", source={"kind": "http", "url": f"{server.url}/circle", "paging": paging, "reading": reading})
    done = await run(town, "circle")
    assert (done.state, done.error["key"] if done.error else "") == ("failed", "collection.source_failed")


async def test_what_is_new_since_the_watermark_is_asked_of_an_interface(town: Platform, serve: Serve) -> None:
    rows = [{"编号": i, "name": "a", "changed": f"2024-01-0{i}T00:00:00Z"} for i in (1, 3, 2)]

    def since(path: str, query: dict[str, str], headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        return 200, {}, json.dumps([row for row in rows if str(row["changed"]) >= query.get("since", "")]).encode()

    server = serve(since)
    source = {"kind": "http", "url": f"{server.url}/shops", "since": "since"}
    await connect(town, "shops-http", source=source, mode="upsert", watermark="changed")
    assert (await run(town, "shops-http")).read == 3
    rows.append({"编号": 4, "name": "b", "changed": "2024-01-04T00:00:00Z"})
    done = await run(town, "shops-http")
    assert (done.read, server.asked[-1][1]) == (2, {"since": "2024-01-03T00:00:00Z"})
    assert len(await held(town)) == 4
    kept = await town.records.read(lambda s: store.watermark(s, "shops-http"))
    assert kept == "text:2024-01-04T00:00:00Z"
