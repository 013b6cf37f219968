"""The files that the laws look at."""

import ast
import os
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGE = ROOT / "src" / "mumian"
AREAS = ("foundation", "elements", "brain", "mechanism", "services")


@cache
def tracked() -> tuple[Path, ...]:
    """Every file of the repository: all that lie here but what `.gitignore` leaves out."""
    ignored = (ROOT / ".gitignore").read_text("utf-8").split()
    folders = {".git"} | {name.strip("/").split("/")[-1] for name in ignored if name.endswith("/")}
    found: list[Path] = []
    for place, inner, names in os.walk(ROOT):
        inner[:] = [name for name in inner if name not in folders]
        found += [Path(place, name) for name in names if not any(fnmatch(name, pattern) for pattern in ignored)]
    return tuple(sorted(found))


@cache
def python_files(*tops: str) -> tuple[Path, ...]:
    """The tracked Python files below the given top folders."""
    return tuple(file for file in tracked() if file.suffix == ".py" and file.relative_to(ROOT).parts[0] in tops)


@cache
def tree(file: Path) -> ast.Module:
    """A file's syntax tree."""
    return ast.parse(file.read_text("utf-8"), str(file))


def shown(file: Path) -> str:
    """A file's path as a person would write it."""
    return str(file.relative_to(ROOT))


def component_folders() -> list[Path]:
    """The folder of every component."""
    return [file.parent for area in AREAS for file in sorted((PACKAGE / area).glob("*/__init__.py"))]
