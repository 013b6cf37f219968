"""Moments: times as SensorThings writes them, one or many at once."""

from collections.abc import Sequence

import numpy as np

from mumian.foundation.sensing.contracts import NONE, Int64
from mumian.foundation.sensing.rules import instant

_FIRST, _LAST = -62_135_596_800_000_000, 253_402_300_799_000_000
_DAY = 86_400_000
_FORM = np.frombuffer(b"0000-00-00T00:00:00.000Z", np.uint8)
_ZERO = ord("0")


def written(time: int) -> str:
    """µs since 1970 as ISO 8601 UTC, with milliseconds or microseconds as needed."""
    try:
        moment = instant(time)
    except OverflowError:
        return "9999-12-31T23:59:59.999Z" if time > 0 else "0001-01-01T00:00:00.000Z"
    return moment.isoformat(timespec="milliseconds" if time % 1000 == 0 else "microseconds").replace("+00:00", "Z")


def written_many(times: Int64) -> list[bytes]:
    """Many times as `written` has them, quickly where they are whole milliseconds."""
    if not len(times):
        return []
    if (times % 1000).any() or not _FIRST <= int(times.min()) <= int(times.max()) <= _LAST:
        return [written(time).encode() for time in times.tolist()]
    days, rest = np.divmod(times // 1000, _DAY)
    signs = np.empty((len(times), len(_FORM)), np.uint8)
    signs[:] = _FORM
    different, place = np.unique(days, return_inverse=True)
    dates = np.datetime_as_string(different.astype("datetime64[D]")).astype("S10").view(np.uint8)
    signs[:, :10] = dates.reshape(-1, 10)[place]
    seconds, milliseconds = np.divmod(rest, 1000)
    minutes, second = np.divmod(seconds, 60)
    hour, minute = np.divmod(minutes, 60)
    for column, value in ((11, hour), (14, minute), (17, second), (21, milliseconds % 100)):
        signs[:, column] = value // 10 + _ZERO
        signs[:, column + 1] = value % 10 + _ZERO
    signs[:, 20] = milliseconds // 100 + _ZERO
    texts: list[bytes] = signs.view(f"S{len(_FORM)}").ravel().tolist()
    return texts


def written_or_null(times: Int64) -> list[bytes]:
    """Many times as JSON, null where there is none (`NONE`)."""
    if (times == NONE).all():
        return [b"null"] * len(times)
    return [b"null" if time == NONE else f'"{written(time)}"'.encode() for time in times.tolist()]


def span_of(span: Sequence[int]) -> str:
    """Two moments as an ISO 8601 interval."""
    return f"{written(span[0])}/{written(span[1])}"
