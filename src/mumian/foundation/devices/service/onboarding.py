"""Onboarding 统一接入: what goes into service becomes a Thing with the streams of its kind, what retires ends them."""

from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from mumian.foundation.devices.contracts import Device
from mumian.foundation.devices.models import DeviceKindSpec, StreamTemplate
from mumian.foundation.devices.service.capabilities import Capabilities
from mumian.foundation.sensing.api import Sensing
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Session, Transaction

ORIGIN = "device"


def stream_name(code: str, key: str) -> str:
    """The name of a device's own stream."""
    return f"device.{code}.{key}"


class Onboarding:
    """Makes and ends things and streams of devices, in the same commit as the step that asks for it."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._capabilities = Capabilities(platform)

    def begin(self, tx: Transaction, device: Device, kind: DeviceKindSpec) -> dict[str, Any]:
        """Make the thing, streams and tasking capabilities that the device lacks; returns the fields `thing` and `streams`."""
        lacking = {key: template for key, template in kind.streams.items() if key not in device.streams}
        if device.thing is not None or not (lacking or kind.commands):
            return {"thing": device.thing, "streams": device.streams}
        things = self._platform.get(Sensing).things
        row = {
            "name": device.name,
            "description": f"{device.maker} {device.model}".strip() or device.name,
            "properties": {"device": device.code, "kind": device.kind, "owner": device.owner},
            "origin": ORIGIN,
        }
        thing = things.add_thing(tx, row)
        self._place(tx, thing, device)
        made = {key: self._stream(tx, thing, device, key, template) for key, template in lacking.items()}
        self._capabilities.begin(tx, replace(device, thing=thing), kind)
        return {"thing": thing, "streams": {**device.streams, **made}}

    def follow(self, tx: Transaction, before: Device, after: Device, kind: DeviceKindSpec) -> None:
        """Let the thing stand where the device stands now, and its streams belong to whom the device belongs."""
        if after.thing is None:
            return
        if (before.longitude, before.latitude) != (after.longitude, after.latitude):
            self._place(tx, after.thing, after)
        if before.owner != after.owner:
            for key, template in kind.streams.items():
                if after.streams.get(key) == stream_name(after.code, key):
                    self._stream(tx, after.thing, after, key, template)

    def end(self, tx: Transaction, device: Device) -> None:
        """Let the device's own streams take no more observations; those that were declared stay as they are."""
        things = self._platform.get(Sensing).things
        for key, name in device.streams.items():
            if name == stream_name(device.code, key):
                things.retire(tx, name)

    def announce(self, names: Iterable[str] | None = None) -> None:
        """Let sensing know streams (None: very many) that a commit made, moved or ended; not on the event loop."""
        sensing = self._platform.get(Sensing)
        if names is None:
            sensing.registry.changed()
            return
        wanted = list(names)

        def read(session: Session) -> list[int]:
            found = [sensing.things.stream_named(session, name) for name in wanted]
            return [info.id for info in found if info is not None]

        sensing.registry.changed(self._platform.records.read_now(read))

    def _place(self, tx: Transaction, thing: int, device: Device) -> None:
        """Let the thing be where the device is from now on; its earlier places stay in its history."""
        if device.longitude is None or device.latitude is None:
            return
        things, name = self._platform.get(Sensing).things, device.address or device.name
        point = things.written({"type": "Point", "coordinates": [device.longitude, device.latitude]})
        values = {"name": name, "description": name, "encoding": "application/geo+json", "location": point, "properties": "{}"}
        values |= things.place((device.longitude, device.latitude, device.longitude, device.latitude))
        things.move(tx, thing, [things.insert(tx, "sensing_location", "sensing.location", values)], tx.now_text)

    def _stream(self, tx: Transaction, thing: int, device: Device, key: str, template: StreamTemplate) -> str:
        things = self._platform.get(Sensing).things
        title = {"zh": template.observed_property, "en": template.observed_property}
        title |= {str(language): text for language, text in (template.title or {}).items()}
        draft = things.StreamDraft(
            name=stream_name(device.code, key),
            title={language: f"{device.name} {text}" for language, text in title.items()},
            description=f"{device.name} {title['en']}",
            thing=thing,
            sensor=things.sensor_named(tx, template.sensor or device.model or device.kind),
            property=things.property_named(tx, template.observed_property),
            unit=template.unit,
            owner=device.owner,
            frequency_seconds=template.frequency_seconds,
            minimum=template.minimum,
            maximum=template.maximum,
            origin=ORIGIN,
            properties={"device": device.code},
        )
        things.register(tx, draft)
        return stream_name(device.code, key)
