"""The web application: every component's endpoints and faces, the web shell, and what they share."""

from collections.abc import Callable
from pathlib import Path

from fastapi import FastAPI
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

import mumian
from mumian.app.endpoints import router
from mumian.kernel.discovery import components
from mumian.kernel.errors import NotFound
from mumian.kernel.platform import Platform
from mumian.kernel.web import problems
from mumian.kernel.web.idempotency import once
from mumian.kernel.web.limits import Limits


def create_asgi(platform: Platform) -> ASGIApp:
    """The whole city as one ASGI application; faces that are mounted (such as `/sta/v1.1`) bypass the own API's layers."""
    api = create_api(platform)
    mounts: dict[str, ASGIApp] = {}
    for component in components():
        module = component.module("endpoints")
        made: list[tuple[str, Callable[[Platform], ASGIApp]]] = getattr(module, "MOUNTS", [])
        mounts |= {prefix: factory(platform) for prefix, factory in made}
    return Dispatcher(Limits(api, platform.settings.max_body_bytes), mounts)


def create_api(platform: Platform) -> FastAPI:
    """The own API with its OpenAPI description, and the web shell below `/`."""
    app = FastAPI(title="Mumian", version=mumian.__version__, docs_url=None, redoc_url=None, responses=problems.DESCRIBED)
    app.state.platform = platform
    problems.install(app)
    app.middleware("http")(once)
    app.include_router(router)
    for component in components():
        module = component.module("endpoints")
        if hasattr(module, "router"):
            app.include_router(module.router)  # type: ignore[union-attr]
    _shell(app, platform.settings.web or web_folder())
    return app


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


class Dispatcher:
    """Sends a request to the face mounted at the longest matching prefix, or else to the own API."""

    def __init__(self, app: ASGIApp, mounts: dict[str, ASGIApp]) -> None:
        self._app = app
        self._mounts = sorted(mounts.items(), key=lambda item: -len(item[0]))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        path = scope.get("path", "")
        for prefix, face in self._mounts:
            if path == prefix or path.startswith((prefix + "/", prefix + "(")):
                await face(scope, receive, send)
                return
        await self._app(scope, receive, send)
