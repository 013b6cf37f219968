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
        nodes = _compose(text)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise Invalid(Fault("", "field.syntax", {"reason": f"byte {error.start} is not UTF-8"}, file, line)) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        reason = getattr(error, "problem", None) or str(error)[:200]
        raise Invalid(Fault("", "field.syntax", {"reason": reason}, file, _line(mark, content))) from error
    faults: list[Fault] = []
    documents = [d for node in nodes if (d := _document(node, file, folder, faults)) is not None]
    if faults:
        raise Invalid(*faults)
    return documents


def _compose(text: str) -> list[yaml.Node]:
    found: Iterable[yaml.Node | None] = yaml.compose_all(text, _LOADER)
    return [node for node in found if node is not None]


def _line(mark: Any, content: bytes) -> int:
    """A parser's mark as a line that exists: at the end of the input it points behind the last one."""
    return 1 if mark is None else min(mark.line + 1, content.count(b"\n", 0, -1) + 1)


def _document(node: yaml.Node, file: str, folder: Path | None, faults: list[Fault]) -> Document | None:
    lines: dict[str, int] = {}
    before = len(faults)
    value = _value(node, "", lines, file, faults, 0)
    line = node.start_mark.line + 1
    if not isinstance(value, dict):
        faults.append(Fault("", "field.type", {"expected": "a mapping of kind, name, title, spec"}, file, line))
        return None
    for key in value:
        if key not in _ENVELOPE:
            faults.append(Fault(str(key), "field.unknown", {"expected": ", ".join(_ENVELOPE)}, file, lines.get(str(key), line)))
    for key, type_ in (("kind", str), ("name", str), ("title", dict), ("spec", dict)):
        if key not in value:
            faults.append(Fault(key, "field.missing", {}, file, line))
        elif not isinstance(value[key], type_):
            expected = "text" if type_ is str else "a mapping"
            faults.append(Fault(key, "field.type", {"expected": expected}, file, lines.get(key, line)))
    if len(faults) > before:
        return None
    return Document(value["kind"], value["name"], value["title"], value["spec"], file, folder, {"": line, **lines})


def _value(node: yaml.Node, path: str, lines: dict[str, int], file: str, faults: list[Fault], depth: int) -> Any:
    """The plain value of a node; keys must be text and stand once, aliases are followed, depth is bounded."""
    line = node.start_mark.line + 1
    if depth > MAX_DEPTH:
        faults.append(Fault(path, "field.length", {"expected": f"≤ {MAX_DEPTH} levels"}, file, line))
        return None
    if isinstance(node, yaml.MappingNode):
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value) if isinstance(key_node, yaml.ScalarNode) else ""
            inner = f"{path}.{key}" if path else key
            if key in result:
                faults.append(Fault(inner, "field.duplicate", {"name": key}, file, key_node.start_mark.line + 1))
            lines[inner] = key_node.start_mark.line + 1
            result[key] = _value(value_node, inner, lines, file, faults, depth + 1)
        return result
    if isinstance(node, yaml.SequenceNode):
        return [_item(child, f"{path}[{i}]", lines, file, faults, depth) for i, child in enumerate(node.value)]
    return _scalar(node, path, file, faults)


def _item(node: yaml.Node, path: str, lines: dict[str, int], file: str, faults: list[Fault], depth: int) -> Any:
    lines[path] = node.start_mark.line + 1
    return _value(node, path, lines, file, faults, depth + 1)


def _scalar(node: yaml.Node, path: str, file: str, faults: list[Fault]) -> Any:
    constructor = yaml.constructor.SafeConstructor()
    try:
        value = constructor.construct_object(node)
    except (yaml.YAMLError, ValueError) as error:
        faults.append(Fault(path, "field.syntax", {"reason": str(error)[:200]}, file, node.start_mark.line + 1))
        return None
    return value if isinstance(value, str | int | float | bool | None) else str(node.value)


def to_yaml(bodies: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Documents written as YAML, each opened by `---`."""
    for body in bodies:
        yield "---\n" + yaml.safe_dump(body, allow_unicode=True, sort_keys=False, width=120)
