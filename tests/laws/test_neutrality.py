"""The code names no city, and the repository names no package registry and no machine it was written on."""

import re
from pathlib import Path

from tests.laws.sources import ROOT, shown, tracked

CITY = re.compile(r"guang.?zhou|canton\b|廣州|广州|穗|\bgz[-_]|\b4401\d\d\b", re.IGNORECASE)
HOSTS = [
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("npmmirror", "com"),
        ("yarnpkg", "com"),
    )
]
MACHINE = re.compile(r"(?<![\w.])/(?:wo" + r"rk|ro" + r"ot|ho" + r"me/\w+)/")


def offences(files: list[Path], pattern: re.Pattern[str]) -> list[str]:
    """Each line of the files that the pattern finds, as `file:line: text`."""
    found = []
    for file in files:
        text = file.read_bytes()
        if b"\0" in text[:1000]:
            continue
        for number, line in enumerate(text.decode("utf-8", "replace").splitlines(), 1):
            if match := pattern.search(line):
                found.append(f"{shown(file)}:{number}: …{line[max(0, match.start() - 30) : match.end() + 30]}…")
    return found


def test_nothing_in_the_source_names_a_city() -> None:
    sources = [file for file in tracked() if file.is_relative_to(ROOT / "src") or file.is_relative_to(ROOT / "web" / "src")]
    assert offences(sources, CITY) == []
    assert [shown(file) for file in sources if CITY.search(shown(file))] == []


def test_the_repository_names_no_package_registry() -> None:
    assert offences(list(tracked()), re.compile("|".join(map(re.escape, HOSTS)))) == []


def test_the_repository_names_no_machine() -> None:
    assert offences([file for file in tracked() if file.suffix not in {".csv", ".svg"}], MACHINE) == []


def test_the_scan_would_find_a_city() -> None:
    for text in ("Guangzhou", "广州市", "gz-ecology", "code 440106", "GUANG_ZHOU"):
        assert CITY.search(text)
    for text in ("a gzip file", "44010", "longz-x"):
        assert not CITY.search(text)
