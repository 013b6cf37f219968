"""Names: the same file names in every component, plain nouns, and one name for folder, table, address and tests."""

import re
from pathlib import Path

import pytest

from tests.laws.sources import PACKAGE, ROOT, component_folders, python_files, shown, tracked

MODULES = {
    "__init__",
    "api",
    "contracts",
    "events",
    "kinds",
    "models",
    "ports",
    "rules",
    "store",
    "service",
    "endpoints",
    "tasks",
    "errors",
    "settings",
}
VAGUE = re.compile(r"(^|_)(utils?|helpers?|commons?|managers?|misc|stuff)($|_)")

components = pytest.mark.parametrize("folder", component_folders(), ids=lambda f: f"{f.parent.name}.{f.name}")


def test_nothing_is_called_utils_helpers_common_or_manager() -> None:
    vague = [shown(f) for f in tracked() if any(VAGUE.search(part) for part in (f.stem.lower(), *f.relative_to(ROOT).parts[:-1]))]
    assert vague == []


def test_every_folder_with_python_files_is_a_package() -> None:
    folders = {file.parent for file in python_files("src", "tools", "bench", "tests")} - {ROOT / "src"}
    assert sorted(shown(folder) for folder in folders if not (folder / "__init__.py").is_file()) == []


@components
def test_a_component_has_only_the_files_that_every_reader_knows(folder: Path) -> None:
    unknown = [file.name for file in folder.glob("*.py") if file.stem not in MODULES and not (folder / file.stem).is_dir()]
    assert unknown == [], "split a known file into a package of its name, or put it into a folder with a name of its own"


@components
def test_a_component_has_tests_in_the_folder_of_its_name(folder: Path) -> None:
    tests = ROOT / "tests" / folder.parent.name / folder.name
    assert list(tests.glob("test_*.py")) or list((folder / "tests").glob("test_*.py")), f"no tests in {shown(tests)}"


@components
def test_a_component_owns_the_tables_with_its_prefix(folder: Path) -> None:
    for file in sorted(folder.glob("migrations/*.sql")):
        assert re.fullmatch(r"\d{4}_[a-z0-9_]+\.sql", file.name)
        tables = re.findall(r"CREATE TABLE (?:IF NOT EXISTS )?(\w+)", file.read_text("utf-8"), re.IGNORECASE)
        assert [table for table in tables if not table.startswith(f"{folder.name}_")] == []


@components
def test_a_component_answers_at_the_address_of_its_name(folder: Path) -> None:
    sources = [*folder.glob("endpoints.py"), *folder.glob("endpoints/*.py")]
    prefixes = {
        prefix for file in sources for prefix in re.findall(r"APIRouter\([^)]*prefix=\"([^\"]+)\"", file.read_text("utf-8"))
    }
    assert {p for p in prefixes if not f"{p}/".startswith(f"/api/v1/{folder.parent.name}/{folder.name}/")} == set()


def test_there_are_components_to_look_at() -> None:
    assert len(component_folders()) > 5
    assert (PACKAGE / "kernel").is_dir()
