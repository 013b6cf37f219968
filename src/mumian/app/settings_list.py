"""Lists every setting of the platform and its components: its variable, its value now, its default and what it is for."""

import inspect
import re
from collections.abc import Iterator
from typing import Any

from pydantic_settings import BaseSettings

from mumian.kernel.discovery import components
from mumian.kernel.settings import Settings


def settings_classes() -> Iterator[type[BaseSettings]]:
    """The kernel's settings class, then those of the components in layer order."""
    yield Settings
    for component in components():
        module = component.module("settings")
        for _, member in inspect.getmembers(module, inspect.isclass):
            if issubclass(member, BaseSettings) and member.__module__ == getattr(module, "__name__", None):
                yield member


def _shown(value: Any) -> Any:
    """A value without the password of a connection string."""
    return re.sub(r"(://[^:/@]*):[^@]*@", r"\1:…@", value) if isinstance(value, str) else value


def listed() -> list[dict[str, Any]]:
    """One dictionary a setting: variable, value, default, description."""
    rows = []
    for class_ in settings_classes():
        now = class_()
        for name, field in class_.model_fields.items():
            variable = f"{class_.model_config.get('env_prefix', '')}{name}".upper()
            default = field.get_default(call_default_factory=True, validated_data={})
            rows.append(
                {"variable": variable, "value": _shown(getattr(now, name)), "default": default, "description": field.description}
            )
    return rows
