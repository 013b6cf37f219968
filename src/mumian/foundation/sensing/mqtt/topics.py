"""Topic filters of MQTT: whether they are well formed, what they match, and a tree that finds all that match a name."""

from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")
MOST_LEVELS = 32


def valid_filter(topic: str) -> bool:
    """Whether a text is a topic filter (MQTT 5.0, 4.7): `+` and `#` fill whole levels, `#` the last."""
    levels = topic.split("/")
    if not topic or len(levels) > MOST_LEVELS:
        return False
    if any(("+" in level or "#" in level) and len(level) > 1 for level in levels):
        return False
    return "#" not in levels[:-1]


def has_wildcard(topic: str) -> bool:
    """Whether a filter holds `+` or `#`."""
    return "+" in topic or "#" in topic


def matches(topic: str, name: str) -> bool:
    """Whether a filter matches a topic name; wildcards at the start match no name that begins with `$`."""
    if name.startswith("$") and topic[:1] in ("+", "#"):
        return False
    wanted, levels = topic.split("/"), name.split("/")
    for place, level in enumerate(wanted):
        if level == "#":
            return True
        if place >= len(levels) or level not in ("+", levels[place]):
            return False
    return len(wanted) == len(levels)


class _Node(Generic[T]):
    __slots__ = ("children", "values")

    def __init__(self) -> None:
        self.children: dict[str, _Node[T]] = {}
        self.values: dict[T, None] = {}


class Tree(Generic[T]):
    """Filters with values; finds the values of all filters that match a name in time that hardly grows with their number."""

    def __init__(self) -> None:
        self._root: _Node[T] = _Node()

    def add(self, topic: str, value: T) -> None:
        """Put `value` under a filter."""
        node = self._root
        for level in topic.split("/"):
            node = node.children.setdefault(level, _Node())
        node.values[value] = None

    def remove(self, topic: str, value: T) -> None:
        """Take `value` from under a filter, if it is there."""
        path = [self._root]
        for level in topic.split("/"):
            if level not in path[-1].children:
                return
            path.append(path[-1].children[level])
        path[-1].values.pop(value, None)
        for node, level in zip(reversed(path[:-1]), reversed(topic.split("/")), strict=True):
            child = node.children[level]
            if child.values or child.children:
                return
            del node.children[level]

    def find(self, name: str) -> Iterator[T]:
        """The values of all filters that match a name, each filter's once."""
        nodes = [self._root]
        for place, level in enumerate(name.split("/")):
            below: list[_Node[T]] = []
            for node in nodes:
                children = node.children
                wild = place or not name.startswith("$")
                if wild and "#" in children:
                    yield from children["#"].values
                if wild and "+" in children:
                    below.append(children["+"])
                if level in children:
                    below.append(children[level])
            nodes = below
            if not nodes:
                return
        for node in nodes:
            yield from node.values
            if "#" in node.children:
                yield from node.children["#"].values

    def __bool__(self) -> bool:
        return bool(self._root.children)
