"""What can go wrong with lineage."""

from mumian.kernel.errors import Invalid


class BadRunEvent(Invalid):
    """What came is not an OpenLineage RunEvent."""

    key = "lineage.event"
