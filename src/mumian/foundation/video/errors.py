"""What can go wrong with cameras and their pictures."""

from mumian.kernel.errors import Conflict, Forbidden, Invalid, Unavailable


class VideoMissing(Unavailable):
    """The libraries that decode pictures are not installed; values: `command` that mends it."""

    key = "video.missing"


class SourceUnavailable(Unavailable):
    """The camera does not deliver a picture; values: `camera`, `reason`."""

    key = "video.source"


class PurposeRefused(Forbidden):
    """The camera may not be looked at for that purpose; values: `purpose`, `uses`."""

    key = "video.purpose"


class Gone(Conflict):
    """The picture or clip was kept for its time and then deleted; values: `name`, `expired`."""

    key = "video.gone"


class BadFile(Invalid):
    """The file cannot be read as what it should be."""

    key = "video.file"
