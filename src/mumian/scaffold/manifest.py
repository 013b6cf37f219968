"""The manifest of a service, `service.yaml`: what it is called, on which board it stands, who answers for it."""

from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import Field, ValidationError

from mumian.kernel.declarations.kinds import Spec
from mumian.kernel.errors import Fault
from mumian.kernel.validation import faults_from

FILE = "service.yaml"


class Text(Spec):
    """A text in both languages."""

    zh: str = Field(min_length=1, pattern=r"[\u4e00-\u9fff]")
    en: str = Field(min_length=1)


class Manifest(Spec):
    """A service; `name` is that of its folder, with hyphens for underscores."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")
    title: Text
    board: Literal["governance", "livelihood", "industry"]
    owner: str = Field(min_length=1)
    summary: Text
    standards: list[Annotated[str, Field(min_length=1)]] = Field(default_factory=list)
    systems: list[Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]] = Field(default_factory=list)


def read_manifest(folder: Path, faults: list[Fault]) -> Manifest | None:
    """The manifest in `folder`, or None with everything wrong added to `faults`, each with its line."""
    file = folder / FILE
    if not file.is_file():
        faults.append(Fault("", "scaffold.no_manifest", {"file": FILE}, str(folder)))
        return None
    try:
        content = file.read_text("utf-8")
        manifest = Manifest.model_validate(yaml.safe_load(content))
    except ValidationError as error:
        lines = _lines(content)
        faults += faults_from(
            error.errors(include_url=False),
            lambda path, key, values: Fault(path, key, values, str(file), lines.get(path.split(".")[0], 1)),
            lambda path: ", ".join(Manifest.model_fields),
        )
        return None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        faults.append(Fault("", "field.syntax", {"reason": " ".join(str(error).split())[:200]}, str(file)))
        return None
    if manifest.name != folder.name.replace("_", "-"):
        faults.append(
            Fault("name", "scaffold.name", {"expected": folder.name.replace("_", "-")}, str(file), _lines(content)["name"])
        )
    return manifest


def _lines(content: str) -> dict[str, int]:
    """The line of each part of the manifest."""
    numbered = enumerate(content.splitlines(), 1)
    return {line.split(":")[0]: number for number, line in numbered if line[:1].isalpha()}
