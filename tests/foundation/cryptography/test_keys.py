"""Keys are made once, kept for their owner only, and a damaged one is refused by name."""

import logging
from pathlib import Path

import pytest

from mumian.foundation.cryptography.api import Signature, open_cryptography
from mumian.foundation.cryptography.errors import BadKey
from mumian.kernel.errors import NotFound

FILES = ["ed25519.pem", "sm2-sm3.pem"]


def test_keys_are_made_at_the_first_start_and_kept(tmp_path: Path) -> None:
    first = open_cryptography(tmp_path / "keys")
    assert sorted(f.name for f in (tmp_path / "keys").iterdir()) == FILES
    assert open_cryptography(tmp_path / "keys").public_keys() == first.public_keys()
    assert open_cryptography(tmp_path / "other").public_keys() != first.public_keys()


@pytest.mark.parametrize("file", FILES)
def test_key_files_are_for_their_owner_only_even_when_someone_loosened_them(tmp_path: Path, file: str) -> None:
    open_cryptography(tmp_path)
    assert (tmp_path / file).stat().st_mode & 0o777 == 0o600
    (tmp_path / file).chmod(0o644)
    open_cryptography(tmp_path)
    assert (tmp_path / file).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("place", range(0, 200, 7))
def test_a_damaged_key_file_is_named_and_never_replaced_or_shown(tmp_path: Path, place: int) -> None:
    """An SM2 file repeats its public key, so every change shows."""
    open_cryptography(tmp_path)
    file = tmp_path / "sm2-sm3.pem"
    whole = file.read_bytes()
    damaged = whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]
    file.write_bytes(damaged)
    with pytest.raises(BadKey) as caught:
        open_cryptography(tmp_path)
    assert file.name in str(caught.value)
    assert whole.split(b"\n")[1].decode() not in str(caught.value)
    assert file.read_bytes() == damaged


@pytest.mark.parametrize("text", ["", "-----BEGIN PRIVATE KEY-----", "不是密钥", "\0" * 100])
@pytest.mark.parametrize("file", FILES)
def test_a_file_that_is_no_key_is_refused(tmp_path: Path, file: str, text: str) -> None:
    (tmp_path / file).write_text(text, "utf-8")
    with pytest.raises(BadKey):
        open_cryptography(tmp_path)


def test_both_suites_sign_and_verify_and_neither_takes_the_other_s_signature(tmp_path: Path) -> None:
    cryptography = open_cryptography(tmp_path)
    international, national = cryptography.sign(b"head")
    assert (international.algorithm, national.algorithm) == ("ed25519", "sm2-sm3") == cryptography.algorithms()
    assert cryptography.verify(b"head", international)
    assert cryptography.verify(b"head", national)
    assert not cryptography.verify(b"Head", international)
    assert not cryptography.verify(b"Head", national)
    assert not cryptography.verify(b"head", Signature("ed25519", international.key_id, national.value))
    assert not cryptography.verify(b"head", Signature("ed25519", national.key_id, international.value))
    assert not cryptography.verify(b"head", Signature("rsa", international.key_id, international.value))
    assert not cryptography.verify(b"head", Signature("ed25519", international.key_id, "no base64!"))


def test_suites_are_found_by_name(tmp_path: Path) -> None:
    cryptography = open_cryptography(tmp_path)
    assert len(cryptography.suite("national").digest(b"")) == len(cryptography.suite("international").digest(b"")) == 32
    assert cryptography.suite("national").digest(b"x") != cryptography.suite("international").digest(b"x")
    with pytest.raises(NotFound):
        cryptography.suite("martian")


def test_no_secret_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    open_cryptography(tmp_path).sign(b"head")
    for file in FILES:
        assert (tmp_path / file).read_text().split("\n")[1] not in caplog.text
