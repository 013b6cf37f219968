"""Errors of the catalogue."""

from mumian.kernel.errors import Conflict, NotFound


class NoFields(Conflict):
    """The dataset `name` declares no fields, or no key where one is needed, so that no rows can be loaded."""

    key = "catalog.no_fields"


class NoSuchForm(NotFound):
    """The reader accepts only media types (`accepted`) in which the catalogue is not offered."""

    key = "catalog.no_such_form"
