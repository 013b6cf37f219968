"""Discovery: components and services are found by their package, never listed by hand."""

import importlib
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType

AREAS = ("foundation", "elements", "brain", "mechanism", "services")


@dataclass(frozen=True)
class Component:
    """A component's package name, folder and area; `package` is importable."""

    area: str
    name: str
    package: str
    folder: Path

    @property
    def url(self) -> str:
        """The prefix of its own API."""
        return f"/api/v1/{self.area}/{self.name}"

    @property
    def faces(self) -> tuple[str, ...]:
        """The prefixes of what else it answers, such as the faces of standards: `FACES` of its package."""
        return tuple(getattr(importlib.import_module(self.package), "FACES", ()))

    def has(self, file: str) -> bool:
        """Whether it has a module of that name."""
        return (self.folder / f"{file}.py").exists() or (self.folder / file / "__init__.py").exists()

    def module(self, file: str) -> ModuleType | None:
        """The component's module of that name, imported, or None where it has none."""
        return importlib.import_module(f"{self.package}.{file}") if self.has(file) else None


@cache
def components() -> tuple[Component, ...]:
    """All components in layer order, inside an area by name; services installed elsewhere come last."""
    return (*_inside(), *_outside())


def _inside() -> Iterator[Component]:
    root = Path(__file__).resolve().parent.parent
    for area in AREAS:
        for folder in sorted((root / area).iterdir()) if (root / area).is_dir() else ():
            if (folder / "__init__.py").exists():
                yield Component(area, folder.name, f"mumian.{area}.{folder.name}", folder)


def _outside() -> Iterator[Component]:
    for point in sorted(entry_points(group="mumian.services"), key=lambda p: p.name):
        spec = importlib.util.find_spec(point.value)
        if spec is not None and spec.origin is not None:
            yield Component("services", point.name, point.value, Path(spec.origin).parent)
