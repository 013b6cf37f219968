"""Devices declared in files: entered, changed and retired with their declarations."""

from typing import Any

from msgspec.structs import replace

from mumian.foundation.devices import store
from mumian.foundation.devices.contracts import Device
from mumian.foundation.devices.events import DeviceChanged, DeviceMoved, DeviceRegistered
from mumian.foundation.devices.models import DeviceSpec
from mumian.foundation.devices.service.life import tell
from mumian.kernel.declarations.kinds import Change, Declared
from mumian.kernel.unit_of_work import Transaction

_FIELDS = "kind owner state model maker operator address grid longitude latitude installed note properties streams".split()


def apply_device(tx: Transaction, change: Change) -> None:
    """Enter a declared device, bring it up to date, or retire it; its code and its history stay.

    Its district is found later, when the boundaries are in force that may come with the same declarations.
    """
    before = store.find(tx.session, change.name)
    if change.new is None:
        if before is not None and before.state != "retired":
            after = replace(before, state="retired", retired=tx.now_text[:10], due=None)
            _keep(tx, before, after, "retire", DeviceMoved)
        return
    fields = _fields(change.new)
    if before is None:
        device = Device(code=change.name, origin="declaration", changed=tx.now_text, **fields)
        store.insert(tx.session, device, tell(tx, DeviceRegistered, device, "register", "", fields))
        return
    _keep(tx, before, replace(before, **fields, origin="declaration"), "change", DeviceChanged)


def _fields(declared: Declared[DeviceSpec]) -> dict[str, Any]:
    return {**{name: getattr(declared.spec, name) for name in _FIELDS}, "name": declared.title["zh"]}


def _keep(tx: Transaction, before: Device, after: Device, action: str, type_: type[DeviceChanged | DeviceMoved]) -> None:
    names = [name for name in store.FIELDS if getattr(after, name) != getattr(before, name)]
    if not names:
        return
    after = replace(after, changed=tx.now_text, version=before.version + 1)
    changes = {name: getattr(after, name) for name in names}
    store.update(tx.session, after, names, before.version, tell(tx, type_, after, action, "", changes))
