"""Writes the folder of a new service from the template beside this file."""

import importlib.util
import keyword
import re
import sys
from pathlib import Path
from string import Template

from mumian.kernel.errors import Conflict, Invalid
from mumian.scaffold.checking import checkout

TEMPLATE = Path(__file__).resolve().parent / "template"
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_MOST_LETTERS = 40
_EFFECT = "What is applied shows up in the running city at once; Python in the folder takes part from its next start."


def create(name: str, folder: Path | None) -> str:
    """Write the service and say what to do next."""
    if not _NAME.fullmatch(name) or keyword.iskeyword(name) or len(name) > _MOST_LETTERS:
        raise Invalid.field("name", "scaffold.bad_name", name=name)
    if folder is None:
        return _beside_the_others(name)
    if name in sys.stdlib_module_names or importlib.util.find_spec(name) is not None:
        raise Invalid.field("name", "scaffold.taken_name", name=name)
    return _as_project(name, folder)


def _beside_the_others(name: str) -> str:
    root = checkout()
    services, tests = root / "src" / "mumian" / "services", root / "tests" / "services"
    if not services.is_dir():
        raise Invalid.field("folder", "scaffold.no_checkout")
    _claim(services / name, tests / name)
    values = _values(name, f"mumian.services.{name}")
    _write("service", services / name, values)
    _write("tests", tests / name, values)
    folder = (services / name).relative_to(root)
    steps = f"./run check, ./run test tests/services/{name}, ./run apply {folder}/declarations"
    return f"{services / name}\n{tests / name}\nNext: {steps}.\n{_EFFECT}"


def _as_project(name: str, folder: Path) -> str:
    project = folder / name
    _claim(project)
    values = _values(name, name)
    _write("project", project, values)
    _write("service", project / name, values)
    _write("tests", project / "tests", values)
    steps = f"pip install --editable {project}, mumian check {project / name}, mumian apply {project / name}/declarations"
    return f"{project}\nNext: {steps}.\n{_EFFECT}"


def _claim(*folders: Path) -> None:
    for folder in folders:
        if folder.exists():
            raise Conflict(reason=str(folder))


def _values(name: str, package: str) -> dict[str, str]:
    words = name.replace("_", " ")
    return {"name": name, "slug": name.replace("_", "-"), "words": words, "Words": words.capitalize(), "package": package}


def _write(part: str, target: Path, values: dict[str, str]) -> None:
    """Copy a part of the template; `$name` and the like are filled in, `.template` falls off the names of files."""
    for source in sorted((TEMPLATE / part).rglob("*.template")):
        file = target / source.relative_to(TEMPLATE / part).with_suffix("")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(Template(source.read_text("utf-8")).substitute(values), "utf-8")
