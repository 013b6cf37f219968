"""What can go wrong with facilities and plans."""

from mumian.kernel.errors import Conflict, Unavailable


class CodeTaken(Conflict):
    """Another facility has this code; values: `code`."""

    key = "infrastructure.code_taken"


class NotPossible(Conflict):
    """The state does not allow the step; values: `step`, `state`."""

    key = "infrastructure.not_possible"


class PlanningFailed(Unavailable):
    """The planner's process ended without an answer; values: `reason`."""

    key = "infrastructure.planning_failed"


class PlanningBusy(Unavailable):
    """Other plans are being made; trying again later works."""

    key = "infrastructure.planning_busy"
