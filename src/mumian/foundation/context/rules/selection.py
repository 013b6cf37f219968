"""Selection: which entities by type (ETSI GS CIM 009, 4.17) and by scope (4.19), in small languages of and, or and brackets."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import lru_cache

from mumian.foundation.context.errors import BadRequestData
from mumian.foundation.context.rules import texts

_DEEPEST = 20
_LONGEST = 4000


@dataclass(frozen=True)
class Leaf:
    """One type, or one scope."""

    text: str


@dataclass(frozen=True)
class Choice:
    """All of the parts, or any of them."""

    every: bool
    parts: tuple["Tree", ...]


Tree = Leaf | Choice


@lru_cache(maxsize=1024)
def parse(text: str, field: str) -> Tree:
    """A selection such as `(Building;House)|Street`; `,` and `|` are or, `;` is and. Raises BadRequestData."""
    if len(text) > _LONGEST:
        raise BadRequestData.field(field, "field.length", expected=f"≤ {_LONGEST}")
    tree, rest = _choice(text, field, 0)
    if rest:
        raise BadRequestData.field(field, "context.selection", given=rest[:60])
    return tree


def _choice(text: str, field: str, depth: int) -> tuple[Tree, str]:
    parts: list[Tree] = []
    while True:
        tree, text = _conjunction(text, field, depth)
        parts.append(tree)
        if not text.startswith((",", "|")):
            return (parts[0] if len(parts) == 1 else Choice(False, tuple(parts))), text
        text = text[1:]


def _conjunction(text: str, field: str, depth: int) -> tuple[Tree, str]:
    parts: list[Tree] = []
    while True:
        tree, text = _leaf(text, field, depth)
        parts.append(tree)
        if not text.startswith(";"):
            return (parts[0] if len(parts) == 1 else Choice(True, tuple(parts))), text
        text = text[1:]


def _leaf(text: str, field: str, depth: int) -> tuple[Tree, str]:
    if text.startswith("(") and depth < _DEEPEST:
        tree, rest = _choice(text[1:], field, depth + 1)
        if not rest.startswith(")"):
            raise BadRequestData.field(field, "context.selection", given=rest[:60])
        return tree, rest[1:]
    end = next((place for place, mark in enumerate(text) if mark in ",|;()"), len(text))
    word = text[:end]
    if field == "scopeQ":
        if not word.startswith("/") or word != word.strip():
            raise BadRequestData.field(field, "context.scope", given=word[:60])
    else:
        texts.name(word, field)
    return Leaf(word), text[end:]


def leaves(tree: Tree) -> list[str]:
    """The words of a selection."""
    return [tree.text] if isinstance(tree, Leaf) else [word for part in tree.parts for word in leaves(part)]


def typed(tree: Tree, types: Collection[str], expand: Callable[[str], str]) -> bool:
    """Whether an entity of these types is selected; `*` selects every type."""
    if isinstance(tree, Leaf):
        return tree.text == "*" or expand(tree.text) in types
    results = (typed(part, types, expand) for part in tree.parts)
    return all(results) if tree.every else any(results)


def scoped(tree: Tree, scopes: Collection[str]) -> bool:
    """Whether one of an entity's scopes is selected; `+` stands for any one level, `#` for all below."""
    if isinstance(tree, Leaf):
        pattern = tree.text.strip("/").split("/")
        return any(_scope(pattern, scope.strip("/").split("/")) for scope in scopes)
    results = (scoped(part, scopes) for part in tree.parts)
    return all(results) if tree.every else any(results)


def _scope(pattern: list[str], scope: list[str]) -> bool:
    if pattern[-1] == "#":
        pattern = pattern[:-1]
        scope = scope[: len(pattern)]
    return len(pattern) == len(scope) and all(want in ("+", have) for want, have in zip(pattern, scope, strict=True))
