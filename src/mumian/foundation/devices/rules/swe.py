"""Commands as SensorThings shows them: parameters as a DataRecord of SWE Common, states as those of a Task."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

STATUS = {
    "queued": "created",
    "delivered": "accepted",
    "acknowledged": "running",
    "done": "completed",
    "failed": "failed",
    "expired": "failed",
    "cancelled": "cancelled",
}
_TYPES = {"number": "Quantity", "integer": "Count", "boolean": "Boolean", "text": "Text", "choice": "Category"}


class Parameter(Protocol):
    """A parameter of a command, as its kind declares it."""

    @property
    def type(self) -> str:
        """What values it takes."""
        ...

    @property
    def title(self) -> Mapping[Any, str] | None:
        """What people call it, by language."""
        ...

    @property
    def unit(self) -> str:
        """The unit of a number."""
        ...

    @property
    def minimum(self) -> float | None:
        """The least value."""
        ...

    @property
    def maximum(self) -> float | None:
        """The greatest value."""
        ...

    @property
    def choices(self) -> Sequence[str]:
        """The values of a choice."""
        ...

    @property
    def length(self) -> int:
        """The most characters of a text."""
        ...

    @property
    def required(self) -> bool:
        """Whether it must be given."""
        ...


def record(parameters: Mapping[str, Parameter]) -> dict[str, Any]:
    """The taskingParameters of a command: a DataRecord in the JSON of SWE Common 2.0, as OGC 17-079r1 uses it."""
    return {"type": "DataRecord", "field": [_field(name, spec) for name, spec in parameters.items()]}


def _field(name: str, spec: Parameter) -> dict[str, Any]:
    title = {str(language): text for language, text in (spec.title or {}).items()}
    shown = title.get("en") or title.get("zh") or name
    found: dict[str, Any] = {"name": name, "type": _TYPES[spec.type], "label": shown, "optional": not spec.required}
    if "zh" in title and title["zh"] != shown:
        found["description"] = title["zh"]
    if spec.type == "number":
        found["uom"] = {"code": spec.unit or "1"}
    constraint = _constraint(spec)
    return found | ({"constraint": constraint} if constraint else {})


def _constraint(spec: Parameter) -> dict[str, Any] | None:
    if spec.type == "choice":
        return {"type": "AllowedTokens", "value": list(spec.choices)}
    if spec.type == "text":
        return {"type": "AllowedTokens", "pattern": f"^[\\s\\S]{{0,{spec.length}}}$"}
    if spec.type in ("number", "integer") and (spec.minimum is not None or spec.maximum is not None):
        low = "-Infinity" if spec.minimum is None else spec.minimum
        high = "Infinity" if spec.maximum is None else spec.maximum
        return {"type": "AllowedValues", "interval": [[low, high]]}
    return None
