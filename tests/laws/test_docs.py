"""The documents keep what they promise: links lead somewhere, settings are all there, records of decisions are short."""

import re
from pathlib import Path

import pytest

from tests.laws.sources import ROOT, shown, tracked
from tools.settings_page import PAGE, page

PAGES = [file for file in tracked() if file.suffix == ".md"]
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))


@pytest.mark.parametrize("file", PAGES, ids=shown)
def test_every_link_leads_to_something_that_exists(file: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", file.read_text("utf-8"))
    assert [link for link in links if "://" not in link and not (file.parent / link).exists()] == []


def test_every_setting_is_documented() -> None:
    assert PAGE.read_text("utf-8") == page(), "run: python -m tools.settings_page"


def test_the_readmes_show_the_same_commands() -> None:
    english, chinese = ((ROOT / name).read_text("utf-8") for name in ("README.md", "README.zh.md"))
    commands = re.compile(r"`(\./run [^`]+)`|^(\./run \w+)", re.MULTILINE)
    said = [[a.split(" FILE")[0].split(" 文件")[0] or b for a, b in commands.findall(text)] for text in (english, chinese)]
    assert said[0] == said[1]
    assert len(said[0]) > 8


def test_every_command_in_the_readme_exists() -> None:
    from mumian.cli import app

    for command in re.findall(r"(?:\./run|mumian) ([a-z]+)", (ROOT / "README.md").read_text("utf-8")):
        assert command in {"test", "setup"} or app[command]


@pytest.mark.parametrize("file", DECISIONS, ids=lambda f: f.stem)
def test_a_record_of_a_decision_is_short_and_whole(file: Path) -> None:
    text = file.read_text("utf-8")
    assert len(text.splitlines()) <= 50
    assert re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", file.name)
    for part in ("Context", "Decision", "Consequences", "Alternatives", "References"):
        assert f"## {part}\n" in text


def test_decisions_are_numbered_without_a_gap() -> None:
    assert [int(file.name[:4]) for file in DECISIONS] == list(range(1, len(DECISIONS) + 1))


def test_the_changelog_opens_each_version_with_a_sentence() -> None:
    versions = (ROOT / "CHANGELOG.md").read_text("utf-8").split("\n## ")[1:]
    assert versions
    for version in versions:
        assert version.split("\n\n")[1].strip()[-1] == "."


def test_the_licence_is_apache_2() -> None:
    text = (ROOT / "LICENSE").read_text("utf-8")
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text
