"""Errors of writing: what the standard, or a declaration, does not let a request change."""

from mumian.kernel.errors import Conflict


class DeclaredStream(Conflict):
    """The stream is declared, and changes by its declaration alone; values: `name`."""

    key = "sensing.declared"


class DeclaredName(Conflict):
    """Declared streams know the entity by its name; values: `entity`, `name`."""

    key = "sensing.declared_name"


class Fixed(Conflict):
    """A link that cannot be changed or removed; values: `link`."""

    key = "sensing.fixed_link"


class Ended(Conflict):
    """A task that has come to its end; values: `status`."""

    key = "sensing.task_ended"


class Kept(Conflict):
    """A task or tasking capability belongs to a device and changes by its commands alone; values: `entity`."""

    key = "sensing.kept"


class Doubled(Conflict):
    """An observation would become the same as another; values: `other`."""

    key = "sensing.doubled"


class TooMany(Conflict):
    """More observations would be deleted than may at once; values: `limit`."""

    key = "sensing.too_many_observations"
