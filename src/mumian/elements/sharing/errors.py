"""What sharing refuses."""

from mumian.kernel.errors import Conflict, Forbidden, Invalid, NotFound, TooLarge, TooMany


class NotShared(Conflict):
    """The dataset is not shared by law; values: `dataset`, `basis`."""

    key = "sharing.not_shared"


class NotPossible(Conflict):
    """The state does not allow the step; values: `action`, `state`, `possible`."""

    key = "sharing.not_possible"


class Moved(Conflict):
    """Somebody else took a step since this was looked at; values: `seen`, `found`."""

    key = "sharing.moved"


class OwnApplication(Forbidden):
    """Nobody decides on the own application."""

    key = "sharing.own_application"


class NotInForce(Forbidden):
    """The grant gives nothing now; values: `grant`, `state`, `until`."""

    key = "sharing.not_in_force"


class NoSuchGrant(NotFound):
    """There is no such grant, or it is somebody else's; values: `grant`."""

    key = "sharing.no_such_grant"


class QuotaUsed(TooMany):
    """Nothing is left of the grant's quota; values: `what`, `period`, `most`, `renews`, `seconds`."""

    key = "sharing.quota_used"


class TooManyRows(TooLarge):
    """A file that has to be written before it is sent would have more than `most` rows."""

    key = "sharing.parquet"


class OtherWay(Invalid):
    """The grant was given for another way of delivery."""
