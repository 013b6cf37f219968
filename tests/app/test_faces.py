"""Each component's part of the API answers at its own prefix or at a face that its package names, and is built when asked for."""

import httpx
from fastapi import FastAPI

from mumian.app.web import create_api, create_asgi
from mumian.kernel.discovery import components
from mumian.kernel.platform import Platform

ENDS = ("", "/", "(", ".")


def test_every_path_lies_at_its_component_s_prefix_or_at_a_face_that_its_package_names(platform: Platform) -> None:
    whole = set(create_api(platform, ()).openapi()["paths"])
    lost = []
    for component in components():
        module = component.module("endpoints")
        part = FastAPI()
        if hasattr(module, "router"):
            part.include_router(module.router)  # type: ignore[union-attr]
        known = (component.url, *component.faces)
        asked = [*part.openapi()["paths"], *(prefix for prefix, _ in getattr(module, "MOUNTS", []))]
        lost += [
            f"{component.package}: {path}; name its prefix in FACES of the package's __init__.py"
            for path in asked
            if path not in whole and not any(path.startswith(p) and path[len(p) : len(p) + 1] in ENDS for p in known)
        ]
    assert lost == []


async def test_every_part_answers_as_the_whole_does(platform: Platform) -> None:
    faces, whole = (httpx.ASGITransport(app) for app in (create_asgi(platform), create_api(platform)))
    asked = [
        "/healthz",
        "/openapi.json",
        "/catalog.ttl",
        "/catalogue",
        "/api/v1/no-such",
        "/api/v1/foundation/ledger/head/no-such",
    ]
    asked += [f"{component.url}/no-such" for component in components()] + [
        "/api/v1/foundation/ledger/head",
        "/api/v1/declarations",
    ]
    async with (
        httpx.AsyncClient(transport=faces, base_url="http://test") as one,
        httpx.AsyncClient(transport=whole, base_url="http://test") as other,
    ):
        for path in asked:
            found, expected = await one.get(path), await other.get(path)
            assert (path, found.status_code, found.headers["content-type"]) == (
                path,
                expected.status_code,
                expected.headers["content-type"],
            )
