"""Devices declared in files, and those of the city that comes with Mumian: entered, watched, changed and retired by apply."""

import pytest

from mumian.app.platform import apply_city
from mumian.foundation.devices import store
from mumian.foundation.devices.api import Devices
from mumian.foundation.devices.service.evidence import faults
from mumian.kernel.declarations.documents import read_text
from mumian.kernel.errors import Invalid
from mumian.kernel.platform import Platform
from tests.conftest import ROOT
from tests.foundation.devices.conftest import Town

STREAM = "{kind: Stream, name: s.level, title: {zh: 水位, en: Level}, spec: {thing: t, observed_property: level, unit: m}}"
DEVICE = """
kind: Device
name: gauge-1
title: {zh: 一号水位计, en: First gauge}
spec: {kind: level-gauge, owner: water, longitude: 113.25, latitude: 23.05, streams: {level: s.level}}
"""


async def test_a_declared_device_is_entered_in_its_district_and_retired_when_it_is_gone(town: Town) -> None:
    town.platform.declarations.apply_now(read_text(f"{STREAM}\n---{DEVICE}".encode()), "gauges")
    await town.platform.settle()
    device = await town.platform.records.read(lambda session: town.devices.find(session, "gauge-1"))
    assert (device.district, device.state, device.origin, device.streams) == (
        "110101",
        "in_service",
        "declaration",
        {"level": "s.level"},
    )
    town.platform.declarations.apply_now(read_text(STREAM.encode()), "gauges", prune=True)
    await town.platform.settle()
    device = await town.platform.records.read(lambda session: town.devices.find(session, "gauge-1"))
    assert (device.state, device.version) == ("retired", 3)
    assert await town.platform.records.read(lambda session: list(faults(session))) == []


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (("owner: water", "owner: nobody"), "spec.owner"),
        (("kind: level-gauge", "kind: nothing"), "spec.kind"),
        (("level: s.level", "level: nothing"), "spec.streams.level"),
        (("level: s.level", "flow: s.level"), "spec.streams.flow"),
        (("owner: water", "owner: water, properties: {height: -1}"), "spec.properties.height"),
        (("latitude: 23.05, ", ""), "spec"),
        (("name: gauge-1", "name: imports"), "name"),
    ],
)
async def test_a_declaration_that_does_not_fit_is_refused_by_its_field(town: Town, wrong: tuple[str, str], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        town.platform.declarations.plan(read_text(f"{STREAM}\n---{DEVICE.replace(*wrong)}".encode()), "gauges")
    assert field in [fault.field for fault in refused.value.faults]


async def test_the_city_that_comes_with_mumian_has_its_three_stations(platform: Platform) -> None:
    apply_city(platform, ROOT / "cities" / "guangzhou")
    await platform.settle()
    found = await platform.records.read(lambda session: store.page(session, {}, "", 100))
    assert [(device.code, device.state, device.district is not None) for device, _ in found] == [
        ("city-station", "in_service", True),
        ("fifth-middle-school", "in_service", True),
        ("us-post", "in_service", True),
    ]
    products = platform.get(Devices).products.listed()
    assert sum(product.streams for product in products) == 3
