"""Events of the spatial base."""

from dataclasses import dataclass
from typing import ClassVar

from mumian.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class FeatureChanged(Event):
    """A feature was created, replaced, updated or deleted; the subject is `layer/id`.

    `digest` is the SHA-256 of its geometry and properties as kept (their JSON texts, one after the other), empty when deleted.
    """

    type: ClassVar[str] = "spatial.feature.changed"
    layer: str
    feature: str
    action: str
    version: int
    digest: str


@dataclass(frozen=True, kw_only=True)
class LayerImported(Event):
    """A file was brought into a layer; the subject is the layer. `digest` is the SHA-256 of the file."""

    type: ClassVar[str] = "spatial.layer.imported"
    version: int
    file: str
    digest: str
    mode: str
    accepted: int
    refused: int
