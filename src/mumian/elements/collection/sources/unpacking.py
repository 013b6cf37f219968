"""Unpacking: compressed files, one table in each, never more than the bound whatever they say of themselves."""

import gzip
import zipfile
import zlib
from pathlib import Path
from typing import IO

from mumian.kernel.errors import Fault, Invalid, Malformed, TooLarge

_CHUNK = 1 << 20
_RATIO = 1000
_FREE = 64 * 1024 * 1024


def unpacked(path: Path, file: str, scratch: Path, most: int) -> tuple[Path, str]:
    """The file itself, or what a gzip or ZIP archive holds, with its name; raises Invalid, Malformed, TooLarge.

    Names within archives are never used as paths. An archive that would grow beyond all measure is not unpacked to its end.
    """
    with path.open("rb") as stream:
        begin = stream.read(4)
    packed = path.stat().st_size
    bound = min(most, max(_FREE, packed * _RATIO))
    try:
        if begin[:2] == b"\x1f\x8b":
            with gzip.open(path, "rb") as source:
                return _copied(source, scratch / "unpacked", bound), file.removesuffix(".gz")
        if begin == b"PK\x03\x04" and not _workbook(path):
            return _member(path, scratch, bound)
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise Malformed(Fault("file", "field.syntax", {"reason": str(error)[:200]})) from error
    return path, file


def _workbook(path: Path) -> bool:
    with zipfile.ZipFile(path) as archive:
        return any(name.lower() == "xl/workbook.xml" for name in archive.namelist()[:2000])


def _member(path: Path, scratch: Path, bound: int) -> tuple[Path, str]:
    with zipfile.ZipFile(path) as archive:
        members = [m for m in archive.infolist() if not m.is_dir() and not m.filename.startswith("__MACOSX/")]
        if len(members) != 1:
            raise Invalid.field("file", "collection.archive", files=len(members))
        if members[0].flag_bits & 1:
            raise Invalid.field("file", "collection.encrypted")
        with archive.open(members[0]) as source:
            return _copied(source, scratch / "unpacked", bound), Path(members[0].filename).name


def _copied(source: IO[bytes] | gzip.GzipFile, path: Path, bound: int) -> Path:
    size = 0
    with path.open("wb") as stream:
        while chunk := source.read(_CHUNK):
            size += len(chunk)
            if size > bound:
                path.unlink(missing_ok=True)
                raise TooLarge(limit=f"{bound} bytes")
            stream.write(chunk)
    return path
