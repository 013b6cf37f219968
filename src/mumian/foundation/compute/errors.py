"""What can go wrong with jobs and pools."""

from mumian.kernel.errors import Conflict, Invalid


class NotPossible(Conflict):
    """The job's state does not allow this; values: `action`, `state`."""

    key = "compute.not_possible"


class Superseded(Conflict):
    """A report speaks of an attempt that is not the present one; values: `attempt`, `present`."""

    key = "compute.superseded"


class NowhereFits(Invalid):
    """No declared pool could ever take the job; `faults` say why each refuses."""

    key = "compute.nowhere"
