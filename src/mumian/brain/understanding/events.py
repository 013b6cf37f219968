"""Events of understanding: suggestions about incidents, and corrections; neither repeats what people wrote."""

from dataclasses import dataclass
from typing import Any, ClassVar

from mumian.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class IncidentRead(Event):
    """The text of the incident named by the subject was read; `sha256` is of the text, `told` what was suggested."""

    type: ClassVar[str] = "brain.understanding.read"
    sha256: str
    told: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class CorrectionKept(Event):
    """A person corrected a category; the subject is the correction, `sha256` is of the text."""

    type: ClassVar[str] = "brain.understanding.corrected"
    model: str
    said: str
    label: str
    incident: str
    sha256: str
