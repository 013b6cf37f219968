"""Explains a kind of declaration in plain text, from the same model that checks it."""

from collections.abc import Iterator
from typing import Any

from mumian.kernel.declarations.kinds import Kind, json_schema
from mumian.kernel.errors import NotFound


def explain_kind(kind: Kind, field: str = "") -> list[str]:
    """Lines that describe `kind`, or one field of its spec given by a dotted path."""
    schema = json_schema(kind)
    definitions = schema.get("$defs", {})
    node = schema["properties"]["spec"]
    for part in field.split(".") if field else ():
        inner = _resolve(node, definitions).get("properties", {})
        if part not in inner:
            raise NotFound(kind=f"field of {kind.name} (there are: {', '.join(inner)})", name=part)
        node = inner[part]
    return [f"{kind.name}{'.' + field if field else ''}: {kind.describe}", *_fields(node, definitions, 1)]


def _resolve(node: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in node:
        return {**definitions[node["$ref"].split("/")[-1]], **{k: v for k, v in node.items() if k != "$ref"}}
    if "items" in node:
        return _resolve(node["items"], definitions)
    options = [option for option in node.get("anyOf", ()) if option.get("type") != "null"]
    return _resolve(options[0], definitions) if len(options) == 1 else node


def _fields(node: dict[str, Any], definitions: dict[str, Any], depth: int) -> Iterator[str]:
    node = _resolve(node, definitions)
    required = node.get("required", [])
    for name, inner in node.get("properties", {}).items():
        marks = [_type(inner, definitions)] + (["required"] if name in required else [])
        if "default" in inner and inner["default"] is not None:
            marks.append(f"default {inner['default']!r}")
        about = inner.get("description", "")
        yield f"{'  ' * depth}{name} ({', '.join(marks)}){': ' + about if about else ''}"
        if depth < 6:
            yield from _fields(inner, definitions, depth + 1)


def _type(node: dict[str, Any], definitions: dict[str, Any]) -> str:
    if "enum" in node:
        return " | ".join(str(value) for value in node["enum"])
    if "anyOf" in node:
        return " or ".join(_type(option, definitions) for option in node["anyOf"])
    if "$ref" in node:
        return _type(definitions[node["$ref"].split("/")[-1]], definitions)
    if node.get("type") == "array":
        return f"list of {_type(node.get('items', {}), definitions)}"
    return str(node.get("type", node.get("const", "any")))
