"""SM2 gives the standard's own numbers, agrees with OpenSSL both ways, and refuses everything else."""

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mumian.foundation.cryptography import rules
from mumian.foundation.cryptography.service import International, National, pem

# GB/T 32918.5-2017, annex A.2
PRIVATE = 0x3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8
NONCE = 0x59276E27D506861A16680F3AD9C02DCCEF3CC1FA3CDBE4CE6D54B80DEAC1BC21
PUBLIC = (
    0x09F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020,
    0xCCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13,
)
DIGEST = 0xF0B43E94BA45ACCAACE692ED534382EB17E6AB5A19CE7B31F4486FDFC0D28640
SIGNATURE = (
    0xF5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3,
    0xB1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA,
)
MINE = National(PRIVATE.to_bytes(32, "big"))
SCALARS = st.integers(1, rules.N - 2)


def test_the_example_of_the_standard_gives_its_numbers() -> None:
    assert rules.public_point(PRIVATE) == PUBLIC
    assert rules.message_digest(MINE.digest, PUBLIC, b"message digest") == DIGEST
    assert rules.sign(PRIVATE, DIGEST, NONCE) == SIGNATURE
    assert rules.verify(PUBLIC, DIGEST, SIGNATURE)


def test_sm3_gives_the_example_of_its_standard() -> None:
    assert MINE.digest(b"abc").hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"


@given(SCALARS, SCALARS, st.integers(0, 2**256 - 1))
@settings(max_examples=25, deadline=None)
def test_what_is_signed_verifies_and_nothing_beside_it_does(private: int, nonce: int, digest: int) -> None:
    public = rules.public_point(private)
    signature = rules.sign(private, digest, nonce)
    assert signature is not None
    r, s = signature
    assert rules.verify(public, digest, signature)
    assert not rules.verify(public, digest ^ 1, signature)
    assert not rules.verify(public, digest, (r, s ^ 1))
    assert not rules.verify(public, digest, (r ^ 1, s))
    assert not rules.verify(rules.public_point(private % (rules.N - 2) + 1), digest, signature)


@given(SCALARS, SCALARS)
@settings(max_examples=25, deadline=None)
def test_multiplication_agrees_with_addition_of_scalars(left: int, right: int) -> None:
    total = rules._add(rules._multiply(rules.G, left), rules._multiply(rules.G, right))
    if (left + right) % rules.N:
        assert rules._affine(total) == rules._affine(rules._multiply(rules.G, (left + right) % rules.N))
    else:
        assert total[2] == 0
    assert rules.on_curve(rules.public_point(left))


@pytest.mark.parametrize("pair", [(0, 1), (1, 0), (rules.N, 1), (1, rules.N), (1, rules.N - 1), (-1, 5), (2**300, 1)])
def test_numbers_out_of_range_are_no_signature(pair: tuple[int, int]) -> None:
    assert not rules.verify(PUBLIC, DIGEST, pair)


def test_a_point_off_the_curve_verifies_nothing() -> None:
    assert not rules.verify((PUBLIC[0], PUBLIC[1] ^ 1), DIGEST, SIGNATURE)
    assert not rules.verify((PUBLIC[0] + rules.P, PUBLIC[1]), DIGEST, SIGNATURE)


@pytest.mark.parametrize("make", [International, National])
@given(junk=st.binary(max_size=80), flip=st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_malformed_signatures_and_keys_are_refused_without_an_error(
    make: type[International] | type[National], junk: bytes, flip: int
) -> None:
    provider = make(PRIVATE.to_bytes(32, "big"))
    signature = provider.sign(b"head")
    assert provider.verify(provider.public_key, b"head", signature)
    assert not provider.verify(provider.public_key, b"head", junk)
    assert not provider.verify(junk, b"head", signature)
    place = flip % len(signature)
    changed = signature[:place] + bytes([signature[place] ^ (1 << flip % 8)]) + signature[place + 1 :]
    assert not provider.verify(provider.public_key, b"head", changed)
    assert not provider.verify(provider.public_key, b"head", signature + b"\0")


def _openssl(*arguments: str | Path) -> subprocess.CompletedProcess[bytes]:
    command = shutil.which("openssl")
    if command is None:
        pytest.skip("the openssl command is not installed")
    if b"SM2" not in subprocess.run([command, "ecparam", "-list_curves"], capture_output=True, check=True).stdout:
        pytest.skip("this openssl does not know SM2")
    return subprocess.run([command, *map(str, arguments)], capture_output=True, check=False)


def _written(folder: Path) -> tuple[Path, Path, Path]:
    private, public, message = folder / "key.pem", folder / "public.pem", folder / "message"
    private.write_text(pem("PRIVATE KEY", National.private_der(PRIVATE.to_bytes(32, "big"))))
    public.write_text(MINE.public_pem())
    message.write_bytes("城市体征 message".encode())
    return private, public, message


_SM2_OPTIONS: list[str] = ["-rawin", "-digest", "sm3", "-pkeyopt", "distid:1234567812345678"]


def test_openssl_verifies_our_signature_and_refuses_a_changed_one(tmp_path: Path) -> None:
    _, public, message = _written(tmp_path)
    signature = tmp_path / "signature"
    command = ["pkeyutl", "-verify", "-pubin", "-inkey", public, "-in", message, "-sigfile", signature, *_SM2_OPTIONS]
    signature.write_bytes(MINE.sign(message.read_bytes()))
    assert _openssl(*command).returncode == 0
    signature.write_bytes(MINE.sign(b"another message"))
    assert _openssl(*command).returncode != 0


def test_we_verify_the_signature_of_openssl_made_with_our_key_file(tmp_path: Path) -> None:
    private, _, message = _written(tmp_path)
    signature = tmp_path / "signature"
    made = _openssl("pkeyutl", "-sign", "-inkey", private, "-in", message, "-out", signature, *_SM2_OPTIONS)
    assert made.returncode == 0, made.stderr
    assert MINE.verify(MINE.public_key, message.read_bytes(), signature.read_bytes())
    assert not MINE.verify(MINE.public_key, message.read_bytes() + b".", signature.read_bytes())


def test_openssl_reads_the_same_public_key_from_our_private_key(tmp_path: Path) -> None:
    private, public, _ = _written(tmp_path)
    read = _openssl("pkey", "-in", private, "-pubout")
    assert read.stdout.decode() == public.read_text()
