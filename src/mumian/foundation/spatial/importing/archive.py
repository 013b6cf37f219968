"""Archives: a zip file is looked through before anything is unpacked, and unpacked by names of our own."""

import zipfile
from pathlib import Path, PurePosixPath

from mumian.foundation.spatial.importing.job import FORMATS, Unreadable

_MOST_ENTRIES = 2000
_MOST_RATIO = 200
_BESIDE = {".shp", ".shx", ".dbf", ".prj", ".cpg"}


def unpack(file: Path, folder: Path, most_bytes: int) -> Path:
    """The one file of features in a zip archive, unpacked into `folder`; a Shapefile comes with its companions.

    Raises Unreadable for archives that are broken, encrypted, too large when unpacked, or that try to leave the folder.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            entries = [info for info in archive.infolist() if not info.is_dir()]
            _check(entries, most_bytes)
            main = _main(entries)
            stem = PurePosixPath(main.filename).with_suffix("")
            found = folder / "unpacked"
            for info in entries:
                path = PurePosixPath(info.filename)
                beside = path.with_suffix("") == stem and path.suffix.lower() in _BESIDE
                if info is main or (beside and PurePosixPath(main.filename).suffix.lower() == ".shp"):
                    _extract(archive, info, found.with_suffix(path.suffix.lower()), most_bytes)
            return found.with_suffix(PurePosixPath(main.filename).suffix.lower())
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise Unreadable(f"the archive cannot be unpacked: {error}") from error
    except Exception as error:
        if type(error).__module__ in ("zlib", "lzma"):
            raise Unreadable(f"the archive is damaged: {error}") from error
        raise


def _check(entries: list[zipfile.ZipInfo], most_bytes: int) -> None:
    if len(entries) > _MOST_ENTRIES:
        raise Unreadable(f"the archive has more than {_MOST_ENTRIES} files")
    for info in entries:
        path = PurePosixPath(info.filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or ":" in info.filename:
            raise Unreadable(f"the archive names a file outside of itself: {info.filename[:100]!r}")
        if info.flag_bits & 1:
            raise Unreadable("the archive is encrypted")
        if info.file_size > 10_000_000 and info.file_size > _MOST_RATIO * max(info.compress_size, 1):
            raise Unreadable("the archive unpacks to far more than its size: it looks like a bomb")
    if sum(info.file_size for info in entries) > most_bytes:
        raise Unreadable(f"the archive unpacks to more than {most_bytes} bytes")


def _main(entries: list[zipfile.ZipInfo]) -> zipfile.ZipInfo:
    known = [info for info in entries if PurePosixPath(info.filename).suffix.lower() in FORMATS.keys() - {".zip", ".kmz", ".txt"}]
    visible = [info for info in known if not PurePosixPath(info.filename).name.startswith(("._", "."))]
    if not visible:
        raise Unreadable("the archive holds no file of features (.shp, .gpkg, .geojson, .kml, .fgb, .csv)")
    shapes = [info for info in visible if info.filename.lower().endswith(".shp")]
    chosen = shapes or visible
    if len(chosen) > 1:
        names = ", ".join(info.filename[:60] for info in chosen[:5])
        raise Unreadable(f"the archive holds several files of features ({names}); send them one by one")
    return chosen[0]


def _extract(archive: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path, most_bytes: int) -> None:
    """Copy no more than was promised, whatever the archive's directory says."""
    left = most_bytes
    with archive.open(info) as source, target.open("wb") as made:
        while part := source.read(1 << 20):
            left -= len(part)
            if left < 0:
                raise Unreadable(f"the archive unpacks to more than {most_bytes} bytes")
            made.write(part)
