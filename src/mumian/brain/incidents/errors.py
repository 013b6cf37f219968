"""Errors of incidents."""

from mumian.kernel.errors import Conflict


class NotAllowed(Conflict):
    """The incident's state does not allow the action; values: `number`, `state`, `action`, `allowed`."""

    key = "incidents.not_allowed"
