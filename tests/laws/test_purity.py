"""Rules decide from what they are given: they ask no clock, even one that no import betrays, and nothing logs a secret."""

import ast
from pathlib import Path

import pytest

from tests.laws.sources import component_folders, python_files, shown, tree

IMPURE_CALLS = {"now", "today", "utcnow", "open", "read_text", "write_text", "read_bytes", "write_bytes", "print", "input"}
SECRETS = ("password", "secret", "private_key", "cookie")


def rules_files() -> list[Path]:
    """The files that hold the rules of a component."""
    return [
        file for folder in component_folders() for pattern in ("rules.py", "rules/*.py") for file in sorted(folder.glob(pattern))
    ]


def called(node: ast.AST) -> str:
    """The last name of what a call calls, or nothing."""
    if not isinstance(node, ast.Call):
        return ""
    return getattr(node.func, "id", None) or getattr(node.func, "attr", "")


@pytest.mark.parametrize("file", rules_files(), ids=lambda f: f"{f.parent.parent.name}.{f.parent.name}")
def test_rules_ask_no_clock_and_touch_no_file(file: Path) -> None:
    assert [f"{node.lineno}: {called(node)}()" for node in ast.walk(tree(file)) if called(node) in IMPURE_CALLS] == []  # type: ignore[attr-defined]


@pytest.mark.parametrize("file", rules_files(), ids=lambda f: f"{f.parent.parent.name}.{f.parent.name}")
def test_rules_are_not_asynchronous(file: Path) -> None:
    assert not any(isinstance(node, ast.AsyncFunctionDef | ast.Await) for node in ast.walk(tree(file)))


def test_no_secret_is_logged() -> None:
    logged = []
    for file in python_files("src"):
        for node in ast.walk(tree(file)):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and "log" in ast.unparse(node.func.value).lower()
            ):
                names = [name for argument in node.args[1:] for name in _names(argument)]
                logged += [
                    f"{shown(file)}:{node.lineno}: {name}" for name in names if any(word in name.lower() for word in SECRETS)
                ]
    assert logged == []


def _names(node: ast.AST) -> list[str]:
    return [
        child.id if isinstance(child, ast.Name) else child.attr
        for child in ast.walk(node)
        if isinstance(child, ast.Name | ast.Attribute)
    ]
