"""The kind of declaration that says how long observations are kept."""

from collections.abc import Iterable

from mumian.foundation.sensing.retention.models import RetentionSpec
from mumian.kernel.declarations.documents import Document
from mumian.kernel.declarations.kinds import Catalogue, Kind
from mumian.kernel.errors import Fault


def check_retention(document: Document, spec: RetentionSpec, catalogue: Catalogue) -> Iterable[Fault]:
    """The owner exists."""
    if spec.owner is not None and not catalogue.has("Organisation", spec.owner):
        yield document.fault("spec.owner", "field.reference", kind="Organisation", name=spec.owner)


RETENTION = Kind(
    "Retention", RetentionSpec, "How long the observations and aggregates of some streams are kept.", check=check_retention
)
