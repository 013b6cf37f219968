"""What the gate refuses."""

from mumian.kernel.errors import Conflict, Forbidden, Invalid, TooLarge, Unavailable


class BadQuery(Invalid):
    """The SQL is not one that the gate lets through; the fault says why."""

    key = "protection.query"


class NotGranted(Forbidden):
    """The caller may not read these rows; values: `dataset`."""

    key = "protection.not_granted"


class GrantEnded(Forbidden):
    """The grant `grant` has expired, or nothing is left of its quota."""

    key = "protection.grant_ended"


class WrongPurpose(Forbidden):
    """The grant was not given for that purpose; values: `purpose`, `purposes`."""

    key = "protection.purpose"


class TooMuch(TooLarge):
    """The query needs more time or memory than it may have; values: `limit`."""

    key = "protection.too_much"


class GateBusy(Unavailable):
    """More queries are waiting than the gate takes on."""

    key = "protection.busy"


class BelowDeclared(Conflict):
    """A label would be weaker than the one declared; values: `field`, `grade`, `personal`."""

    key = "protection.below_declared"
