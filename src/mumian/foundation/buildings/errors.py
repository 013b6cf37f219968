"""What can go wrong with buildings, their files and the pipes."""

from mumian.kernel.errors import Conflict, Invalid, Unavailable


class BadModel(Invalid):
    """A file cannot be used; its faults say why and where."""

    key = "buildings.bad_file"


class NoReader(Unavailable):
    """The library that reads these files is not installed; values: `command`."""

    key = "buildings.no_reader"


class SourceTaken(Conflict):
    """The source has an object of that id already; values: `source`, `name`."""

    key = "buildings.source_taken"
