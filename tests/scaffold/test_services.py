"""A new service works at once, beside the others or as a project of its own, and the check finds what is broken."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mumian.kernel.errors import Conflict, Invalid
from mumian.scaffold.api import check, new_service
from tests.conftest import ROOT

COMMAND = "from mumian.cli import main; main()"


def run(folder: Path, *words: str, path: str = "src") -> "subprocess.CompletedProcess[str]":
    """Run Python words in a folder, with the package that lies there or here."""
    environment = {
        **os.environ,
        "PYTHONPATH": path,
        "PYTHONDONTWRITEBYTECODE": "1",
        "MUMIAN_HOME": str(folder / "home"),
        "LANG": "C",
    }
    return subprocess.run([sys.executable, *words], cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what a service needs of the checkout."""
    unwanted = shutil.ignore_patterns("__pycache__")
    for name in ("src", "cities"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=unwanted)
    (tmp_path / "tests" / "services").mkdir(parents=True)
    for name in ("__init__.py", "conftest.py"):
        shutil.copy(ROOT / "tests" / name, tmp_path / "tests" / name)
    (tmp_path / "tests" / "services" / "__init__.py").touch()
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_a_service_beside_the_others_passes_its_check_and_its_tests(checkout: Path) -> None:
    made = run(checkout, "-c", COMMAND, "new", "service", "street_noise")
    assert made.returncode == 0, made.stderr
    assert "./run check" in made.stdout
    checked = run(checkout, "-c", COMMAND, "check", "src/mumian/services/street_noise")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    tested = run(checkout, "-m", "pytest", "-q", "tests/services/street_noise")
    assert tested.returncode == 0, tested.stdout
    assert "2 passed" in tested.stdout


def test_a_service_as_a_project_of_its_own_passes_its_check_and_its_tests(tmp_path: Path) -> None:
    new_service("harbour", tmp_path)
    project = tmp_path / "harbour"
    assert check(project / "harbour") == []
    tested = run(project, "-m", "pytest", "-q", path=f"{project}{os.pathsep}{ROOT / 'src'}")
    assert tested.returncode == 0, tested.stdout
    assert "2 passed" in tested.stdout


def test_an_installed_project_is_found_by_its_entry_point(tmp_path: Path) -> None:
    new_service("harbour", tmp_path)
    project = tmp_path / "harbour"
    installed = project / "harbour-0.1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: harbour\nVersion: 0.1.0\n", "utf-8")
    (installed / "entry_points.txt").write_text("[mumian.services]\nharbour = harbour\n", "utf-8")
    found = "from mumian.kernel.discovery import components; print([c.package for c in components()][-1])"
    listed = run(project, "-c", found, path=f"{project}{os.pathsep}{ROOT / 'src'}")
    assert listed.stdout.strip() == "harbour", listed.stderr


def test_every_service_that_comes_with_mumian_is_in_order() -> None:
    assert [str(finding) for finding in check()] == []


@pytest.mark.parametrize("name", ["", "Noise", "2nd", "a-b", "class", "_x", "x" * 41, "../up", "噪声", "json", "numpy", "mumian"])
def test_a_name_that_is_no_plain_word_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(Invalid):
        new_service(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_written_over(tmp_path: Path) -> None:
    new_service("harbour", tmp_path)
    with pytest.raises(Conflict):
        new_service("harbour", tmp_path)


def edited(folder: Path, file: str, old: str, new: str) -> list[str]:
    """What the check finds after one edit of a new service, as keys."""
    new_service("harbour", folder)
    target = folder / "harbour" / "harbour" / file
    text = target.read_text("utf-8")
    assert old in text
    target.write_text(text.replace(old, new, 1), "utf-8")
    return [finding.fault.key for finding in check(folder / "harbour" / "harbour")]


@pytest.mark.parametrize(
    ("file", "old", "new", "key"),
    [
        ("service.yaml", "name: harbour", "name: port", "scaffold.name"),
        ("service.yaml", "board: governance", "board: leisure", "field.choice"),
        ("service.yaml", "board: governance", "", "field.missing"),
        ("service.yaml", "board: governance", "colour: red\nboard: governance", "field.unknown"),
        ("service.yaml", "owner: harbour-office", "owner: nobody", "field.reference"),
        ("service.yaml", "title: {", "title: {{", "field.syntax"),
        ("declarations/loop.yaml", "zh: harbour 小时均值", "zh: Hourly mean", "scaffold.not_chinese"),
        ("declarations/loop.yaml", "vital: harbour-level", "vital: harbour-depth", "field.reference"),
        ("declarations/loop.yaml", "theme: harbour", "themes: harbour", "field.unknown"),
        ("declarations/loop.yaml", "kind: Vital", "kind: Vitamin", "field.choice"),
    ],
)
def test_the_check_names_what_is_broken(file: str, old: str, new: str, key: str, tmp_path: Path) -> None:
    assert key in edited(tmp_path, file, old, new)


def test_the_check_says_where_in_both_languages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    edited(tmp_path, "service.yaml", "board: governance", "board: leisure")
    finding = check(tmp_path / "harbour" / "harbour")[0]
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert "service.yaml:3: board: 应为以下之一" in str(finding)
    monkeypatch.setenv("LC_ALL", "C")
    assert "service.yaml:3: board: must be one of" in str(finding)


@pytest.mark.parametrize(
    ("gone", "key"),
    [
        ("service.yaml", "scaffold.no_manifest"),
        ("__init__.py", "scaffold.no_package"),
        ("declarations", "scaffold.empty"),
        ("declarations/loop.yaml", "scaffold.no_declarations"),
        ("../tests/test_loop.py", "scaffold.no_test"),
    ],
)
def test_the_check_misses_what_is_not_there(gone: str, key: str, tmp_path: Path) -> None:
    new_service("harbour", tmp_path)
    target = tmp_path / "harbour" / "harbour" / gone
    shutil.rmtree(target) if target.is_dir() else target.unlink()
    assert key in [finding.fault.key for finding in check(tmp_path / "harbour" / "harbour")]
