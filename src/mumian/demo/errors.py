"""Errors of the demo."""

from mumian.kernel.errors import Conflict, Invalid


class HomeTaken(Conflict):
    """The data folder holds a city that the demo may not touch; values: `home`."""

    key = "demo.home_taken"


class BadReplay(Invalid):
    """The city has no data to replay, or not for these days; `faults` say why."""

    key = "demo.replay"
