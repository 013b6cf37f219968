"""Errors of registers."""

from mumian.kernel.errors import Conflict


class NotYet(Conflict):
    """The register has not been made yet: no source was loaded since it was declared."""

    key = "registers.not_yet"


class SameEntity(Conflict):
    """What was to be put together, or taken apart, is so already."""

    key = "registers.already_so"


class WrongState(Conflict):
    """The thing is in a state in which this cannot be done; values: `state`."""

    key = "registers.wrong_state"


class TooEarly(Conflict):
    """A fact must be shown until `day` before its repair can be granted."""

    key = "registers.too_early"
