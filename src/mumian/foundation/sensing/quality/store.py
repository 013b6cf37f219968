"""Store of quality: the streams that profiles speak of."""

from mumian.foundation.sensing.quality.models import QualityProfileSpec
from mumian.kernel.unit_of_work import Row, Session

_STREAMS = (
    "SELECT s.id, s.name, s.unit, s.frequency_seconds FROM sensing_stream s JOIN sensing_property p ON p.id = s.property "
    "WHERE s.retired = 0"
)


def matched(session: Session, spec: QualityProfileSpec) -> list[Row]:
    """The streams that a profile is for: id, name, unit and frequency."""
    conditions, params = [], {}
    if spec.observed_property is not None:
        conditions.append("p.name = :property")
        params["property"] = spec.observed_property
    if spec.owner is not None:
        conditions.append("s.owner = :owner")
        params["owner"] = spec.owner
    if spec.streams:
        names = {f"name{number}": name for number, name in enumerate(spec.streams)}
        conditions.append(f"s.name IN ({', '.join(':' + name for name in names)})")
        params |= names
    return session.rows(f"{_STREAMS} AND {' AND '.join(conditions)} ORDER BY s.id", **params)
