"""Checks a service folder: manifest, names, declarations beside every city that is here, titles, a test."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import mumian
from mumian.app.commands import language
from mumian.kernel.declarations.documents import Document, read_path
from mumian.kernel.declarations.kinds import discover
from mumian.kernel.declarations.planning import plan
from mumian.kernel.discovery import components
from mumian.kernel.errors import Fault, Invalid
from mumian.kernel.i18n import place, text
from mumian.scaffold.manifest import FILE, read_manifest

_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_PARTS = ("declarations", "rules.py", "service.py", "endpoints.py", "tasks.py")


@dataclass(frozen=True)
class Finding:
    """One thing to mend in a service."""

    service: str
    fault: Fault

    def __str__(self) -> str:
        return f"{self.service}: {place(self.fault)}{text(self.fault.key, language(), **self.fault.values)}"


def checkout() -> Path:
    """The checkout that this package lies in; means nothing for an installed one."""
    return Path(mumian.__file__).resolve().parents[2]


def installed() -> list[Path]:
    """The folders of all services that are found."""
    return [component.folder for component in components() if component.area == "services"]


def check_folder(folder: Path) -> list[Finding]:
    """Everything wrong with the service in `folder`."""
    folder = folder.resolve()
    faults: list[Fault] = []
    for look in (_manifest, _package, _declarations, _test):
        try:
            faults += look(folder)
        except Invalid as error:
            faults += error.faults
    return [Finding(folder.name, fault) for fault in faults]


def _manifest(folder: Path) -> list[Fault]:
    faults: list[Fault] = []
    manifest = read_manifest(folder, faults)
    known = {document.name for document in _beside(folder) if document.kind == "Organisation"}
    if manifest is not None and cities() and manifest.owner not in known:
        reference = {"kind": "Organisation", "name": manifest.owner}
        faults.append(Fault("owner", "field.reference", reference, str(folder / FILE)))
    return faults


def _package(folder: Path) -> Iterable[Fault]:
    if not (folder / "__init__.py").is_file():
        yield Fault("", "scaffold.no_package", {}, str(folder))
    if not any((folder / part).exists() for part in _PARTS):
        yield Fault("", "scaffold.empty", {"parts": ", ".join(_PARTS)}, str(folder))


def _declarations(folder: Path) -> list[Fault]:
    inside = folder / "declarations"
    if not inside.is_dir():
        return []
    own = read_path(inside)
    faults = [d.fault("title.zh", "scaffold.not_chinese") for d in own if not _CHINESE.search(str(d.title.get("zh", "")))]
    if not own:
        faults.append(Fault("", "scaffold.no_declarations", {}, str(inside)))
    beside: list[Path | None] = [*cities()] or [None]
    for city in beside:
        faults += _faults_beside(folder, city)
    return list({(f.file, f.line, f.field, f.key): f for f in faults}.values())


def _faults_beside(folder: Path, city: Path | None) -> list[Fault]:
    """What is wrong with a service's own documents where it stands beside the other services in one city."""
    documents = [*(_documents(city) if city else []), *_services(folder)]
    try:
        plan(discover(), {}, documents, "check", prune=False)
    except Invalid as error:
        return [fault for fault in error.faults if fault.file and Path(fault.file).is_relative_to(folder)]
    return []


def _services(folder: Path) -> list[Document]:
    """The documents of all services, that in `folder` among them."""
    return [document for service in {*installed(), folder} for document in _documents(service / "declarations")]


def _beside(folder: Path) -> list[Document]:
    return [document for city in cities() for document in _documents(city)] + _services(folder)


def _documents(folder: Path) -> list[Document]:
    return read_path(folder) if folder.is_dir() else []


def cities() -> list[Path]:
    """The cities that come with this checkout; none beside an installed package."""
    folder = checkout() / "cities"
    return sorted(city for city in folder.iterdir() if city.is_dir()) if folder.is_dir() else []


def _test(folder: Path) -> Iterable[Fault]:
    places = [checkout() / "tests" / "services" / folder.name, folder / "tests"]
    places += [parent / "tests" for parent in folder.parents[:3] if (parent / "pyproject.toml").is_file()]
    if not any(place.is_dir() and any(place.rglob("test_*.py")) for place in places):
        yield Fault("", "scaffold.no_test", {"place": f"tests/services/{folder.name}"}, str(folder))
