"""The laws of imports hold here, and each of them breaks on a tree that disobeys it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import grimp
import pytest

from tests.laws.sources import PACKAGE, ROOT, shown

LINT = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True, no_logo=True))"

OBEDIENT = {
    "__init__.py": "",
    "cli.py": "from mumian import app, demo, scaffold",
    "demo/__init__.py": "from mumian import app",
    "scaffold/__init__.py": "from mumian import app",
    "app/__init__.py": "from mumian.services.lamps import api\nfrom mumian.kernel import clock",
    "services/__init__.py": "",
    "services/lamps/__init__.py": "",
    "services/lamps/api.py": "from mumian.brain.alarms import api",
    "services/bells/__init__.py": "",
    "services/bells/api.py": "from mumian.foundation.storage.api import store",
    "brain/__init__.py": "",
    "brain/alarms/__init__.py": "",
    "brain/alarms/api.py": "from mumian.brain.alarms import rules, store\nfrom mumian.elements.lists.contracts import Item",
    "brain/alarms/rules.py": "from mumian.brain.alarms.contracts import Alarm\nimport math",
    "brain/alarms/contracts.py": "Alarm = int",
    "brain/alarms/store.py": "import duckdb",
    "brain/alarms/service.py": "import duckdb",
    "brain/alarms/endpoints.py": "import fastapi",
    "brain/alarms/tasks.py": "",
    "mechanism/__init__.py": "",
    "mechanism/goals/__init__.py": "",
    "mechanism/goals/api.py": "from mumian.elements.lists import events",
    "elements/__init__.py": "",
    "elements/lists/__init__.py": "",
    "elements/lists/contracts.py": "Item = int",
    "elements/lists/events.py": "",
    "foundation/__init__.py": "",
    "foundation/storage/__init__.py": "",
    "foundation/storage/api.py": "from mumian.foundation.storage.files import store",
    "foundation/storage/files.py": "import httpx\nstore = 1",
    "kernel/__init__.py": "",
    "kernel/clock.py": "import time",
    "kernel/ids.py": "",
    "kernel/platform.py": "",
    "kernel/unit_of_work.py": "",
}

DISOBEDIENT = {
    "an area without a place": ("layers", "gossip/__init__.py", ""),
    "the kernel looks up": ("layers", "kernel/clock.py", "from mumian.foundation.storage import api"),
    "elements look up": ("layers", "elements/lists/contracts.py", "from mumian.brain.alarms import contracts"),
    "the brain knows the mechanism": ("layers", "brain/alarms/service.py", "from mumian.mechanism.goals import api"),
    "demo knows scaffold": ("layers", "demo/__init__.py", "from mumian import scaffold"),
    "services know each other": ("services", "services/lamps/api.py", "from mumian.services.bells import api"),
    "siblings in a circle": ("cycles", "elements/lists/contracts.py", "from mumian.elements.lists import events, circle"),
    "a store is reached from outside": ("facades", "services/lamps/api.py", "from mumian.brain.alarms import store"),
    "a subpackage is reached from outside": (
        "facades",
        "services/bells/api.py",
        "from mumian.foundation.storage.files import store",
    ),
    "a package itself is imported from outside": ("facades", "mechanism/goals/api.py", "import mumian.elements.lists"),
    "rules know their store": ("rules-reach", "brain/alarms/rules.py", "from mumian.brain.alarms import store"),
    "rules reach a database through a friend": ("rules-reach", "brain/alarms/contracts.py", "import duckdb"),
    "rules throw dice": ("rules-pure", "brain/alarms/rules.py", "import random"),
    "rules open a session": ("rules-pure", "brain/alarms/rules.py", "from mumian.kernel.unit_of_work import Session"),
}


def broken_contracts(folder: Path, root: Path) -> set[str]:
    """The ids of the contracts that are broken in the package `mumian` below `root`."""
    environment = {**os.environ, "PYTHONPATH": f"{root}{os.pathsep}{ROOT}", "COLUMNS": "200", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", LINT]
    run = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    names = dict(re.findall(r'^id = "([\w-]+)"\nname = "([^"]+)"', (folder / "pyproject.toml").read_text("utf-8"), re.MULTILINE))
    verdicts = {id_: re.search(rf"^{re.escape(name)} .*?(KEPT|BROKEN)", run.stdout, re.MULTILINE) for id_, name in names.items()}
    assert len(names) > 5
    assert all(verdicts.values()), run.stdout + run.stderr
    broken = {id_ for id_, verdict in verdicts.items() if verdict and verdict[1] == "BROKEN"}
    assert bool(broken) == bool(run.returncode), run.stdout
    if root == ROOT / "src":
        print(run.stdout)
    return broken


def toy(folder: Path, *changes: tuple[str, str]) -> Path:
    """A small package with our layers and contracts, after some changes."""
    for name, text in [*OBEDIENT.items(), *changes]:
        file = folder / "mumian" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    (folder / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text("utf-8"), "utf-8")
    return folder


def test_every_import_keeps_the_laws() -> None:
    assert broken_contracts(ROOT, ROOT / "src") == set()


def test_an_obedient_tree_breaks_nothing(tmp_path: Path) -> None:
    assert broken_contracts(toy(tmp_path), tmp_path) == set()


@pytest.mark.parametrize("case", DISOBEDIENT)
def test_a_disobedient_tree_breaks_its_law(case: str, tmp_path: Path) -> None:
    contract, file, text = DISOBEDIENT[case]
    circle = ("elements/lists/circle.py", "from mumian.elements.lists import contracts")
    assert contract in broken_contracts(toy(tmp_path, circle, (file, text)), tmp_path)


def test_the_linter_sees_every_file() -> None:
    seen = set(grimp.build_graph("mumian", cache_dir=None).modules)
    files = {
        ".".join(("mumian", *file.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__"): shown(file)
        for file in PACKAGE.rglob("*.py")
    }
    assert sorted(file for module, file in files.items() if module not in seen) == []
    assert sorted(seen - set(files)) == []


def test_no_contract_has_a_list_of_exceptions() -> None:
    settings = (ROOT / "pyproject.toml").read_text("utf-8")
    assert "ignore_imports" not in settings
    assert "exhaustive_ignores" not in settings
