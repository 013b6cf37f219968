"""The ledger of cameras: registered, changed, retired, imported; who may is decided before, what is possible here."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

import msgspec

from mumian.foundation.video import store
from mumian.foundation.video.contracts import Camera, Mask
from mumian.foundation.video.events import CameraChanged
from mumian.foundation.video.rules import addresses, codes
from mumian.foundation.video.rules.areas import polygon_fault
from mumian.foundation.video.service.sealing import Seal
from mumian.kernel.clock import iso, parse_iso
from mumian.kernel.declarations.service import Declarations
from mumian.kernel.errors import Conflict, Fault, Invalid, NotFound, Stale
from mumian.kernel.unit_of_work import Transaction, encode

_UNTOLD = ("health", "changed", "version", "created")


@dataclass(frozen=True)
class Draft:
    """A camera to register, or what shall change about one: only the fields in `given`."""

    given: dict[str, Any]


class Cameras:
    """Keeps cameras; every change is one event with the digest of the whole row."""

    def __init__(self, declarations: Declarations, seal: Seal) -> None:
        self._declarations = declarations
        self._seal = seal

    def create(self, tx: Transaction, code: str, given: dict[str, Any]) -> Camera:
        """Register a camera; raises Invalid, Conflict where its code is taken."""
        faults = list(self.faults(code, given))
        if "address" not in given:
            faults.append(Fault("address", "field.missing", {}))
        if "title" not in given:
            faults.append(Fault("title", "field.missing", {}))
        if faults:
            raise Invalid(*faults)
        known = store.camera(tx.session, code)
        if known is not None and not known.retired:
            raise Conflict(reason=code)
        made, sealed = self.made(known, code, given, tx.now)
        store.put_cameras(tx.session, [(made, sealed)])
        self._tell(tx, "created", known, made)
        return made

    def change(self, tx: Transaction, code: str, given: dict[str, Any], expected: int | None) -> Camera:
        """Change a camera; raises NotFound, Invalid, Stale where `expected` is not its version."""
        known = self.find(tx, code, expected)
        faults = list(self.faults(code, given))
        if faults:
            raise Invalid(*faults)
        made, sealed = self.made(known, code, given, tx.now, store.secrets(tx.session, code))
        if _told(made) == _told(known) and "address" not in given:
            return known
        store.put_cameras(tx.session, [(made, sealed)])
        self._tell(tx, "changed", known, made)
        return made

    def retire(self, tx: Transaction, code: str, expected: int | None) -> None:
        """Take a camera out of use: its history stays, its address is forgotten."""
        known = self.find(tx, code, expected)
        made = msgspec.structs.replace(known, retired=True, shown="", changed=iso(tx.now), version=known.version + 1)
        store.put_cameras(tx.session, [(made, "")])
        self._tell(tx, "retired", known, made)

    def find(self, tx: Transaction, code: str, expected: int | None = None) -> Camera:
        """A camera in use; raises NotFound, Stale."""
        known = store.camera(tx.session, code)
        if known is None or known.retired:
            raise NotFound(kind="camera", name=code)
        if expected is not None and expected != known.version:
            raise Stale(expected=expected, found=known.version)
        return known

    def faults(self, code: str, given: dict[str, Any]) -> Iterable[Fault]:
        """What is wrong with a code and fields, each fault by its field."""
        yield from _checked("code", code, codes.parse)
        if "address" in given:
            yield from _checked("address", given["address"], addresses.parse)
        for field in ("owner", "operator"):
            name = given.get(field)
            if name is not None and not any(d.name == name for d in self._declarations.all("Organisation")):
                yield Fault(field, "field.reference", {"kind": "Organisation", "name": name})
        if (given.get("longitude") is None) != (given.get("latitude") is None) and {"longitude", "latitude"} & given.keys():
            yield Fault("latitude" if given.get("latitude") is None else "longitude", "video.place.half", {})
        for index, mask in enumerate(given.get("masks") or ()):
            key = polygon_fault(mask["polygon"])
            if key is not None:
                yield Fault(f"masks[{index}].polygon", key, {"name": mask["name"]})

    def made(self, known: Camera | None, code: str, given: dict[str, Any], now: datetime, sealed: str = "") -> tuple[Camera, str]:
        """The camera as it will be, and its sealed address."""
        text = iso(now)
        fields: dict[str, Any] = dict(_EMPTY) if known is None or known.retired else msgspec.structs.asdict(known)
        fields |= {name: value for name, value in given.items() if name not in ("address", "masks", "recorded_from")}
        if "address" in given:
            address = addresses.parse(given["address"])
            fields |= {"source": address.source, "shown": address.shown}
            sealed = self._seal.close(address.whole, code)
        if "masks" in given:
            fields["masks"] = [msgspec.convert(mask, Mask) for mask in given["masks"]]
        if "recorded_from" in given:
            fields["recorded_from"] = given["recorded_from"] and iso(parse_iso(given["recorded_from"]))
        fields |= {"code": code, "changed": text, "retired": False}
        fields |= {"created": text, "version": 1} if known is None else {"created": known.created, "version": known.version + 1}
        return Camera(**fields), sealed

    def _tell(self, tx: Transaction, action: str, before: Camera | None, after: Camera) -> None:
        old = {} if before is None else _told(before)
        new = _told(after)
        fields = sorted(name for name in new if old.get(name) != new[name])
        tx.emit(
            CameraChanged(
                subject=after.code, action=action, version=after.version, fields=fields, owner=after.owner, digest=digest(after)
            )
        )


_EMPTY: dict[str, Any] = {
    "longitude": None,
    "latitude": None,
    "height": None,
    "heading": None,
    "field_of_view": None,
    "reach": None,
    "owner": None,
    "operator": None,
    "uses": [],
    "groups": [],
    "tags": [],
    "masks": [],
    "store_masked": True,
    "recorded_from": None,
    "retention_days": 30,
    "monitored": True,
    "health": "unknown",
}


def digest(camera: Camera) -> str:
    """SHA-256 of what a camera is, without its health and without its address's secrets."""
    return sha256(encode(_told(camera))).hexdigest()


def _told(camera: Camera) -> dict[str, Any]:
    return {name: value for name, value in msgspec.to_builtins(camera).items() if name not in _UNTOLD}


def _checked(field: str, value: str, parse: Callable[[str], object]) -> Iterable[Fault]:
    try:
        parse(value)
    except ValueError as error:
        yield Fault(field, str(error), {})
