"""The tools that read the code agree with it: ruff (with complexity at most 10), its formatter, and mypy in strict mode."""

import subprocess
import sys
import tomllib

from tests.laws.sources import ROOT

SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]


def complaints(*command: str) -> str:
    """What a tool prints when it is not content; empty when it is."""
    run = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False)
    return "" if run.returncode == 0 else run.stdout + run.stderr


def test_ruff_has_nothing_to_say() -> None:
    assert complaints("ruff", "check", "--output-format", "concise", "--no-cache", ".") == ""


def test_every_file_is_formatted() -> None:
    assert complaints("ruff", "format", "--check", "--no-cache", "--output-format", "concise", ".") == ""


def test_everything_is_typed_strictly() -> None:
    assert complaints("mypy") == ""


def test_the_tools_are_set_to_the_budgets() -> None:
    assert SETTINGS["mypy"]["strict"] is True
    assert SETTINGS["ruff"]["lint"]["mccabe"]["max-complexity"] == 10
    assert "C90" in SETTINGS["ruff"]["lint"]["select"]
