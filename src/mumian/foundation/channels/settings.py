"""Settings of channels: the secrets that declarations name."""

import os

from mumian.kernel.errors import Unavailable


def secret(name: str) -> str:
    """The secret of that name, from `MUMIAN_SECRET_<NAME>` (`mail-password`: MUMIAN_SECRET_MAIL_PASSWORD); raises Unavailable."""
    variable = f"MUMIAN_SECRET_{name.replace('-', '_').upper()}"
    found = os.environ.get(variable)
    if not found:
        raise Unavailable(reason=f"the secret {name} is not set; put it into the environment variable {variable}")
    return found
