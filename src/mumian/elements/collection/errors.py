"""Errors of collection."""

from mumian.kernel.errors import Conflict, Invalid, Unavailable


class HostRefused(Invalid):
    """The address leads to where the settings do not allow; values: `host`."""

    key = "collection.host"


class NoSecret(Unavailable):
    """The secret `name` is not set."""

    key = "collection.no_secret"


class SourceFailed(Unavailable):
    """The source did not answer as it should; values: `reason`."""

    key = "collection.source_failed"


class NotInState(Conflict):
    """The run is `state`, in which this cannot be done."""

    key = "collection.not_in_state"


class TooManyBad(Invalid):
    """Too many rows are bad; values: `bad`, `read`."""

    key = "collection.too_many_bad"


class NothingFits(Invalid):
    """No column of the source is a field of the dataset; values: `columns`, `fields`."""

    key = "collection.nothing_fits"


class Drifted(Invalid):
    """The columns changed; values: `new`, `lost`, `changed`."""

    key = "collection.drifted"
