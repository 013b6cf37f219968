"""Errands: snapshots, clips and probes, each made by a short-lived process that gets its order, and the address, over a pipe."""

import asyncio
import json
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mumian.foundation.video.contracts import Camera
from mumian.foundation.video.errors import SourceUnavailable, VideoMissing
from mumian.foundation.video.service.sealing import Seal
from mumian.foundation.video.settings import VideoSettings

_MOST_BYTES = 256 * 1024 * 1024
_LIBRARIES = ("av", "cv2")
_COMMAND = "pip install 'mumian[video]'"
WORKER = (sys.executable, "-m", "mumian.foundation.video.worker")


def installed(models: bool = False) -> bool:
    """Whether pictures can be decoded here, with `models` also judged."""
    return all(find_spec(name) is not None for name in (*_LIBRARIES, *(("onnxruntime",) if models else ())))


def require_libraries() -> None:
    """Raise VideoMissing, which names the command that mends it, where pictures cannot be decoded."""
    if not installed():
        raise VideoMissing(command=_COMMAND)


class Errands:
    """Runs errands, a few at a time; none outlives its time limit."""

    def __init__(self, settings: VideoSettings, seal: Seal, home: Path) -> None:
        self._settings = settings
        self._seal = seal
        self.files = settings.files or home / "video"
        self._room = asyncio.Semaphore(settings.errands)

    def order(self, camera: Camera, sealed: str) -> dict[str, Any]:
        """The address of a camera, opened, and whether it is live; raises SourceUnavailable where the file is not there."""
        try:
            address = self._seal.open(sealed, camera.code)
        except ValueError:
            raise SourceUnavailable(camera=camera.code, reason="sealed") from None
        if camera.source != "file":
            return {"camera": camera.code, "address": address, "live": True}
        folder = self.files.resolve()
        file = (folder / address.removeprefix("file:")).resolve()
        if not file.is_relative_to(folder) or not file.is_file():
            raise SourceUnavailable(camera=camera.code, reason="unreachable")
        return {"camera": camera.code, "address": str(file), "live": False}

    async def run(self, name: str, order: dict[str, Any], seconds: float = 0.0) -> tuple[dict[str, Any], bytes]:
        """Do an errand; raises SourceUnavailable where the source fails or time runs out, VideoMissing without libraries."""
        require_libraries()
        camera = str(order.get("camera", ""))
        async with self._room:
            process = await asyncio.create_subprocess_exec(
                *WORKER, name, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
            )
            try:
                work = process.communicate(json.dumps(order).encode())
                out, _ = await asyncio.wait_for(work, self._settings.errand_seconds + seconds)
            except TimeoutError:
                raise SourceUnavailable(camera=camera, reason="timeout") from None
            finally:
                if process.returncode is None:
                    with suppress(ProcessLookupError):
                        process.kill()
                    await process.wait()
        head, _, content = out.partition(b"\n")
        if process.returncode != 0 or not head or len(content) > _MOST_BYTES:
            raise SourceUnavailable(camera=camera, reason="failed")
        header: dict[str, Any] = json.loads(head)
        if "error" in header:
            raise SourceUnavailable(camera=camera, reason=header["error"])
        return header, content
