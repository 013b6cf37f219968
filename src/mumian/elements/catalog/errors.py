"""Errors of the catalogue."""

from mumian.kernel.errors import Conflict


class NoFields(Conflict):
    """The dataset `name` declares no fields, or no key where one is needed, so that no rows can be loaded."""

    key = "catalog.no_fields"
