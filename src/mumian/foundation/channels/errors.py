"""What can go wrong with channels."""

from mumian.kernel.errors import MumianError, Unavailable


class Refused(MumianError):
    """The receiver will never take this message; values: `reason`."""

    key = "channels.refused"


class NotNow(Unavailable):
    """The receiver does not take messages just now; values: `reason`."""

    key = "channels.not_now"
