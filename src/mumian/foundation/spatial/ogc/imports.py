"""Imports: a file brought into a layer, its bytes being the body, with a report on every row."""

import asyncio
import shutil
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from mumian.foundation.spatial.features.bulk import MODES, Options
from mumian.foundation.spatial.importing.running import format_of
from mumian.foundation.spatial.ogc.request import Ask, json_answer
from mumian.foundation.spatial.store import features as store
from mumian.kernel.errors import Invalid, TooLarge

NAMES = ("crs", "encoding", "file", "key", "mode", "repair", "skip", "sublayer")


async def bring_in(ask: Ask) -> Response:
    """POST of a file: GeoJSON, GeoPackage, Shapefile (zip), FlatGeobuf, CSV, KML; `file` is its name, whose ending says which.

    Nothing is changed when any row is wrong, unless `skip=true` says that the good ones are wanted; `repair=true` mends areas
    that cross themselves; `key` names the property that identifies a feature; `mode` is replace, append or upsert.
    """
    ask.layer("layer:write")
    ask.allow(NAMES)
    name, options = _text(ask, "file", 200), _options(ask)
    if name is None:
        raise Invalid.field("file", "field.missing")
    format_of(name)
    spatial = ask.spatial
    folder = Path(await asyncio.to_thread(mkdtemp, prefix="mumian-upload-"))
    try:
        path = folder / f"upload{Path(name).suffix.lower()}"
        await _receive(ask.request, path, spatial.settings.import_bytes)
        version, report = await spatial.bulk.bring_in(ask.collection, path, name, options, ask.caller.actor)
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
    faults = [{"row": f.row, "field": f.field, "reason": f.reason} for f in report.faults]
    counted = {"rows": report.rows, "accepted": report.accepted, "refused": report.refused, "faults": faults}
    said = {"crs": report.crs, "encoding": report.encoding, "sublayers": report.layers, "sha256": report.digest}
    return json_answer({"version": version, **counted, **said}, 201)


async def listed(ask: Ask) -> Response:
    """The last hundred files that were brought in, newest first."""
    ask.layer("layer:history")
    ask.allow([])
    rows = await ask.platform.records.read(lambda session: store.imports(session, ask.collection))
    return json_answer({"items": rows})


def _options(ask: Ask) -> Options:
    mode = _text(ask, "mode", 10) or "replace"
    if mode not in MODES:
        raise Invalid.field("mode", "field.choice", expected=", ".join(MODES))
    texts: dict[str, Any] = {name: _text(ask, name, 200) for name in ("crs", "key", "sublayer", "encoding")}
    return Options(mode, **texts, skip=_flag(ask, "skip"), repair=_flag(ask, "repair"))


def _text(ask: Ask, name: str, most: int) -> str | None:
    text = ask.query.get(name)
    if text is not None and not (0 < len(text) <= most and text.isprintable()):
        raise Invalid.field(name, "field.length", expected=f"1…{most}")
    return text


def _flag(ask: Ask, name: str) -> bool:
    text = ask.query.get(name, "false")
    if text not in ("true", "false"):
        raise Invalid.field(name, "field.choice", expected="true, false")
    return text == "true"


async def _receive(request: Request, path: Path, most: int) -> None:
    size = 0
    with await asyncio.to_thread(path.open, "wb") as stream:
        async for part in request.stream():
            size += len(part)
            if size > most:
                raise TooLarge(limit=f"{most} bytes")
            await asyncio.to_thread(stream.write, part)
