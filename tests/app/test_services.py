"""How services enter a city: by themselves, and without keeping a city from starting that they do not fit."""

from pathlib import Path

from mumian.app.platform import apply_city
from mumian.kernel.platform import Platform

_CITY = """
kind: Organisation
name: town
title: {zh: 镇, en: Town}
spec: {level: city}
"""


async def test_a_service_that_does_not_fit_the_city_is_told_of_and_left_out(platform: Platform, tmp_path: Path) -> None:
    (tmp_path / "town").mkdir()
    (tmp_path / "town" / "town.yaml").write_text(_CITY, "utf-8")
    lines = apply_city(platform, tmp_path / "town")
    assert "+ Organisation town" in lines
    assert "! services/environment is not in force" in lines
    assert any("does not exist; declare it" in line for line in lines)
    assert platform.declarations.all("Vital") == []


async def test_the_services_of_the_city_are_in_force(city: Platform) -> None:
    assert {d.source for d in city.declarations.all("Vital")} == {"services/environment"}
