"""Keys are made once, kept for their owner only, and a damaged one is refused by name."""

import errno
import logging
import os
from pathlib import Path

import pytest

from mumian.foundation.cryptography.api import Signature, open_cryptography
from mumian.foundation.cryptography.errors import BadKey, LostKey
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


@pytest.mark.parametrize("file", FILES)
def test_a_key_that_has_signed_and_is_gone_is_missed_and_not_replaced(tmp_path: Path, file: str) -> None:
    keys = tmp_path / "keys"
    signature = open_cryptography(keys).sign(b"head")[FILES.index(file)]
    (keys / file).unlink()
    with pytest.raises(LostKey) as caught:
        open_cryptography(keys)
    assert not (keys / file).exists()
    assert all(word in str(caught.value) for word in (file, signature.key_id, "keys.signed"))


def test_a_folder_of_keys_that_is_gone_as_a_whole_is_missed(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    open_cryptography(keys).sign(b"head")
    keys.rename(tmp_path / "elsewhere")
    with pytest.raises(LostKey):
        open_cryptography(keys)
    (tmp_path / "elsewhere").rename(keys)
    open_cryptography(keys).sign(b"head")


def test_another_key_in_the_place_of_one_that_has_signed_is_seen(tmp_path: Path) -> None:
    open_cryptography(tmp_path / "keys").sign(b"head")
    open_cryptography(tmp_path / "other")
    (tmp_path / "other" / FILES[0]).replace(tmp_path / "keys" / FILES[0])
    with pytest.raises(LostKey):
        open_cryptography(tmp_path / "keys")


def test_keys_that_never_signed_may_be_made_again_and_so_may_all_when_somebody_says_so(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    first = open_cryptography(keys).public_keys()
    (keys / FILES[0]).unlink()
    second = open_cryptography(keys)
    assert second.public_keys() != first
    second.sign(b"head")
    (keys / FILES[0]).unlink()
    (tmp_path / "keys.signed").unlink()
    assert open_cryptography(keys).public_keys() != second.public_keys()


def test_what_a_crash_left_half_made_does_not_stand_in_the_way(tmp_path: Path) -> None:
    for file in FILES:
        (tmp_path / f"{file}.{os.getpid()}").write_text("half")
    open_cryptography(tmp_path)


def test_new_keys_and_the_note_that_they_sign_are_durable_with_their_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    fsync = os.fsync

    def noted(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink().name.split(".")[0])
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    cryptography = open_cryptography(tmp_path / "keys")
    assert synced == [tmp_path.name, "ed25519", "keys", "sm2-sm3", "keys"]
    synced.clear()
    cryptography.sign(b"head")
    cryptography.sign(b"head")
    assert synced == ["keys", tmp_path.name]


def test_nothing_is_signed_that_is_not_noted_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cryptography = open_cryptography(tmp_path / "keys")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="full"):
        cryptography.sign(b"head")
    assert sorted(f.name for f in tmp_path.iterdir()) == ["keys"]


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
