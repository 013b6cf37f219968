"""What an action is given: who calls, the parameters with their files, and how they are taken out of them."""

import json
from dataclasses import dataclass, field
from typing import Any

from mumian.elements.opening.api import Opening
from mumian.elements.opening.ckan.errors import denied, wrong
from mumian.elements.opening.ckan.multipart import Upload
from mumian.foundation.identity.api import Caller
from mumian.kernel.platform import Platform


@dataclass(frozen=True)
class Ask:
    """One call of an action."""

    platform: Platform
    caller: Caller
    data: dict[str, Any]
    address: str
    peer: str
    language: str
    action: str = ""
    files: dict[str, Upload] = field(default_factory=dict)

    @property
    def opening(self) -> Opening:
        """Opening, whose face this is."""
        return self.platform.get(Opening)

    def text(self, name: str, default: str | None = None) -> str:
        """A text; required where it has no default."""
        value = self.data.get(name)
        if value is None or value == "":
            if default is None:
                raise wrong(**{name: "Missing value"})
            return default
        if isinstance(value, bool | int | float):
            return str(value)
        if not isinstance(value, str):
            raise wrong(**{name: "Must be a string"})
        if len(value) > 100_000 or "\x00" in value:
            raise wrong(**{name: "Must be shorter, and without control characters"})
        return value

    def number(self, name: str, default: int, most: int) -> int:
        """A whole number that is not negative; greater ones than `most` count as `most`."""
        value = self.data.get(name)
        if value is None or value == "":
            return default
        try:
            number = int(str(value))
        except ValueError:
            raise wrong(**{name: "Invalid integer"}) from None
        if number < 0:
            raise wrong(**{name: "Must be a natural number"})
        return min(number, most)

    def flag(self, name: str, default: bool = False) -> bool:
        """Yes or no."""
        value = self.data.get(name)
        return default if value is None else str(value).strip().lower() in ("true", "t", "1", "yes", "y", "on")

    def json(self, name: str) -> Any:
        """A value that may come as JSON text, as it does in GET; None where it is not given."""
        value = self.data.get(name)
        if isinstance(value, str) and value.strip()[:1] in ("{", "[", '"'):
            try:
                return json.loads(value)
            except (ValueError, RecursionError):
                raise wrong(**{name: "Could not parse as valid JSON"}) from None
        return None if value == "" else value

    def names(self, name: str) -> list[str]:
        """A list of texts, also from one text with commas."""
        value = self.json(name)
        if value is None:
            return []
        if isinstance(value, str):
            return [part.strip().strip('"') for part in value.split(",") if part.strip()]
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise wrong(**{name: "Not a list of strings"})
        return [str(one) for one in value]

    def must(self, action: str, owner: str | None = None) -> None:
        """Let pass only who may do this for an owner."""
        if self.caller.allowed(action, owner):
            return
        who = self.caller.login or self.caller.actor.id
        raise denied(
            f"User {who} not authorized to {action} for {owner}" if owner else f"{action} requires an authenticated user"
        )
