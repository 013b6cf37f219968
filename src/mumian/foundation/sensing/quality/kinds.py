"""The kind of declaration that says how observations are judged."""

from collections.abc import Iterable

from mumian.foundation.sensing.quality.models import QualityProfileSpec
from mumian.kernel.declarations.documents import Document
from mumian.kernel.declarations.kinds import Catalogue, Kind
from mumian.kernel.errors import Fault


def check_profile(document: Document, spec: QualityProfileSpec, catalogue: Catalogue) -> Iterable[Fault]:
    """The owner exists."""
    if spec.owner is not None and not catalogue.has("Organisation", spec.owner):
        yield document.fault("spec.owner", "field.reference", kind="Organisation", name=spec.owner)


QUALITY_PROFILE = Kind(
    "QualityProfile", QualityProfileSpec, "How the observations of some streams are judged.", check=check_profile
)
