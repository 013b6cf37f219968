"""An exported bundle is verified offline by a short script that imports nothing of ours, and no changed bundle passes."""

import ast
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mumian.foundation.ledger import rules
from mumian.foundation.ledger.api import Ledger
from mumian.kernel.errors import NotFound
from mumian.kernel.platform import Platform
from tests.foundation.ledger.conftest import happen
from tests.foundation.ledger.test_rules import FETCH, ROOTS
from tools import verify_ledger as script

SCRIPT = Path(__file__).resolve().parents[3] / "tools" / "verify_ledger.py"


def run(bundle: Any, folder: Path, keys: list[Path]) -> subprocess.CompletedProcess[str]:
    """The script as somebody far away would run it."""
    file = folder / "bundle.json"
    file.write_text(bundle if isinstance(bundle, str) else json.dumps(bundle), "utf-8")
    command = [sys.executable, "-I", str(SCRIPT), str(file), *map(str, keys)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def exported(city: Platform, log: Ledger) -> dict[str, Any]:
    """The evidence of entry 270 of 700, with the head at 200 before it."""
    happen(city, 200)
    log.sign_now()
    happen(city, 500)
    return json.loads(json.dumps(log.export_now(270)))


@pytest.fixture
def keys(log: Ledger, tmp_path: Path) -> list[Path]:
    """The city's public keys, as files."""
    files = []
    for key in log.public_keys():
        files.append(tmp_path / f"{key.algorithm}.pem")
        files[-1].write_text(key.pem)
    return files


def test_the_script_is_short_and_imports_only_python_and_cryptography() -> None:
    source = SCRIPT.read_text("utf-8")
    imported = {
        (node.module or "").split(".")[0] if isinstance(node, ast.ImportFrom) else node.names[0].name.split(".")[0]
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert len(source.splitlines()) <= 100
    assert imported <= set(sys.stdlib_module_names) | {"cryptography"}


def test_a_bundle_verifies_with_both_keys(exported: dict[str, Any], keys: list[Path], tmp_path: Path) -> None:
    done = run(exported, tmp_path, keys)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "entry 270 is in the tree of 700" in done.stdout
    assert "it continues tree 200" in done.stdout
    assert done.stdout.count("is signed by ed25519") == done.stdout.count("is signed by sm2-sm3") == 2
    assert "FAILED" not in done.stdout


def test_a_bundle_verifies_with_either_key_alone_but_not_without_a_key(
    exported: dict[str, Any], keys: list[Path], tmp_path: Path
) -> None:
    assert run(exported, tmp_path, keys[:1]).returncode == 0
    assert run(exported, tmp_path, keys[1:]).returncode == 0
    assert run(exported, tmp_path, []).returncode != 0


def changed(path: str, value: Callable[[Any], Any]) -> Callable[[dict[str, Any]], None]:
    """A change at a dotted path of the bundle."""

    def change(bundle: dict[str, Any]) -> None:
        *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
        place: Any = bundle
        for parent in parents:
            place = place[parent]
        place[last] = value(place[last])

    return change


def other_digit(text: str) -> str:
    """Hexadecimal text with one digit changed."""
    return ("1" if text[0] == "0" else "0") + text[1:]


CHANGES = {
    "body": changed("entry.body", lambda body: body.replace("test.happened", "test.happenee")),
    "number": changed("entry.body", lambda body: body.replace('"seq":270', '"seq":271')),
    "payload": changed("payload", lambda payload: payload.replace('"number":70', '"number":71')),
    "path": changed("path.3", other_digit),
    "shorter path": changed("path", lambda path: path[:-1]),
    "longer path": changed("path", lambda path: [*path, "00" * 32]),
    "root": changed("head.root", other_digit),
    "size": changed("head.size", lambda size: size + 1),
    "time": changed("head.time", lambda time: time.replace("2014", "2013")),
    "ed25519 signature": changed("head.signatures.0.value", lambda value: "AAAA" + value[4:]),
    "sm2 signature": changed(
        "head.signatures.1.value", lambda value: value[:20] + ("A" if value[20] != "A" else "B") + value[21:]
    ),
    "no signatures": changed("head.signatures", lambda _: []),
    "earlier root": changed("earlier.root", other_digit),
    "earlier size": changed("earlier.size", lambda size: size - 1),
    "earlier size of nothing": changed("earlier.size", lambda _: 0),
    "earlier path": changed("earlier_path.0", other_digit),
    "no earlier path": changed("earlier_path", lambda _: []),
    "earlier signature": changed("earlier.signatures.0.value", lambda value: "AAAA" + value[4:]),
    "words for numbers": changed("head.size", lambda _: "seven"),
    "nothing for a head": changed("head", lambda _: None),
}


@pytest.mark.parametrize("what", CHANGES)
def test_no_changed_bundle_passes(what: str, exported: dict[str, Any], keys: list[Path], tmp_path: Path) -> None:
    CHANGES[what](exported)
    done = run(exported, tmp_path, keys)
    assert done.returncode != 0
    assert "FAILED" in done.stdout + done.stderr


def test_the_keys_of_another_city_do_not_verify_a_bundle(exported: dict[str, Any], tmp_path: Path) -> None:
    from mumian.foundation.cryptography.api import open_cryptography

    for key in open_cryptography(tmp_path / "elsewhere").public_keys():
        file = tmp_path / "other.pem"
        file.write_text(key.pem)
        assert run(exported, tmp_path, [file]).returncode != 0


def test_a_file_that_is_no_bundle_fails_without_a_traceback(keys: list[Path], tmp_path: Path) -> None:
    for text in ("{}", "[]", "null", "no json"):
        done = run(text, tmp_path, keys)
        assert done.returncode != 0
        assert "Traceback" not in done.stderr


def test_the_evidence_of_what_is_not_there_is_not_exported(log: Ledger, city: Platform) -> None:
    happen(city, 3)
    for index in (3, 10_000, -1):
        with pytest.raises(NotFound):
            log.export_now(index)


def test_every_entry_of_a_small_log_is_exported_and_verified(city: Platform, log: Ledger) -> None:
    happen(city, 9)
    log.sign_now()
    happen(city, 8)
    for index in range(17):
        bundle = json.loads(json.dumps(log.export_now(index, since=9)))
        results = list(script.checks(bundle, []))
        assert all(true for _, true in results), results
        assert bundle["earlier"]["size"] == 9


@given(first=st.integers(1, 40), second=st.integers(1, 40))
@settings(max_examples=200, deadline=None)
def test_the_script_agrees_with_the_rules_on_consistency(first: int, second: int) -> None:
    path = [step.hex() for step in rules.consistency(FETCH, min(first, second), second)]
    heads = [{"size": size, "root": ROOTS[size].hex()} for size in (first, second)]
    assert script.continues(heads[0], heads[1], path) == (first < second)
