"""Keyed SM3 over columns is the standard's, whatever the lengths of keys and values, compiled and not."""

import hmac
from typing import Any

import numpy as np
import pytest
from cryptography.hazmat.primitives.hashes import SM3, Hash
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mumian.foundation.cryptography.api import column_tokens, compiled_tokens, token_states
from mumian.foundation.cryptography.columns import plain

# GB/T 32905-2016, annex A
EXAMPLES = {
    b"abc": "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0",
    b"abcd" * 16: "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732",
}
# Around the ends of blocks, where padding goes wrong: 55 bytes leave room for the length, 56 do not.
LENGTHS = st.sampled_from([0, 1, 3, 4, 18, 31, 32, 54, 55, 56, 57, 63, 64, 65, 119, 120, 128, 200])
VALUES = st.lists(LENGTHS.flatmap(lambda n: st.binary(min_size=n, max_size=n)), max_size=40)


class Reference:
    """SM3 of OpenSSL in the shape that `hmac` asks for."""

    digest_size, block_size = 32, 64

    def __init__(self, data: bytes = b"", hash_: Any = None) -> None:
        self._hash = hash_ or Hash(SM3())
        self._hash.update(data)

    def update(self, data: bytes) -> None:
        self._hash.update(data)

    def copy(self) -> "Reference":
        return Reference(hash_=self._hash.copy())

    def digest(self) -> bytes:
        return bytes(self._hash.copy().finalize())


def reference(key: bytes, value: bytes) -> bytes:
    return hmac.new(key, value, Reference).digest()


def test_the_examples_of_the_standard_give_their_digests() -> None:
    assert {message: plain.digest(message).hex() for message in EXAMPLES} == EXAMPLES


@settings(max_examples=40)
@given(key=LENGTHS.flatmap(lambda n: st.binary(min_size=n, max_size=n)), values=VALUES)
@example(key=b"", values=[b""])
@example(key=b"k" * 65, values=[b"a" * n for n in range(130)])
def test_tokens_without_numba_are_the_hmac_of_openssl(key: bytes, values: list[bytes]) -> None:
    found = plain.tokens(token_states(key), values)
    assert [bytes(row) for row in found] == [reference(key, value) for value in values]


@settings(max_examples=60)
@given(key=st.binary(max_size=80), values=VALUES)
@example(key=b"k", values=[b"a" * n for n in range(260)])
def test_compiled_tokens_are_the_hmac_of_openssl(key: bytes, values: list[bytes]) -> None:
    if compiled_tokens() is None:
        pytest.skip("numba is not installed")
    found = column_tokens(token_states(key), values)
    assert found.shape == (len(values), 32)
    assert found.dtype == np.uint8
    assert [bytes(row) for row in found] == [reference(key, value) for value in values]


def test_another_key_gives_other_tokens() -> None:
    one, other = (column_tokens(token_states(key), [b"440103199001010000"]) for key in (b"one", b"other"))
    assert bytes(one[0]) != bytes(other[0])
