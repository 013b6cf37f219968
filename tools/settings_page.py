"""Writes docs/settings.md from the settings classes themselves: `python -m tools.settings_page`."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from mumian.kernel.discovery import components

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "settings.md"

HEAD = """# Settings

Every setting is an environment variable; none is needed. This page is written from the code by `python -m tools.settings_page`.

| variable | default | what it does |
|---|---|---|
"""


def classes() -> Iterator[type[BaseSettings]]:
    """The settings classes: the platform's own first, then each component's."""
    modules = [import_module("mumian.kernel.settings"), *(component.module("settings") for component in components())]
    for module in modules:
        for value in vars(module).values() if module else ():
            if isinstance(value, type) and issubclass(value, BaseSettings) and value.__module__ == module.__name__:  # type: ignore[union-attr]
                yield value


def page() -> str:
    """The whole page."""
    rows = [_row(cls, name, field) for cls in classes() for name, field in cls.model_fields.items()]
    return HEAD + "".join(rows)


def _row(cls: type[BaseSettings], name: str, field: FieldInfo) -> str:
    variable = f"{cls.model_config.get('env_prefix', '')}{name}".upper()
    default = "a per-user folder" if field.default_factory else "" if field.default is None else f"`{field.default}`"
    if not field.description:
        raise SystemExit(f"{cls.__module__}.{cls.__name__}.{name} has no description; add one")
    return f"| `{variable}` | {default} | {field.description.replace('|', '&#124;')} |\n"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
