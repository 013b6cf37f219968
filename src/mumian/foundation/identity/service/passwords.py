"""Passwords: argon2id (RFC 9106), checked off the event loop and in the same time for logins that do not exist."""

import asyncio
import secrets
from functools import cached_property
from typing import TYPE_CHECKING

from mumian.foundation.identity.settings import IdentitySettings

if TYPE_CHECKING:
    from argon2 import PasswordHasher

_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
_AT_ONCE = 2


class Passwords:
    """Hashes and checks passwords, a few at a time, so that guessing cannot take all memory."""

    def __init__(self, settings: IdentitySettings) -> None:
        self._settings = settings
        self._gate = asyncio.Semaphore(_AT_ONCE)

    @cached_property
    def _hasher(self) -> "PasswordHasher":
        from argon2 import PasswordHasher

        return PasswordHasher(time_cost=self._settings.argon2_passes, memory_cost=self._settings.argon2_kib, parallelism=1)

    @cached_property
    def _nobody(self) -> str:
        return self.hash_now(secrets.token_urlsafe(24))

    def hash_now(self, password: str) -> str:
        """The argon2id hash of a password, with its parameters and a fresh salt."""
        return self._hasher.hash(_bytes(password))

    async def hash(self, password: str) -> str:
        """`hash_now`, off the event loop."""
        async with self._gate:
            return await asyncio.to_thread(self.hash_now, password)

    async def fits(self, known: str | None, password: str) -> bool:
        """Whether a password fits a hash; without one, the same work is done and the answer is no."""
        async with self._gate:
            return await asyncio.to_thread(self._fits, known, password)

    def _fits(self, known: str | None, password: str) -> bool:
        from argon2.exceptions import Argon2Error, InvalidHashError

        try:
            self._hasher.verify(known or self._nobody, _bytes(password))
        except (Argon2Error, InvalidHashError):
            return False
        return known is not None

    def outdated(self, known: str) -> bool:
        """Whether a hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(known)


def one_time() -> str:
    """A password to hand over once: twenty letters and digits that are hard to confuse, 99 random bits."""
    text = "".join(secrets.choice(_ALPHABET) for _ in range(20))
    return "-".join(text[i : i + 5] for i in range(0, 20, 5))


def _bytes(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")
