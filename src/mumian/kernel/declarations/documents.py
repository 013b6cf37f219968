"""Documents: YAML files read into kind, name, title and spec, each value remembered with its line."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from mumian.kernel.errors import Fault, Invalid, NotFound

_ENVELOPE = ("kind", "name", "title", "spec")
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
MAX_BYTES = 20 * 1024 * 1024
MAX_DEPTH = 40
MAX_VALUES = 300_000
_TEXT = "tag:yaml.org,2002:str"


@dataclass(frozen=True)
class Document:
    """One declaration as written; `lines` maps a dotted path (`spec.levels[0]`) to its line in `file`."""

    kind: str
    name: str
    title: dict[str, str]
    spec: dict[str, Any]
    file: str = "<input>"
    folder: Path | None = None
    lines: dict[str, int] = field(default_factory=dict, compare=False, repr=False)

    @property
    def body(self) -> dict[str, Any]:
        """What is kept of the document: the four parts, without places."""
        return {"kind": self.kind, "name": self.name, "title": self.title, "spec": self.spec}

    def fault(self, path: str, key: str, **values: Any) -> Fault:
        """A fault at `path` (`spec.source.hours`), with file and line of the nearest part that has one."""
        return Fault(path, key, values, self.file, nearest_line(self.lines, path))


def nearest_line(lines: dict[str, int], path: str) -> int:
    """The line of `path`, or of the closest part that encloses it."""
    while path and path not in lines:
        cut = max(path.rfind("."), path.rfind("["))
        path = path[:cut] if cut > 0 else ""
    return lines.get(path, 1)


def read_path(path: Path) -> list[Document]:
    """All documents of a file, or of every `.yaml` below a folder; raises Invalid with every fault found."""
    if not path.exists():
        raise NotFound(kind="file", name=str(path))
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*.y*ml") if _is_declaration(p))
    documents: list[Document] = []
    faults: list[Fault] = []
    for file in files:
        try:
            if file.stat().st_size > MAX_BYTES:
                raise Invalid(Fault("", "field.length", {"expected": f"≤ {MAX_BYTES} bytes"}, str(file), 1))
            documents += read_text(file.read_bytes(), str(file), file.parent)
        except Invalid as error:
            faults += error.faults
    faults += duplicates(documents)
    if faults:
        raise Invalid(*faults)
    return documents


def _is_declaration(path: Path) -> bool:
    return path.suffix in (".yaml", ".yml") and path.name not in ("service.yaml", "i18n.yaml")


def duplicates(documents: Iterable[Document]) -> list[Fault]:
    """A fault for every document whose kind and name stand twice."""
    seen: set[tuple[str, str]] = set()
    faults = []
    for document in documents:
        if (document.kind, document.name) in seen:
            faults.append(document.fault("name", "field.duplicate", name=f"{document.kind} {document.name}"))
        seen.add((document.kind, document.name))
    return faults


def read_text(content: bytes, file: str = "<input>", folder: Path | None = None) -> list[Document]:
    """The documents in YAML (or JSON) text; raises Invalid naming file, line and field."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise Invalid(Fault("", "field.syntax", {"reason": f"byte {error.start} is not UTF-8"}, file, line)) from error
    reader = _Reader(file, folder)
    documents = [document for node in _nodes(text, file) if (document := reader.document(node)) is not None]
    if reader.faults:
        raise Invalid(*reader.faults)
    return documents


def _nodes(text: str, file: str) -> list[yaml.Node]:
    """The documents as trees. Depth and size are checked on the flat stream of events first: the composer recurses in C."""
    depth = 0
    try:
        for count, event in enumerate(yaml.parse(text, _LOADER)):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > MAX_DEPTH or count > MAX_VALUES:
                expected = f"≤ {MAX_DEPTH} levels" if depth > MAX_DEPTH else f"≤ {MAX_VALUES} values"
                line = event.start_mark.line + 1 if event.start_mark else 1
                raise Invalid(Fault("", "field.length", {"expected": expected}, file, line))
        found: Iterable[yaml.Node | None] = yaml.compose_all(text, _LOADER)
        return [node for node in found if node is not None]
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        reason = getattr(error, "problem", None) or str(error)[:200]
        line = 1 if mark is None else min(mark.line + 1, text.count("\n", 0, -1) + 1)
        raise Invalid(Fault("", "field.syntax", {"reason": reason}, file, line)) from error


