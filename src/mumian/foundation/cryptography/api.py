"""Cryptography for other components: `platform.get(Cryptography)` digests, signs and verifies in either suite.

`token_states`, `column_tokens` and `compiled_tokens` make keyed SM3 tokens of whole columns.
"""

import base64
import binascii
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mumian.foundation.cryptography import service, store
from mumian.foundation.cryptography.contracts import Provider, PublicKey, Signature
from mumian.kernel.errors import NotFound

__all__ = [
    "Cryptography",
    "Provider",
    "PublicKey",
    "Signature",
    "column_tokens",
    "compiled_tokens",
    "open_cryptography",
    "token_states",
]


class Cryptography:
    """All suites of a city, each with its own key; `before_signing` is called ahead of each signature."""

    def __init__(self, providers: Sequence[Provider], before_signing: Callable[[], None] = lambda: None) -> None:
        self._before_signing = before_signing
        self._providers = {provider.suite: provider for provider in providers}
        self._by_algorithm = {provider.algorithm: provider for provider in providers}

    def suite(self, name: str) -> Provider:
        """The provider of the suite `international` or `national`; raises NotFound."""
        try:
            return self._providers[name]
        except KeyError:
            raise NotFound(kind="suite", name=name) from None

    def sign(self, message: bytes) -> tuple[Signature, ...]:
        """Signatures over `message` by every suite, in the order of the algorithms' names."""
        self._before_signing()
        return tuple(
            Signature(p.algorithm, service.key_id(p.public_key), base64.b64encode(p.sign(message)).decode())
            for _, p in sorted(self._by_algorithm.items())
        )

    def verify(self, message: bytes, signature: Signature) -> bool:
        """Whether a signature over `message` is by this city's own key of that algorithm."""
        provider = self._by_algorithm.get(signature.algorithm)
        if provider is None or signature.key_id != service.key_id(provider.public_key):
            return False
        try:
            value = base64.b64decode(signature.value, validate=True)
        except (binascii.Error, ValueError):
            return False
        canonical = base64.b64encode(value).decode() == signature.value
        return canonical and provider.verify(provider.public_key, message, value)

    def algorithms(self) -> tuple[str, ...]:
        """The names of the signature algorithms, sorted."""
        return tuple(sorted(self._by_algorithm))

    def public_keys(self) -> tuple[PublicKey, ...]:
        """The public keys, to be published where the city's evidence shall be verified."""
        return tuple(
            PublicKey(p.algorithm, service.key_id(p.public_key), p.public_key.hex(), p.public_pem())
            for _, p in sorted(self._by_algorithm.items())
        )


def open_cryptography(folder: Path) -> Cryptography:
    """Both suites in software with the keys in `folder`, which are made there at the first start; raises BadKey, LostKey.

    Keys that have signed are named in the file `….signed` beside the folder; they are never replaced by new ones.
    """
    files = store.KeyFolder(folder)
    made: list[Provider] = []
    for kind in (service.International, service.National):
        made.append(kind(files.load_or_create(kind.algorithm, kind.generate, kind.private_der, kind.private_from_der)))
    keys = {provider.algorithm: service.key_id(provider.public_key) for provider in made}
    files.check(keys)
    return Cryptography(made, lambda: files.mark(keys))


def token_states(key: bytes) -> NDArray[np.uint32]:
    """What HMAC-SM3 (RFC 2104, GB/T 32905) needs of a key of any length: 16 words, the states after its inner and outer block.

    It is as secret as the key.
    """
    from mumian.foundation.cryptography.columns import plain

    return plain.states(key)


def column_tokens(states: NDArray[np.uint32], values: Sequence[bytes]) -> NDArray[np.uint8]:
    """The HMAC-SM3 of each value: an array of 32 bytes a row. Compiled where numba is installed, with numpy elsewhere."""
    from mumian.foundation.cryptography.columns import plain

    kernels = compiled_tokens()
    if kernels is None:
        return plain.tokens(states, values)
    offsets = np.zeros(len(values) + 1, np.int64)
    np.cumsum([len(value) for value in values], out=offsets[1:])
    tokens: NDArray[np.uint8] = kernels.column(states, offsets, np.frombuffer(b"".join(values) or b"\0", np.uint8))
    return tokens


def compiled_tokens() -> Any:
    """The module of compiled kernels, for other compiled code to call (`hmac_lanes`, `room`, `byte_at`); None without numba.

    They are compiled at the first call of a machine, which takes seconds, and kept in `NUMBA_CACHE_DIR`.
    """
    try:
        from mumian.foundation.cryptography.columns import compiled
    except ImportError:
        return None
    return compiled
