"""What can go wrong with keys."""

from mumian.kernel.errors import MumianError


class BadKey(MumianError):
    """A key file is damaged; values: `file`, `marker`. Nothing of its contents is ever shown."""

    key = "cryptography.bad_key"


class LostKey(MumianError):
    """A key that has signed is not there any more, or another one is in its place; values: `file`, `key_id`, `marker`."""

    key = "cryptography.lost_key"
