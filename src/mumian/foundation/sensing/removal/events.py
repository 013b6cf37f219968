"""Events of retention."""

from dataclasses import dataclass
from typing import Any, ClassVar

from mumian.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class ObservationsRemoved(Event):
    """Observations were removed because their time was over; the subject is the `Retention` declaration, `version` its version.

    `streams` are ids, `before` the time (µs since 1970) before which their observations went. Each of `spans` takes the place of
    the batches told before for its ids: `first_id`, `last_id`, how many rows were `removed` and `kept`, and the `digest` of those
    that were kept (see `rules.digest`).
    """

    type: ClassVar[str] = "sensing.observations.removed"
    version: int
    number: int
    streams: list[int]
    before: int
    removed: int
    spans: list[dict[str, Any]]
