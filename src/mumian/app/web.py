"""The web application: every component's endpoints and faces, the web shell, and what they share."""

import asyncio
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from fastapi import FastAPI
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

import mumian
from mumian.app.endpoints import router
from mumian.kernel.discovery import Component, components
from mumian.kernel.errors import NotFound
from mumian.kernel.platform import Platform
from mumian.kernel.web import problems
from mumian.kernel.web.idempotency import once
from mumian.kernel.web.limits import Limits

_ENDS = ("", "/", "(", ".")


def create_asgi(platform: Platform) -> ASGIApp:
    """The whole city as one ASGI application; a component's part of it is built when it is first asked for."""
    faces: dict[str, ASGIApp] = {"/openapi.json": Late(lambda: create_api(platform))}
    for component in components():
        if component.has("endpoints"):
            own = Late(partial(_limited, platform, component))
            faces[component.url] = own
            faces |= {face: Late(partial(_mounted, platform, component, face, own)) for face in component.faces}
    return Dispatcher(_limited(platform), faces)


def create_api(platform: Platform, parts: Iterable[Component] | None = None) -> FastAPI:
    """The own API with its OpenAPI description, and the web shell below `/`; with all components or only these."""
    app = FastAPI(title="Mumian", version=mumian.__version__, docs_url=None, redoc_url=None, responses=problems.DESCRIBED)
    app.state.platform = platform
    problems.install(app)
    app.middleware("http")(once)
    app.include_router(router)
    for component in components() if parts is None else parts:
        module = component.module("endpoints")
        if hasattr(module, "router"):
            app.include_router(module.router)  # type: ignore[union-attr]
    _shell(app, platform.settings.web or web_folder())
    return app


def _limited(platform: Platform, *parts: Component) -> ASGIApp:
    return Limits(create_api(platform, parts), platform.settings.max_body_bytes)


def _mounted(platform: Platform, component: Component, face: str, own: ASGIApp) -> ASGIApp:
    """What a component mounts at this face, which bypasses the own API's layers; or else its own API."""
    made: list[tuple[str, Callable[[Platform], ASGIApp]]] = getattr(component.module("endpoints"), "MOUNTS", [])
    factory = dict(made).get(face)
    return own if factory is None else factory(platform)


def web_folder() -> Path:
    """Where the built web shell lies: inside an installed package, or in the checkout."""
    package = Path(mumian.__file__).resolve().parent
    inside = package / "web"
    return inside if inside.is_dir() else package.parent.parent / "web" / "dist"


def _shell(app: FastAPI, folder: Path) -> None:
    index = folder / "index.html"
    if (folder / "assets").is_dir():
        app.mount("/assets", _Hashed(directory=folder / "assets"), "assets")

    @app.api_route("/{path:path}", methods=["GET", "HEAD"], include_in_schema=False)
    def shell(path: str) -> FileResponse:
        file = _file(folder, path)
        if file is not None:
            return FileResponse(file)
        if path.startswith(("api/", "assets/")) or not index.is_file():
            raise NotFound(kind="page", name=f"/{path[:200]}")
        return FileResponse(index, headers={"Cache-Control": "no-cache"})


class _Hashed(StaticFiles):
    """Files whose names hold a hash of their content: a browser may keep them for ever."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """A file, marked as never changing."""
        response = await super().get_response(path, scope)
        if response.status_code == 200:
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


def _file(folder: Path, path: str) -> Path | None:
    """The file of the web shell at a path, or None; no path leads out of the folder."""
    try:
        file = (folder / path).resolve()
        return file if path and file.is_file() and file.is_relative_to(folder.resolve()) else None
    except (OSError, ValueError):
        return None


class Late:
    """An application that is built, off the event loop, when the first request for it comes."""

    def __init__(self, make: Callable[[], ASGIApp]) -> None:
        self._make = make
        self._app: ASGIApp | None = None
        self._building = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if self._app is None:
            async with self._building:
                if self._app is None:
                    self._app = await asyncio.to_thread(self._make)
        await self._app(scope, receive, send)


class Dispatcher:
    """Sends a request to the application at the longest matching prefix, or else to what belongs to the whole."""

    def __init__(self, app: ASGIApp, faces: dict[str, ASGIApp]) -> None:
        self._app = app
        self._faces = sorted(faces.items(), key=lambda item: -len(item[0]))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        path = scope.get("path", "")
        for prefix, face in self._faces:
            if path.startswith(prefix) and path[len(prefix) : len(prefix) + 1] in _ENDS:
                await face(scope, receive, send)
                return
        await self._app(scope, receive, send)
