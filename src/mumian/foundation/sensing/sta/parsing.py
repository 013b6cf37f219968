"""Parsing of SensorThings bodies: bytes into typed values, every fault named by its JSON path."""

import re
from contextlib import suppress
from typing import Any, TypeVar

import msgspec

from mumian.kernel.errors import Fault, Invalid, Malformed

T = TypeVar("T")
_AT = re.compile(r" - at `\$?(.*)`$")
_NAMES = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "array": "a list",
    "object": "an object",
    "bool": "true or false",
    "null": "null",
}
_EXPECTED = re.compile(r"^Expected `([^`]*)`(?: of (?:at least |at most )?length .*?(\d+))?(?:, got .*)?$")


def decode(decoder: "msgspec.json.Decoder[T]", content: Any, prefix: str = "") -> T:
    """The body as the decoder's type; raises Malformed for what is no JSON and Invalid for what is not of the type."""
    try:
        return _decode(decoder, content, prefix)
    except msgspec.DecodeError as error:
        raise Malformed(Fault(prefix, "field.syntax", {"reason": str(error)})) from None
    except UnicodeDecodeError as error:
        raise Malformed(Fault(prefix, "field.syntax", {"reason": f"byte {error.start} is not UTF-8"})) from None
    except RecursionError:
        raise Malformed(Fault(prefix, "field.syntax", {"reason": "it is nested too deeply"})) from None


def _decode(decoder: "msgspec.json.Decoder[T]", content: Any, prefix: str) -> T:
    try:
        return decoder.decode(content)
    except msgspec.ValidationError as error:
        # A wrong type may be met before what makes the text no JSON at all.
        with suppress(msgspec.ValidationError):
            msgspec.json.decode(content)
        raise Invalid(fault_of(str(error), prefix)) from None


def fault_of(message: str, prefix: str) -> Fault:
    """What msgspec says is wrong, at its place behind `prefix`."""
    at = _AT.search(message)
    path = (prefix + (at.group(1) if at else "")).replace("[...]", "[*]").lstrip(".")
    message = _AT.sub("", message)
    missing = re.match(r"Object missing required field `(.*)`", message)
    if missing:
        return Fault(f"{path}.{missing.group(1)}".lstrip("."), "field.missing", {})
    unknown = re.match(r"Object contains unknown field `(.*)`", message)
    if unknown:
        return Fault(f"{path}.{unknown.group(1)}".lstrip("."), "field.unknown", {"expected": "…"})
    expected = _EXPECTED.match(message)
    if expected and expected.group(2):
        return Fault(path, "field.length", {"expected": expected.group(2)})
    if expected:
        names = [_NAMES.get(name.strip(), name.strip()) for name in expected.group(1).split("|")]
        return Fault(path, "field.type", {"expected": " / ".join(names)})
    return Fault(path, "field.value", {"reason": message})
