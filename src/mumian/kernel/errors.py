"""Errors: what can go wrong, as bare typed exceptions that carry a translation key and its fields."""

from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True)
class Fault:
    """One thing wrong with an input: where, what, and how to mend it.

    `key` is a translation key; `values` fill its placeholders. `field` is a JSON path such as `spec.levels[0].enter`.
    """

    field: str
    key: str
    values: dict[str, Any]
    file: str | None = None
    line: int | None = None


class MumianError(Exception):
    """The root of all expected errors; `key` names the message, `values` fill it."""

    key: ClassVar[str] = "error.internal"

    def __init__(self, *faults: Fault, **values: Any) -> None:
        self.values = values
        self.faults = faults
        super().__init__(self.key, values)

    def __str__(self) -> str:
        from mumian.kernel.i18n import describe

        return describe(self, "en")


class Invalid(MumianError):
    """The input cannot be understood or breaks a rule; `faults` name every field at once."""

    key = "error.invalid"

    @classmethod
    def field(cls, field: str, key: str, **values: Any) -> "Invalid":
        """An error about a single field, its message named by translation key."""
        return cls(Fault(field, key, values))


class Malformed(Invalid):
    """The bytes are not what their media type says (JSON, UTF-8, YAML)."""

    key = "error.malformed"


class NotFound(MumianError):
    """Nothing of that kind and name exists; values: `kind`, `name`."""

    key = "error.not_found"


class Conflict(MumianError):
    """The thing changed or is in a state that does not allow this."""

    key = "error.conflict"


class Stale(Conflict):
    """Someone else changed the thing since it was read; values: `expected`, `found`."""

    key = "error.stale"


class Unauthenticated(MumianError):
    """Nobody is signed in, or what was shown is not valid any more."""

    key = "error.unauthenticated"


class Forbidden(MumianError):
    """The caller is known and may not do this; values: `action`."""

    key = "error.forbidden"


class TooLarge(MumianError):
    """The request is larger than the stated limit; values: `limit`."""

    key = "error.too_large"


class TooMany(MumianError):
    """Too many requests; values: `seconds` to wait."""

    key = "error.too_many"


class Unavailable(MumianError):
    """A part that is needed does not answer just now; trying again later may work."""

    key = "error.unavailable"


class StorageFull(Unavailable):
    """The disk has no room; nothing was changed."""

    key = "error.storage_full"


class MissingPort(MumianError):
    """A component asked for a port that nobody provides; values: `port`."""

    key = "error.missing_port"
