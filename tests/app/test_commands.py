"""The command line as a person meets it: every mistake is answered with what is wrong and how to mend it, never a traceback."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


def mumian(home: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    code = "from mumian.cli import main; main()"
    given = {"MUMIAN_HOME": str(home), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", **environment}
    return subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, env=given, timeout=60, check=False
    )


@pytest.mark.parametrize(("words", "environment", "told"), [
    (["up"], {"MUMIAN_PORT": "abc"}, "MUMIAN_PORT: must be a whole number"),
    (["up", "--port", "99999"], {}, "MUMIAN_PORT: is out of range"),
    (["get"], {"MUMIAN_RECORDS": "mysql://x"}, "MUMIAN_RECORDS: must be one of"),
    (["get"], {"MUMIAN_RECORDS": "postgresql://127.0.0.1:1/none"}, "the database does not answer"),
    (["get", "Gizmo"], {}, "There is no kind named"),
    (["apply", "nowhere"], {}, "There is no file named"),
    (["rollback", "7"], {}, "revision 7"),
    (["schema", "Gizmo"], {}, "Gizmo"),
    (["ledger", "export", "x.json", "--entry", "0"], {}, "ledger entry"),
    (["ledger", "keys", "/proc/x"], {}, "/proc/x"),
    (["buildings", "import", "nowhere.json", "--source", "x"], {}, "nowhere.json"),
    (["import", "observations", "nowhere.csv", "--stream", "x"], {}, "nowhere.csv"),
])  # fmt: skip
def test_a_mistake_is_named_with_its_place(tmp_path: Path, words: list[str], environment: dict[str, str], told: str) -> None:
    mumian(tmp_path / "home", "get")
    result = mumian(tmp_path / "home", *words, **environment)
    assert result.returncode == 1, result.stderr
    assert told in result.stderr
    assert "Traceback" not in result.stderr


def test_a_home_that_is_no_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("x")
    result = mumian(tmp_path / "home", "get")
    assert result.returncode == 1
    assert str(tmp_path / "home") in result.stderr
    assert "Traceback" not in result.stderr


def test_damaged_records_are_named(tmp_path: Path) -> None:
    (tmp_path / "home" / "records").mkdir(parents=True)
    (tmp_path / "home" / "records" / "city.sqlite").write_bytes(b"no database at all" * 100)
    result = mumian(tmp_path / "home", "get")
    assert result.returncode == 1
    assert "city.sqlite is damaged" in result.stderr


def test_a_terminal_in_chinese_is_answered_in_chinese(tmp_path: Path) -> None:
    assert "找不到" in mumian(tmp_path / "home", "get", "Gizmo", LANG="zh_CN.UTF-8").stderr


def test_passwords_in_settings_are_not_shown(tmp_path: Path) -> None:
    shown = mumian(tmp_path / "home", "settings", MUMIAN_RECORDS="postgresql://me:hidden-word@127.0.0.1/x").stdout
    assert "postgresql://me:…@127.0.0.1/x" in shown
    assert "hidden-word" not in shown


def test_the_home_is_closed_to_others(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir(mode=0o755)
    mumian(tmp_path / "home", "get")
    assert (tmp_path / "home").stat().st_mode & 0o077 == 0


def test_declarations_travel_through_the_command_line(tmp_path: Path) -> None:
    folder = tmp_path / "bureau"
    folder.mkdir()
    text = "kind: Organisation\nname: bureau\ntitle: {zh: 局, en: Bureau}\nspec: {level: city}\n"
    (folder / "one.yaml").write_text(text, "utf-8")
    home = tmp_path / "home"
    assert "+ Organisation bureau" in mumian(home, "diff", str(folder)).stdout
    assert "1 changes" in mumian(home, "apply", str(folder)).stdout
    (folder / "one.yaml").write_text(text.replace("Bureau", "Office"), "utf-8")
    assert "title.en: 'Bureau' → 'Office'" in mumian(home, "apply", str(folder)).stdout
    assert "en: Office" in mumian(home, "get", "Organisation", "bureau").stdout
    assert "~ Organisation bureau" in mumian(home, "rollback", "1").stdout
    assert "en: Bureau" in mumian(home, "get", "Organisation", "bureau").stdout
    assert "sound" in mumian(home, "ledger", "verify").stdout
    assert "level" in mumian(home, "explain", "Organisation").stdout


def test_buildings_come_in_from_a_file_once(tmp_path: Path) -> None:
    square = [[[113.3, 23.1], [113.301, 23.1], [113.301, 23.101], [113.3, 23.1]]]
    good = {"type": "Feature", "id": "a", "geometry": {"type": "Polygon", "coordinates": square}, "properties": {"h": 30}}
    broken = {"type": "Feature", "id": "b", "geometry": None, "properties": {}}
    file = tmp_path / "town.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": [good, broken]}), "utf-8")
    words = ("buildings", "import", str(file), "--source", "survey", "--height-field", "h")
    told = [mumian(tmp_path / "home", *words, *more) for more in (("--preview",), (), ("--json",))]
    assert [result.returncode for result in told] == [1, 1, 1], told[0].stderr
    assert "1 added, 0 changed, 0 repeated, 0 withdrawn, 1 refused" in told[0].stdout
    assert "1 added" in told[1].stdout
    report = json.loads(told[2].stdout)
    assert (report["added"], report["repeated"], report["refused"]) == (0, 1, 1)
