"""What the infrastructure ledger hands out: facilities, measurements by area, plans and reports of imports."""

from typing import Any

import msgspec

STATES = ("planned", "building", "in_use", "renewing", "retired")


class Facility(msgspec.Struct, frozen=True, kw_only=True):
    """A facility 设施: a built asset with capacity. `code` is unique and lasts; positions are WGS 84 degrees.

    `state` is one of STATES, `built` the ISO day on which it came into use, `properties` what its kind describes, `devices` codes
    of the device ledger that watch it, `streams` names of sensing streams by key. A link between two facilities names both in
    `ends`; `plane` is the network plane to which a node or link belongs (empty: none).
    """

    code: str
    kind: str
    name: str
    owner: str
    operator: str = ""
    address: str = ""
    longitude: float | None = None
    latitude: float | None = None
    district: str | None = None
    state: str = "planned"
    built: str | None = None
    properties: dict[str, Any] = {}
    devices: list[str] = []
    streams: dict[str, str] = {}
    ends: list[str] = []
    plane: str = ""
    note: str = ""
    origin: str = "ledger"
    changed: str = ""
    version: int = 1


class Measurement(msgspec.Struct, frozen=True, kw_only=True):
    """A measure of one area, or of the whole city under the city's code.

    `value` = `numerator` / `denominator` in the measure's unit; None where the denominator is not known or nothing is there to
    average. `as_of` is the ISO instant or day that it speaks of.
    """

    measure: str
    area: str
    value: float | None
    numerator: float
    denominator: float | None
    as_of: str


class Pick(msgspec.Struct, frozen=True, kw_only=True):
    """A chosen place: `gain` is the demand that it serves and nothing before it does, `share` that of all demand.

    `nearest` is the distance in metres to the next facility that exists (None: none does), `serves` how many demand points.
    """

    candidate: str
    longitude: float
    latitude: float
    gain: float
    share: float
    serves: int
    nearest: float | None


class Solution(msgspec.Struct, frozen=True, kw_only=True):
    """Where the next facilities serve most: `picks` best first, demand before and after, and how good that is for sure.

    `method` is `cp-sat` or `greedy`; `optimal` tells that nothing serves more; `bound` is a proven upper bound of the gain (None:
    only that the greedy gain is at least 1 − 1/e of the best); all in units of demand.
    """

    method: str
    picks: list[Pick]
    demand: float
    served_before: float
    served_after: float
    gain: float
    greedy_gain: float
    bound: float | None
    optimal: bool
    note: str = ""
