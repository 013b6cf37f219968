"""Errors of quality."""

from mumian.kernel.errors import Conflict, Unavailable


class CannotRead(Unavailable):
    """The rows of a dataset cannot be read just now; values: `reason`."""

    key = "error.unavailable"


class Stopping(CannotRead):
    """The city is stopping: what was asked for is done after the next start."""


class BeingLoaded(Conflict):
    """A load of the dataset `name` is just being finished; judge it again in a moment."""

    key = "quality.being_loaded"


class NoRules(Conflict):
    """Nothing is asked of the dataset `name`, so it cannot be judged."""

    key = "quality.no_rules"


class NothingToProfile(Conflict):
    """The dataset `name` has no rows of its own yet."""

    key = "quality.nothing_to_profile"


class TicketClosed(Conflict):
    """The ticket `number` is closed; only its history can be read."""

    key = "quality.ticket_closed"
