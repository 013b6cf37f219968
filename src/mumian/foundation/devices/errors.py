"""Errors of the device ledger."""

from mumian.kernel.errors import Conflict, Forbidden, Unauthenticated


class CodeTaken(Conflict):
    """Another device has this code; values: `code`."""

    key = "devices.code_taken"


class NotPossible(Conflict):
    """The state of the thing does not allow the step; values: `step`, `state`."""

    key = "devices.not_possible"


class BadEnrolment(Unauthenticated):
    """Code and secret, or code and signature, do not fit, or the time for it is over; which of these is never told."""

    key = "devices.bad_enrolment"


class NoDevice(Forbidden):
    """Who asks is no enrolled device; values: `action`."""

    key = "devices.no_device"


class ForeignStream(Forbidden):
    """A device tried to write a stream that is not its own; values: `device`, `stream`."""

    key = "devices.foreign_stream"
