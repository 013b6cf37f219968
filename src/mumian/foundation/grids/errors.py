"""What can go wrong with grids, buildings, components and visits."""

from mumian.kernel.errors import Conflict, Invalid


class CodeTaken(Conflict):
    """Another thing has this code; values: `code`."""

    key = "grids.taken"


class NotInForce(Conflict):
    """The thing is not in force at that date; values: `code`, `date`."""

    key = "grids.not_in_force"


class VisitClosed(Conflict):
    """The visit was made or called off already; values: `code`."""

    key = "grids.visit_closed"


class BadShape(Invalid):
    """Boundaries do not fit together; `faults` say which and how."""

    key = "grids.bad_shape"