class _Reader:
    """Turns the trees of one file into documents; what is wrong gathers in `faults`."""

    def __init__(self, file: str, folder: Path | None) -> None:
        self.faults: list[Fault] = []
        self._file = file
        self._folder = folder
        self._constructor = yaml.constructor.SafeConstructor()
        self._left = MAX_VALUES
        self._depth = 0

    def document(self, node: yaml.Node) -> Document | None:
        """One document, or None where its envelope is not right."""
        lines = {"": node.start_mark.line + 1}
        before = len(self.faults)
        value = self._value(node, "", lines)
        if not isinstance(value, dict):
            self._fault("", "field.type", node, expected="a mapping of kind, name, title, spec")
            return None
        for key in value.keys() - set(_ENVELOPE):
            self.faults.append(Fault(key, "field.unknown", {"expected": ", ".join(_ENVELOPE)}, self._file, lines.get(key, 1)))
        for key, type_ in (("kind", str), ("name", str), ("title", dict), ("spec", dict)):
            if key not in value:
                self._fault(key, "field.missing", node)
            elif not isinstance(value[key], type_):
                expected = "text" if type_ is str else "a mapping"
                self.faults.append(Fault(key, "field.type", {"expected": expected}, self._file, lines[key]))
        if len(self.faults) > before:
            return None
        return Document(value["kind"], value["name"], value["title"], value["spec"], self._file, self._folder, lines)

    def _fault(self, path: str, key: str, node: yaml.Node, **values: Any) -> None:
        self.faults.append(Fault(path, key, values, self._file, node.start_mark.line + 1))

    def _value(self, node: yaml.Node, path: str, lines: dict[str, int]) -> Any:
        """The plain value of a node. Aliases are followed, so the values are counted: a few lines can mean billions."""
        self._left -= 1
        if self._left < 0 or self._depth > MAX_DEPTH:
            if self._left == -1 or self._depth > MAX_DEPTH:
                self._fault(path, "field.length", node, expected=f"≤ {MAX_VALUES} values and {MAX_DEPTH} levels")
                self._left = min(self._left, -1)
            return None
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        self._depth += 1
        value = self._mapping(node, path, lines) if isinstance(node, yaml.MappingNode) else self._sequence(node, path, lines)
        self._depth -= 1
        return value

    def _sequence(self, node: yaml.Node, path: str, lines: dict[str, int]) -> list[Any]:
        items = []
        for i, child in enumerate(node.value):
            inner = f"{path}[{i}]"
            lines[inner] = child.start_mark.line + 1
            items.append(self._value(child, inner, lines))
        return items

    def _mapping(self, node: yaml.MappingNode, path: str, lines: dict[str, int]) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode) or "\0" in key_node.value:
                self._fault(path, "field.type", key_node, expected="a mapping with plain text as keys")
                continue
            key = str(key_node.value)
            inner = f"{path}.{key}" if path else key
            if key in result:
                self._fault(inner, "field.duplicate", key_node, name=key)
            lines[inner] = key_node.start_mark.line + 1
            result[key] = self._value(value_node, inner, lines)
        return result

    def _scalar(self, node: yaml.Node, path: str) -> Any:
        if "\0" in node.value:
            self._fault(path, "field.syntax", node, reason="it contains the character U+0000")
            return None
        if node.tag == _TEXT:
            return str(node.value)
        try:
            value = self._constructor.construct_object(node)
        except (yaml.YAMLError, ValueError, LookupError, AttributeError, TypeError, OverflowError):
            self._fault(path, "field.syntax", node, reason=f"{node.value[:60]!r} is no {str(node.tag).rpartition(':')[2]}")
            return None
        return value if isinstance(value, str | int | float | bool | None) else str(node.value)


def to_yaml(bodies: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Documents written as YAML, each opened by `---`."""
    for body in bodies:
        yield "---\n" + yaml.safe_dump(body, allow_unicode=True, sort_keys=False, width=120)
