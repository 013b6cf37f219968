"""What a source is given to work with."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mumian.elements.collection.errors import NoSecret
from mumian.elements.collection.settings import CollectionSettings
from mumian.foundation.storage.contracts import Objects


class Halted(Exception):
    """The run was asked to end; it goes on later, or never."""


class Anew(Exception):
    """What was read is not there any more as it was: the run has to begin anew."""


@dataclass
class Context:
    """The settings and folders of the city, and how far the connector came: `watermark`, `taken` files, `position` of this run.

    `scratch` is a folder of the run's own. `given` is what the run was started with, such as an uploaded file.
    """

    settings: CollectionSettings
    inbox: Path
    scratch: Path
    objects: Objects
    watermark: str | None = None
    position: Any = None
    taken: Mapping[str, str] = field(default_factory=dict)
    given: Mapping[str, Any] = field(default_factory=dict)
    extensions: Path = Path()
    halted: Callable[[], bool] = lambda: False

    def check(self) -> None:
        """Raise Halted when the run was asked to end."""
        if self.halted():
            raise Halted


def secret(name: str) -> str:
    """The secret of that name: the environment variable MUMIAN_SECRET_<name>; raises NoSecret."""
    found = os.environ.get(f"MUMIAN_SECRET_{name}")
    if not found:
        raise NoSecret(name=name)
    return found


def inside(root: Path, path: str) -> Path:
    """The path below a folder, wherever links lead; raises ValueError for one that leaves it."""
    found = (root / path).resolve()
    if not found.is_relative_to(root.resolve()):
        raise ValueError(path)
    return found
