"""What can go wrong with addresses."""

from mumian.kernel.errors import Conflict, Invalid, Unavailable


class BadTraining(Invalid):
    """A file of labelled addresses has a line that is none; values: `file`, `line`."""

    key = "addresses.bad_training"


class BadModel(Unavailable):
    """A trained model is not there or cannot be read; values: `name`."""

    key = "addresses.bad_model"


class AddressTaken(Conflict):
    """Another address has this code, or is the same address; values: `code`."""

    key = "addresses.taken"


class NotInForce(Conflict):
    """The address is not in force at that date; values: `code`, `date`."""

    key = "addresses.not_in_force"
