"""Errors of the spatial base."""

from mumian.kernel.errors import Conflict, Invalid


class NotEditable(Conflict):
    """The layer's declaration does not let its features be changed; values: `name`."""

    key = "spatial.not_editable"


class FeatureExists(Conflict):
    """There is a feature of that id already; values: `name`."""

    key = "spatial.feature_exists"


class BadFile(Invalid):
    """A file cannot be brought in; its faults name the rows."""

    key = "spatial.bad_file"
