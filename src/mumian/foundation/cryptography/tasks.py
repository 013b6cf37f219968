"""Opens the city's keys at start."""

from mumian.foundation.cryptography.api import Cryptography, open_cryptography
from mumian.kernel.platform import Platform


def register(platform: Platform) -> None:
    """Offer `Cryptography` with the keys under the data folder."""
    platform.provide(Cryptography, open_cryptography(platform.home / "keys"))
