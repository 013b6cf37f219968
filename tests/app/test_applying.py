"""Applying folders: under which label, when a service's folder is applied again, and what one file may not do."""

from pathlib import Path

import pytest

from mumian.app import platform as composition
from mumian.app.platform import apply_city, apply_services, source_of
from mumian.foundation.identity.kinds import KINDS
from mumian.foundation.storage.api import open_records
from mumian.kernel.clock import SystemClock
from mumian.kernel.declarations.documents import read_text
from mumian.kernel.declarations.service import Declarations
from mumian.kernel.discovery import Component
from mumian.kernel.migrations import migrate
from mumian.kernel.platform import Platform
from mumian.kernel.settings import Settings
from tests.app.test_commands import mumian


def organisation(name: str, title: str = "Bureau") -> str:
    return f"---\nkind: Organisation\nname: {name}\ntitle: {{zh: 局, en: {title}}}\nspec: {{level: city}}\n"


def titles(platform: Platform) -> dict[str, str]:
    return {declared.name: declared.title["en"] for declared in platform.declarations.all("Organisation")}


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The declarations of the one service that is installed, from outside of the package."""
    folder = tmp_path / "site" / "mumian_parks" / "declarations"
    folder.mkdir(parents=True)
    (folder / "one.yaml").write_text(organisation("parks") + organisation("trees"), "utf-8")
    installed = (Component("services", "parks", "mumian_parks", folder.parent),)
    monkeypatch.setattr(composition, "components", lambda: installed)
    return folder


def test_what_was_edited_elsewhere_stands_until_the_folder_of_the_service_changes(service: Path, settings: Settings) -> None:
    platform = _opened(settings)
    apply_services(platform)
    platform.declarations.apply_now(read_text(organisation("parks", "Edited").encode()), "studio")
    assert apply_services(platform) == []
    assert titles(platform) == {"parks": "Edited", "trees": "Bureau"}
    (service / "one.yaml").write_text(organisation("parks", "Changed"), "utf-8")
    assert apply_services(platform) != []
    assert titles(platform) == {"parks": "Changed"}
    platform.records.close()


def test_a_city_is_applied_whenever_it_is_named_and_its_services_only_when_they_changed(
    service: Path, settings: Settings, tmp_path: Path
) -> None:
    platform = _opened(settings)
    city = tmp_path / "cities" / "town"
    city.mkdir(parents=True)
    (city / "one.yaml").write_text(organisation("hall"), "utf-8")
    assert apply_city(platform, city) == ["+ Organisation hall", "+ Organisation parks", "+ Organisation trees"]
    edits = organisation("hall", "Edited") + organisation("parks", "Edited")
    platform.declarations.apply_now(read_text(edits.encode()), "studio")
    apply_city(platform, city)
    assert titles(platform) == {"hall": "Bureau", "parks": "Edited", "trees": "Bureau"}
    platform.records.close()


def test_a_label_does_not_depend_on_how_a_folder_is_named(
    service: Path, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform = _opened(settings)
    city = tmp_path / "cities" / "town"
    city.mkdir(parents=True)
    (city / "one.yaml").write_text(organisation("hall"), "utf-8")
    monkeypatch.chdir(city)
    apply_city(platform, Path())
    assert platform.declarations.get("Organisation", "hall").source == "cities/town"
    assert {source_of(path) for path in (city, Path(), Path("one.yaml"), city / "one.yaml")} == {"cities/town"}
    assert platform.declarations.get("Organisation", "parks").source == source_of(service) == "services/parks"
    platform.records.close()


@pytest.mark.parametrize("command", ["diff", "apply"])
def test_one_file_may_not_prune_what_other_files_of_its_folder_declare(tmp_path: Path, command: str) -> None:
    folder, home = tmp_path / "town", tmp_path / "home"
    folder.mkdir()
    for name in ("a", "b"):
        (folder / f"{name}.yaml").write_text(organisation(name), "utf-8")
    mumian(home, "apply", str(folder))
    refused = mumian(home, command, str(folder / "a.yaml"), "--prune")
    assert refused.returncode == 1
    assert "--prune: with one file" in refused.stderr
    assert "Organisation" not in refused.stdout
    assert mumian(home, command, str(folder / "a.yaml")).stdout == "0 changes\n"
    assert mumian(home, command, str(folder), "--prune").stdout == "0 changes\n"


def _opened(settings: Settings) -> Platform:
    clock = SystemClock()
    records = open_records("sqlite", settings.home, clock)
    migrate(records)
    declarations = Declarations(records, {kind.name: kind for kind in KINDS})
    declarations.load()
    return Platform(settings, clock, records, declarations)
