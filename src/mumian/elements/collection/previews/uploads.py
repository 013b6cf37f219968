"""Uploads: files of any size stream to the disk, for a preview or into a connector, however slowly they come."""

import asyncio
import shutil
from pathlib import Path

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from mumian.elements.collection.models import FilesSource
from mumian.elements.collection.previews.describing import Previews
from mumian.elements.collection.service.runner import Runner
from mumian.foundation.identity.api import authenticate, require
from mumian.kernel.errors import Invalid, MumianError, NotFound, StorageFull, TooLarge
from mumian.kernel.ids import new_id
from mumian.kernel.platform import Platform
from mumian.kernel.web.problems import problem_response

PREFIX = "/api/v1/elements/collection/uploads"


class Uploads:
    """`POST …/uploads?file=NAME` makes a preview, with `&connector=NAME` a run; the body is the file."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        try:
            answer = await self._serve(request)
        except MumianError as error:
            answer = problem_response(error, request.headers.get("accept-language"))
        except ClientDisconnect:
            return
        answer.headers["Connection"] = "close" if answer.status_code >= 400 else "keep-alive"
        await answer(scope, receive, send)

    async def _serve(self, request: Request) -> JSONResponse:
        if request.method != "POST" or request.url.path.rstrip("/") != PREFIX:
            raise NotFound(kind="page", name=request.url.path[:200])
        caller = await authenticate(self._platform, request.scope["headers"], "POST")
        connector = request.query_params.get("connector")
        require(caller, "connector:preview" if connector is None else "connector:run")
        file = request.query_params.get("file", "").replace("\\", "/").rpartition("/")[2].strip()[:200]
        if not file or any(ord(c) < 32 for c in file):
            raise Invalid.field("file", "field.missing")
        if connector is None:
            return await self._preview(request, file, caller.actor.id)
        spec = self._platform.declarations.get("Connector", connector).spec
        require(caller, "connector:run", self._platform.declarations.get("Dataset", spec.dataset).spec.owner)
        if not isinstance(spec.source, FilesSource):
            raise Invalid.field("connector", "collection.no_files", name=connector)
        run = new_id()
        folder = self._platform.home / "collection" / "uploads" / run
        await asyncio.to_thread(folder.mkdir, parents=True)
        try:
            await self._written(request, folder / "content")
            runner, given = self._platform.get(Runner), {"run": run, "path": str(folder / "content"), "file": file}
            await self._platform.records.write(lambda tx: runner.queue(tx, connector, "upload", given), caller.actor)
        except BaseException:
            await asyncio.to_thread(shutil.rmtree, folder, True)
            raise
        runner.wake()
        return JSONResponse({"run": run}, 202, {"Location": f"/api/v1/elements/collection/runs/{run}"})

    async def _preview(self, request: Request, file: str, by: str) -> JSONResponse:
        id_, path = await asyncio.to_thread(self._platform.get(Previews).place, file, by)
        try:
            await self._written(request, path)
        except BaseException:
            await asyncio.to_thread(shutil.rmtree, path.parent, True)
            raise
        return JSONResponse({"preview": id_}, 201, {"Location": f"/api/v1/elements/collection/previews/{id_}"})

    async def _written(self, request: Request, path: Path) -> None:
        """The body on the disk, part by part; raises TooLarge as soon as it is, and Invalid for an empty one."""
        most, size = self._platform.get(Runner).settings.upload_bytes, 0
        length = request.headers.get("content-length", "0")
        if length.isdigit() and int(length) > most:
            raise TooLarge(limit=f"{most} bytes")
        try:
            with path.open("wb") as stream:
                async for part in request.stream():
                    size += len(part)
                    if size > most:
                        raise TooLarge(limit=f"{most} bytes")
                    await asyncio.to_thread(stream.write, part)
        except OSError as error:
            raise StorageFull from error
        if size == 0:
            raise Invalid.field("file", "tables.empty")


def face(platform: Platform) -> ASGIApp:
    """The application that serves uploads."""
    return Uploads(platform)
