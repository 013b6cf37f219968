"""The objects port, on every engine."""

import os
import threading
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mumian.foundation.storage.contracts import Objects
from mumian.foundation.storage.objects.opening import open_objects
from mumian.foundation.storage.objects.rules import check_key
from mumian.kernel.errors import Invalid, NotFound

BAD_KEYS = ["", "/", "/a", "a/", "a//b", "..", "a/../b", ".", "a\\b", "a\0b", "a\nb", "~a", "a ", "x" * 201, "a*", "中" * 300]


@pytest.fixture(scope="session")
def bucket() -> Iterator[str]:
    """The address of an S3 server of our own, with a bucket named `city`."""
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
    boto3.client("s3", endpoint_url=address, **keys).create_bucket(Bucket="city")
    yield address
    server.stop()


@pytest.fixture(params=["folder", "s3"])
def objects(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Objects:
    if request.param == "folder":
        return open_objects("local", tmp_path)
    environment = {"ENDPOINT_URL": request.getfixturevalue("bucket"), "ACCESS_KEY_ID": "test", "SECRET_ACCESS_KEY": "test"}
    for name, value in {**environment, "REGION": "us-east-1"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    return open_objects(f"s3://city/{sha256(str(tmp_path).encode()).hexdigest()[:12]}", tmp_path)


def test_what_is_put_can_be_read(objects: Objects) -> None:
    info = objects.put("reports/2014/天河 区.pdf", b"content")
    assert objects.get("reports/2014/天河 区.pdf") == b"content"
    assert (info.key, info.size, info.etag) == ("reports/2014/天河 区.pdf", 7, sha256(b"content").hexdigest())
    found = objects.stat("reports/2014/天河 区.pdf")
    assert (found.size, found.etag) == (info.size, info.etag)
    assert found.modified.tzinfo is not None


def test_putting_again_replaces(objects: Objects) -> None:
    objects.put("a", b"old")
    objects.put("a", b"newer")
    assert objects.get("a") == b"newer"
    assert objects.stat("a").size == 5
    assert objects.list() == ["a"]


def test_an_empty_object_is_an_object(objects: Objects) -> None:
    objects.put("empty", b"")
    assert objects.get("empty") == b""
    assert objects.exists("empty")


def test_what_is_absent_is_not_found(objects: Objects) -> None:
    objects.put("a/b", b"x")
    for key in ("nothing", "a", "a/b/c"):
        assert not objects.exists(key)
        with pytest.raises(NotFound):
            objects.get(key)
        with pytest.raises(NotFound):
            objects.stat(key)


def test_keys_are_listed_in_order_by_prefix(objects: Objects) -> None:
    keys = ["b", "a/2", "a/10", "ab", "a", "a/c/d"]
    for key in keys:
        objects.put(key, key.encode())
    assert objects.list() == sorted(keys)
    assert objects.list("a/") == ["a/10", "a/2", "a/c/d"]
    assert objects.list("a/1") == ["a/10"]
    assert objects.list("none") == []


def test_a_key_and_keys_below_it_stand_side_by_side(objects: Objects) -> None:
    objects.put("a", b"1")
    objects.put("a/b", b"2")
    assert (objects.get("a"), objects.get("a/b")) == (b"1", b"2")
    objects.delete("a")
    assert objects.list() == ["a/b"]


def test_deleting_twice_is_no_error(objects: Objects) -> None:
    objects.put("a/b", b"x")
    objects.delete("a/b")
    objects.delete("a/b")
    assert not objects.exists("a/b")
    assert objects.list() == []


@pytest.mark.parametrize("key", BAD_KEYS)
def test_a_bad_key_is_refused_by_every_operation(objects: Objects, key: str) -> None:
    operations = (objects.get, objects.stat, objects.exists, objects.delete, lambda k: objects.put(k, b""))
    for operation in operations:
        with pytest.raises(Invalid):
            operation(key)
    assert objects.list() == []


def test_a_reader_never_sees_a_part(objects: Objects) -> None:
    versions = [bytes([i]) * 200_000 for i in range(4)]
    objects.put("a", versions[0])
    seen: list[bytes] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            seen.append(objects.get("a"))

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(5):
        for version in versions:
            objects.put("a", version)
    stop.set()
    reader.join()
    assert set(seen) <= set(versions)


@settings(max_examples=300)
@given(st.text(max_size=40))
def test_no_accepted_key_can_leave_the_folder(tmp_path_factory: pytest.TempPathFactory, key: str) -> None:
    try:
        check_key(key)
    except Invalid:
        return
    root = Path("/store")
    assert (root / key).resolve().is_relative_to(root)
    assert (root / key).resolve() != root


def test_a_folder_forgets_what_a_crash_left_half_written(tmp_path: Path) -> None:
    objects = open_objects("local", tmp_path)
    objects.put("a", b"x")
    torn, young = (tmp_path / "objects" / "fresh" / name for name in ("torn", "young"))
    torn.write_bytes(b"half")
    os.utime(torn, (0, 0))
    young.write_bytes(b"another process is at work on it")
    assert open_objects("local", tmp_path).list() == ["a"]
    assert not torn.exists()
    assert young.exists()
