"""Views: layers over what other components keep, such as the places of all streams."""

from typing import Protocol

from mumian.foundation.spatial.contracts import Feature


class View(Protocol):
    """What a component offers as a layer; both methods may block and are called in threads."""

    def version(self) -> int:
        """A number that is another whenever the features are; asked often, so it must be cheap."""
        ...

    def features(self) -> list[Feature]:
        """All features, in WGS 84."""
        ...
