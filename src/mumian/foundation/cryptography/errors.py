"""What can go wrong with keys."""

from mumian.kernel.errors import MumianError


class BadKey(MumianError):
    """A key file is damaged; values: `file`. Nothing of its contents is ever shown."""

    key = "cryptography.bad_key"
