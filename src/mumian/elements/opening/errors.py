"""Errors of opening."""

from mumian.kernel.errors import Conflict, Forbidden, NotFound


class NoSuchFormat(NotFound):
    """The dataset is not offered in that format; values: `format`, `formats`."""

    key = "opening.no_such_format"


class Withheld(Forbidden):
    """The dataset is declared open, but its check for re-identification has not been passed; values: `dataset`, `reason`."""

    key = "opening.withheld"


class Closed(Conflict):
    """What was sent in by the public is closed already; values: `number`, `state`."""

    key = "opening.closed"
