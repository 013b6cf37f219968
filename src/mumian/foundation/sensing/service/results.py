"""Kinds of results: what a stream's observation type allows a result to be."""

from math import isnan

import msgspec

from mumian.foundation.sensing.contracts import MEASUREMENT
from mumian.kernel.errors import Fault

_TYPE = MEASUREMENT.removesuffix("OM_Measurement")
COUNT, TRUTH, CATEGORY, ANY, MULTI = 1, 2, 3, 4, 5
KINDS = {
    MEASUREMENT: 0,
    f"{_TYPE}OM_CountObservation": COUNT,
    f"{_TYPE}OM_TruthObservation": TRUTH,
    f"{_TYPE}OM_CategoryObservation": CATEGORY,
    f"{_TYPE}OM_Observation": ANY,
    f"{_TYPE}OM_ComplexObservation": ANY,
}
_EXPECTED = {
    0: "a number",
    COUNT: "a whole number",
    TRUTH: "true or false",
    CATEGORY: "text",
}
_Number = int | float


def result_fault(kind: int, value: float, detail: str | None, several: int) -> Fault | None:
    """What is wrong with a result (NaN and `detail` if it is no number) in a stream of that kind; None if nothing is."""
    told = {} if detail is None else msgspec.json.decode(detail)
    result = told["result"] if "result" in told else None if isnan(value) else value
    if result is None or kind == ANY:
        return None
    if kind == MULTI:
        if isinstance(result, list) and len(result) == several:
            return None
        return Fault("result", "field.length", {"expected": str(several)})
    number = not isinstance(result, bool) and isinstance(result, _Number)
    fits = {
        0: number,
        COUNT: isinstance(result, _Number) and number and float(result).is_integer(),
        TRUTH: isinstance(result, bool),
        CATEGORY: isinstance(result, str),
    }
    return None if fits[kind] else Fault("result", "field.type", {"expected": _EXPECTED[kind]})
