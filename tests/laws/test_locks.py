"""The lock files: every package pinned and hashed, the development lock the same versions and more, both up to date."""

import re
import tomllib

from tests.laws.sources import ROOT


def pins(name: str) -> dict[str, str]:
    """Package and marker → version, from a lock file."""
    text = (ROOT / name).read_text("utf-8")
    return {
        f"{p}{marker}": version for p, version, marker in re.findall(r"^([\w.-]+)==(\S+)((?: ;[^\\\n]+)?)", text, re.MULTILINE)
    }


def test_every_package_is_hashed() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        entries = re.split(r"\n(?=[\w.-]+==)", (ROOT / name).read_text("utf-8"))
        assert [entry.split("==")[0] for entry in entries if "==" in entry and "--hash=sha256:" not in entry] == []


def test_the_development_lock_holds_the_same_versions_and_more() -> None:
    runtime, development = pins("requirements.lock"), pins("requirements-dev.lock")
    assert {package for package in runtime if development.get(package) != runtime[package]} == set()
    assert len(development) > len(runtime)


def test_every_declared_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    declared = {re.split(r"[\[<>=!~; ]", text)[0].lower() for text in project["dependencies"]}
    locked = {package.split(" ;")[0] for package in pins("requirements.lock")}
    assert declared - locked == set()
