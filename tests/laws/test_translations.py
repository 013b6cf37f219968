"""Everything a person reads is there in Chinese and in English, with the same values to fill in."""

import ast
from pathlib import Path
from string import Formatter

import pytest
import yaml

from mumian.kernel.i18n import catalogue
from tests.laws.sources import PACKAGE, python_files, shown, tree

FILES = sorted(PACKAGE.rglob("i18n.yaml"))
KEYED = {"Fault": 1, "field": 1, "text": 0}


def placeholders(text: str) -> set[str]:
    """The names in braces."""
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("file", FILES, ids=lambda f: shown(f.parent))
def test_every_text_is_in_both_languages_with_the_same_values(file: Path) -> None:
    for key, texts in (yaml.safe_load(file.read_text("utf-8")) or {}).items():
        assert set(texts) == {"zh", "en"}, key
        assert all(isinstance(text, str) and text.strip() for text in texts.values()), key
        assert placeholders(texts["zh"]) == placeholders(texts["en"]), key


def test_no_key_is_given_twice() -> None:
    keys = [key for file in FILES for key in yaml.safe_load(file.read_text("utf-8")) or {}]
    assert sorted(key for key in set(keys) if keys.count(key) > 1) == []


def used_keys(file: Path) -> list[tuple[str, int]]:
    """The translation keys that a file writes down: `key = "…"` of an error class, `Fault(field, "…")`, `.field(field, "…")`."""
    found = []
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.ClassDef):
            found += [(value, line) for name, value, line in _texts(node) if name == "key"]
        elif isinstance(node, ast.Call):
            name = getattr(node.func, "id", None) or getattr(node.func, "attr", "")
            position = KEYED.get(name, 99)
            if (
                position < len(node.args)
                and isinstance(argument := node.args[position], ast.Constant)
                and isinstance(argument.value, str)
            ):
                found.append((argument.value, node.lineno))
    return [(key, line) for key, line in found if "." in key]


def _texts(node: ast.ClassDef) -> list[tuple[str, str, int]]:
    return [
        (target.id, statement.value.value, statement.lineno)
        for statement in node.body
        if isinstance(statement, ast.Assign | ast.AnnAssign)
        for target in (statement.targets if isinstance(statement, ast.Assign) else [statement.target])
        if isinstance(target, ast.Name) and isinstance(statement.value, ast.Constant) and isinstance(statement.value.value, str)
    ]


def test_every_key_that_the_code_uses_has_a_text() -> None:
    known = catalogue()
    missing = [f"{shown(f)}:{line}: {key}" for f in python_files("src") for key, line in used_keys(f) if key not in known]
    assert missing == []


def test_the_scan_finds_the_keys_of_the_kernel() -> None:
    assert "error.not_found" in {key for key, _ in used_keys(PACKAGE / "kernel" / "errors.py")}


def test_every_event_is_told_in_words_on_the_screens() -> None:
    emitted = {
        value
        for file in python_files("src")
        for node in ast.walk(tree(file))
        if isinstance(node, ast.ClassDef)
        for name, value, _ in _texts(node)
        if name == "type" and "." in value
    }
    words = (PACKAGE.parent.parent / "web" / "src" / "i18n" / "events.ts").read_text("utf-8")
    assert len(emitted) > 100
    assert sorted(type_ for type_ in emitted if f'"{type_}": {{ zh: "' not in words) == []
