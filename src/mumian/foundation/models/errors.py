"""What can go wrong with models."""

from mumian.kernel.errors import Conflict, Invalid


class BadModel(Invalid):
    """The file is no model that can be used; values: `name`, `reason`."""

    key = "models.bad_model"


class NotLearnable(Invalid):
    """The labelled texts do not suffice; values: `reason`."""

    key = "models.not_learnable"


class NotPossible(Conflict):
    """The version's state does not allow this; values: `action`, `state`."""

    key = "models.not_possible"


class NoBetter(Conflict):
    """The version is not better than the one in use; values: `measure`, `new`, `old`."""

    key = "models.no_better"
