"""Translations: error and label texts per language, gathered from the `i18n.yaml` of every component."""

from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any, Protocol

LANGUAGES = ("zh", "en")


class Placed(Protocol):
    """A fault, as the errors of the kernel have it: a translation key with values, and where it is."""

    @property
    def field(self) -> str: ...
    @property
    def key(self) -> str: ...
    @property
    def values(self) -> dict[str, Any]: ...
    @property
    def file(self) -> str | None: ...
    @property
    def line(self) -> int | None: ...


class Described(Protocol):
    """An error, as the kernel has it: a translation key with values, and its faults."""

    @property
    def key(self) -> str: ...
    @property
    def values(self) -> dict[str, Any]: ...
    @property
    def faults(self) -> tuple[Placed, ...]: ...


class _Lenient(Formatter):
    def get_value(self, key: int | str, args: Any, kwargs: Any) -> Any:
        return kwargs.get(key, "?") if isinstance(key, str) else "?"


@cache
def catalogue() -> dict[str, dict[str, str]]:
    """Every translation key with its texts by language; built once from all `i18n.yaml` files of the package."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    root = Path(__file__).resolve().parent.parent
    texts: dict[str, dict[str, str]] = {}
    for file in sorted(root.rglob("i18n.yaml")):
        texts.update(loader(file.read_text("utf-8")).get_single_data() or {})
    return texts


def text(key: str, language: str, **values: Any) -> str:
    """The message for `key`; a missing translation falls back to English, then to the key itself."""
    entry = catalogue().get(key)
    if entry is None:
        return key
    return _Lenient().format(entry.get(language) or entry.get("en") or key, **values)


def describe(error: Described, language: str) -> str:
    """A whole error in one language, each fault with its place, on lines of their own."""
    lines = [text(error.key, language, **error.values)]
    lines += [f"  {place(fault)}{text(fault.key, language, **fault.values)}" for fault in error.faults]
    return "\n".join(lines)


def place(fault: Placed) -> str:
    """Where a fault is: `file:line: field: `, as far as it is known."""
    where = "" if fault.file is None else f"{fault.file}:{fault.line or 1}: "
    return where + (f"{fault.field}: " if fault.field else "")


def preferred(accept_language: str | None, default: str = "en") -> str:
    """Choose `zh` or `en` from an Accept-Language header (RFC 9110 §12.5.4)."""
    best, best_weight = default, 0.0
    for part in (accept_language or "")[:1000].split(","):
        tag, _, quality = part.strip().partition(";")
        try:
            weight = float(quality.strip().removeprefix("q=")) if quality else 1.0
        except ValueError:
            continue
        language = tag.strip().lower()[:2]
        if language in LANGUAGES and weight > best_weight:
            best, best_weight = language, weight
    return best
