"""Store of retention: the streams that declarations speak of."""

from mumian.foundation.sensing.retention.models import RetentionSpec
from mumian.kernel.unit_of_work import Session


def matched(session: Session, spec: RetentionSpec) -> list[int]:
    """The ids of the streams that a declaration is for, retired ones included."""
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
    sql = "SELECT s.id FROM sensing_stream s JOIN sensing_property p ON p.id = s.property WHERE "
    return [int(row["id"]) for row in session.rows(f"{sql}{' AND '.join(conditions)} ORDER BY s.id", **params)]
