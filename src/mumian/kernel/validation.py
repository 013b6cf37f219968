"""Validation: pydantic's findings turned into faults that name the field, what is wrong and how to mend it."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from mumian.kernel.errors import Fault

_TYPES = {
    "string": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "list": "a list",
    "dict": "a mapping",
    "model": "a mapping",
    "model_attributes": "a mapping",
    "datetime": "an instant like 2014-01-02T03:04:05Z",
    "datetime_from_date": "an instant like 2014-01-02T03:04:05Z",
    "timezone": "an instant with an offset from UTC, like 2014-01-02T03:04:05Z",
    "date": "a date like 2014-01-02",
    "decimal": "a number",
    "tuple": "a list",
    "finite_number": "a finite number",
    "url": "a URL",
    "json": "JSON",
    "none_required": "empty",
}
_CONTEXT = {
    "greater_than": ("field.range", "> {gt}"),
    "greater_than_equal": ("field.range", "≥ {ge}"),
    "less_than": ("field.range", "< {lt}"),
    "less_than_equal": ("field.range", "≤ {le}"),
    "multiple_of": ("field.range", "a multiple of {multiple_of}"),
    "string_too_short": ("field.length", "≥ {min_length}"),
    "string_too_long": ("field.length", "≤ {max_length}"),
    "too_short": ("field.length", "≥ {min_length}"),
    "too_long": ("field.length", "≤ {max_length}"),
    "string_pattern_mismatch": ("field.pattern", "{pattern}"),
    "literal_error": ("field.choice", "{expected}"),
    "enum": ("field.choice", "{expected}"),
    "union_tag_invalid": ("field.choice", "{expected_tags}"),
}


Locate = Callable[[str, str, dict[str, Any]], Fault]


def json_path(parts: Iterable[Any]) -> str:
    """A location such as `("spec", "levels", 0)` written as `spec.levels[0]`."""
    path = ""
    for part in parts:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else str(part)
    return path


def faults_from(
    errors: Iterable[Mapping[str, Any]],
    locate: Callable[[str, str, dict[str, Any]], Fault],
    known: Callable[[str], str] | None = None,
) -> list[Fault]:
    """Translate pydantic's `errors()`; `locate(path, key, values)` makes the fault, `known(path)` lists allowed fields."""
    return [_fault(error, locate, known) for error in errors]


def _fault(error: Mapping[str, Any], locate: Locate, known: Callable[[str], str] | None) -> Fault:
    kind, context = str(error["type"]), dict(error.get("ctx") or {})
    path = json_path(error["loc"])
    if "." in kind and not kind.endswith("_type"):
        return locate(path, kind, context)
    if kind in ("missing", "missing_argument", "union_tag_not_found"):
        return locate(path, "field.missing", {})
    if kind == "extra_forbidden":
        return locate(path, "field.unknown", {"expected": known(path) if known else ""})
    if kind == "json_invalid":
        return locate(path, "field.syntax", {"reason": str(context.get("error", "not JSON"))})
    if kind in _CONTEXT:
        key, template = _CONTEXT[kind]
        return locate(path, key, {"expected": template.format(**context)})
    for name, expected in _TYPES.items():
        if kind.startswith(name + "_") or kind == name:
            return locate(path, "field.type", {"expected": expected})
    return locate(path, "field.value", {"reason": str(context.get("error") or error.get("msg", kind))})
