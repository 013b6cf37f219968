"""Pictures: snapshots, clips and evidence handed out, each look with its purpose in the evidence ledger before it leaves."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from mumian.foundation.storage.contracts import Objects
from mumian.foundation.video import store
from mumian.foundation.video.contracts import Camera, Clip, Detection, Look
from mumian.foundation.video.errors import BadFile, Gone, PurposeRefused
from mumian.foundation.video.events import ClipMade, PictureLooked
from mumian.foundation.video.service.errands import Errands
from mumian.kernel.clock import iso, parse_iso
from mumian.kernel.errors import Conflict, Fault, NotFound
from mumian.kernel.ids import new_id
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Actor, Session, Transaction

_CLIP_FPS = 12.5


@dataclass(frozen=True)
class Why:
    """Who looks and for what: one of the camera's allowed uses, and words of the looker's own."""

    actor: Actor
    purpose: str
    note: str = ""
    unmasked: bool = False


class Pictures:
    """Hands out pictures of cameras."""

    def __init__(self, platform: Platform, errands: Errands) -> None:
        self._platform = platform
        self._errands = errands

    @property
    def _objects(self) -> Objects:
        return self._platform.get(Objects)  # type: ignore[type-abstract]

    async def snapshot(self, code: str, at: float, why: Why) -> bytes:
        """A JPEG of now, or of `at` seconds into a file; raises NotFound, PurposeRefused, SourceUnavailable, VideoMissing."""
        camera, order = await self._order(code, why)
        order |= {"at": at, "areas": _areas(camera, why)}
        _, picture = await self._errands.run("snapshot", order)
        await self.looked(camera.code, "snapshot", "", why, sha256(picture).hexdigest())
        return picture

    async def record(self, code: str, at: float, seconds: float, why: Why) -> Clip:
        """Record a clip of now, or of `at` seconds into a file; masks are burnt in."""
        camera, order = await self._order(code, why)
        masked = bool(camera.masks) and not why.unmasked
        order |= {"at": at, "seconds": seconds, "fps": _CLIP_FPS, "areas": _areas(camera, why)}
        started = self._platform.clock.now()
        header, content = await self._errands.run("clip", order, seconds * (2 if camera.source == "rtsp" else 4))
        begins = started
        if camera.source == "file":
            begins = parse_iso(camera.recorded_from or camera.created) + timedelta(seconds=header["begin"])
        return await self._keep(camera, "recorded", begins, header, content, masked, why)

    async def hand_in(self, code: str, begins: datetime, content: bytes, why: Why) -> Clip:
        """Keep a clip made elsewhere, as it is; raises BadFile where it is no video."""
        camera, _ = await self._camera(code, why)
        if camera.masks:
            raise Conflict(reason="masks")
        header = await self._inspected(content)
        return await self._keep(camera, "handed in", begins, header, content, False, why)

    async def _inspected(self, content: bytes) -> dict[str, Any]:
        from tempfile import NamedTemporaryFile

        from mumian.foundation.video.errors import SourceUnavailable

        with NamedTemporaryFile(suffix=".video") as file:
            await asyncio.to_thread(Path(file.name).write_bytes, content)
            try:
                header, _ = await self._errands.run("inspect", {"address": file.name})
            except SourceUnavailable as error:
                raise BadFile(Fault("", "video.clip.unreadable", {"reason": str(error.values["reason"])})) from None
        return header

    async def _keep(
        self, camera: Camera, origin: str, begins: datetime, header: dict[str, Any], content: bytes, masked: bool, why: Why
    ) -> Clip:
        id_, now = new_id(), self._platform.clock.now()
        key = f"video/clips/{camera.code}/{id_}.mp4"
        made = Clip(
            id=id_,
            camera=camera.code,
            origin=origin,
            begins=iso(begins),
            ends=iso(begins + timedelta(seconds=max(0.0, header["seconds"]))),
            object=key,
            sha256=sha256(content).hexdigest(),
            bytes=len(content),
            codec=str(header["codec"]),
            width=int(header["width"]),
            height=int(header["height"]),
            masked=masked,
            purpose=why.purpose,
            made_by=why.actor.id,
            made=iso(now),
            expires=iso(now + timedelta(days=camera.retention_days)),
        )
        await asyncio.to_thread(self._objects.put, key, content)
        await self._platform.records.write(lambda tx: _keep_clip(tx, made), why.actor)
        return made

    async def clip(self, id_: str, why: Why, start: int, end: int | None) -> tuple[Clip, bytes]:
        """Bytes start … end (None: the last) of a clip; every read is a look. Raises NotFound, Gone, PurposeRefused."""
        made = await self._platform.records.read(lambda session: _clip(session, id_))
        camera, _ = await self._camera(made.camera, why)
        if made.object is None:
            raise Gone(name=id_, expired=made.expires)
        content = await asyncio.to_thread(self._objects.get, made.object)
        last = made.bytes - 1 if end is None else min(end, made.bytes - 1)
        whole = start == 0 and last == made.bytes - 1
        target = id_ if whole else f"{id_} {start}-{last}"
        await self.looked(camera.code, "clip", target, why, made.sha256 if whole else "")
        return made, content[start : last + 1]

    async def evidence(self, id_: str, why: Why) -> bytes:
        """The evidence picture of a detection (JPEG), masked unless a policy lets `why` see all and it was kept so."""
        found = await self._platform.records.read(lambda session: _detection(session, id_))
        camera, _ = await self._camera(found.camera, why)
        if found.picture is None:
            raise Gone(name=id_, expired=found.expires)
        content = await asyncio.to_thread(self._objects.get, found.picture)
        if not found.masked and camera.masks and not why.unmasked:
            content = await asyncio.to_thread(_masked, content, camera)
        await self.looked(camera.code, "detection", id_, why, sha256(content).hexdigest())
        return content

    async def looked(self, code: str, what: str, target: str, why: Why, digest: str) -> None:
        """Write a look down; the picture leaves only after this is durable."""

        def work(tx: Transaction) -> None:
            look = Look(
                id=new_id(),
                camera=code,
                time=tx.now_text,
                actor=tx.actor.id,
                what=what,
                target=target,
                purpose=why.purpose,
                note=why.note,
                unmasked=why.unmasked,
            )
            store.add_look(tx.session, look)
            tx.emit(
                PictureLooked(
                    subject=code,
                    what=what,
                    target=target,
                    purpose=why.purpose,
                    note=why.note,
                    unmasked=why.unmasked,
                    sha256=digest,
                )
            )

        await self._platform.records.write(work, why.actor)

    async def _camera(self, code: str, why: Why) -> tuple[Camera, str]:
        found = await self._platform.records.read(lambda session: (store.camera(session, code), store.secrets(session, code)))
        camera, sealed = found
        if camera is None:
            raise NotFound(kind="camera", name=code)
        if camera.uses and why.purpose not in camera.uses:
            raise PurposeRefused(action="camera:view", purpose=why.purpose, uses=", ".join(camera.uses))
        return camera, sealed

    async def _order(self, code: str, why: Why) -> tuple[Camera, dict[str, Any]]:
        camera, sealed = await self._camera(code, why)
        if camera.retired:
            raise NotFound(kind="camera", name=code)
        return camera, self._errands.order(camera, sealed)


def _areas(camera: Camera, why: Why) -> list[dict[str, Any]]:
    return [] if why.unmasked else [msgspec.to_builtins(mask) for mask in camera.masks]


def _masked(content: bytes, camera: Camera) -> bytes:
    from mumian.foundation.video.vision.masking import Area, masked_jpeg

    return masked_jpeg(content, [Area(mask.polygon, mask.mode) for mask in camera.masks])


def _keep_clip(tx: Transaction, made: Clip) -> None:
    store.add_clip(tx.session, made)
    names = ("camera", "origin", "begins", "ends", "sha256", "bytes", "masked", "purpose")
    tx.emit(ClipMade(subject=made.id, **{name: getattr(made, name) for name in names}))


def _clip(session: Session, id_: str) -> Clip:
    found = store.clip(session, id_)
    if found is None:
        raise NotFound(kind="clip", name=id_)
    return found


def _detection(session: Session, id_: str) -> Detection:
    found = store.detection(session, id_)
    if found is None:
        raise NotFound(kind="detection", name=id_)
    return found
