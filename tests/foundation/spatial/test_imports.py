"""Behaviour of imports: what other programmes write is read, what is wrong is named by its row, and nothing broken breaks us."""

import io
import json
import random
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyogrio
import pytest
import shapely

from mumian.foundation.spatial.coordinates.transform import convert
from mumian.foundation.spatial.importing.job import Job, Report
from mumian.foundation.spatial.importing.running import format_of, run
from mumian.foundation.spatial.importing.worker import work
from mumian.foundation.spatial.rules.crs import parse_crs
from mumian.kernel.errors import Invalid

POINTS = [(113.3, 23.1), (113.4, 23.2)]
NAMES = ["天河", "越秀"]


def _read(path: Path, **options: Any) -> tuple[Report, list[tuple[Any, ...]]]:
    """The report, and the rows as (id, geometry, properties); read in this process, which is quicker."""
    out = path.parent / "rows.parquet"
    out.unlink(missing_ok=True)
    report = work(Job(path=str(path), format=format_of(path.name), out=str(out), **options))
    if report.unreadable is not None:
        return report, []
    with duckdb.connect() as con:
        found = con.execute("SELECT * FROM read_parquet($file)", {"file": str(out)}).fetchall()
    return report, [(fid, geometry and shapely.from_wkb(bytes(geometry)), json.loads(text)) for fid, geometry, text in found]


def _write(path: Path, driver: str, crs: str = "EPSG:4326", points: Any = POINTS, encoding: str = "UTF-8") -> Path:
    geometry = shapely.to_wkb([shapely.Point(*p) for p in points])
    fields = [np.array(NAMES, object), np.array([1, 2], np.int32), np.array([1.5, np.nan])]
    options = {"encoding": encoding} if driver == "ESRI Shapefile" else {}
    pyogrio.raw.write(path, geometry, fields, ["名称", "n", "x"], geometry_type="Point", crs=crs, driver=driver, **options)
    return path


def _zip(path: Path, folder: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, f"数据/{file.name}")
    return path


@pytest.mark.parametrize(("name", "driver"), [("a.gpkg", "GPKG"), ("a.fgb", "FlatGeobuf"), ("a.geojson", "GeoJSON")])
def test_files_that_gdal_writes_are_read(tmp_path: Path, name: str, driver: str) -> None:
    report, rows = _read(_write(tmp_path / name, driver))
    assert (report.accepted, report.refused) == (2, 0)
    assert sorted((g.x, g.y) for _, g, _ in rows) == POINTS
    assert sorted((p["名称"], p["n"], p["x"]) for _, _, p in rows) == [("天河", 1, 1.5), ("越秀", 2, None)]
    assert dict(report.properties)["n"] == "integer"


@pytest.mark.parametrize("system", ["EPSG:4490", "EPSG:4526", "EPSG:4547", "EPSG:3857"])
def test_a_file_that_names_its_system_is_turned_into_wgs84(tmp_path: Path, system: str) -> None:
    x, y = convert(*np.array(POINTS).T, parse_crs("CRS84"), parse_crs(system))
    report, rows = _read(_write(tmp_path / "a.gpkg", "GPKG", system, list(zip(x, y, strict=True))))
    assert report.crs == system
    assert np.array([(g.x, g.y) for _, g, _ in rows]) == pytest.approx(np.array(POINTS), abs=1e-7)


@pytest.mark.parametrize(("encoding", "declared"), [("GBK", True), ("GBK", False), ("UTF-8", True), ("UTF-8", False)])
def test_a_shapefile_is_read_in_its_own_encoding_and_system(tmp_path: Path, encoding: str, declared: bool) -> None:
    folder = tmp_path / "shape"
    folder.mkdir()
    x, y = convert(*np.array(POINTS).T, parse_crs("CRS84"), parse_crs("EPSG:4547"))
    _write(folder / "灯.shp", "ESRI Shapefile", "EPSG:4547", list(zip(x, y, strict=True)), encoding)
    if not declared:
        (folder / "灯.cpg").unlink(missing_ok=True)
    report, rows = _read(_zip(tmp_path / "a.zip", folder))
    assert report.crs == "EPSG:4547"
    assert [p["名称"] for _, _, p in rows] == NAMES
    assert (rows[0][1].x, rows[0][1].y) == pytest.approx(POINTS[0], abs=1e-6)


def test_gcj02_numbers_are_turned_back_when_the_reader_says_so(tmp_path: Path) -> None:
    x, y = convert(*np.array(POINTS).T, parse_crs("CRS84"), parse_crs("GCJ-02"))
    (tmp_path / "a.csv").write_text("经度,纬度\n" + "".join(f"{a},{b}\n" for a, b in zip(x, y, strict=True)), "utf-8")
    _, rows = _read(tmp_path / "a.csv", crs="GCJ-02")
    assert np.array([(g.x, g.y) for _, g, _ in rows]) == pytest.approx(np.array(POINTS), abs=1e-9)


def test_metres_without_a_system_are_refused_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,y\n433000,2557000\n433100,2557100\n", "utf-8")
    report, _ = _read(tmp_path / "a.csv")
    assert "crs" in (report.unreadable or "")
    assert _read(tmp_path / "a.csv", crs="EPSG:4547")[0].accepted == 2


def test_every_bad_row_of_a_csv_is_named_as_the_reader_counts(tmp_path: Path) -> None:
    text = "code,lon,lat,note\n01,113,23,a\n02,east,23,b\n03,113,91,c\n01,113,23,d\n05,113,23\n06,,,no place\n"
    (tmp_path / "a.csv").write_bytes(text.encode("gb18030"))
    report, rows = _read(tmp_path / "a.csv", key="code")
    assert [fault.row for fault in report.faults] == [3, 4, 5, 6]
    assert [fid for fid, _, _ in rows] == ["01", "06"]
    assert rows[1][1] is None


def test_a_csv_may_say_places_in_wkt(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("wkt\tn\nPOINT (113 23)\t1\nPOLYGON ((0 0, 1 1\t2\n", "utf-8")
    report, rows = _read(tmp_path / "a.tsv")
    assert [fault.row for fault in report.faults] == [3]
    assert rows[0][2] == {"n": 1}


def test_kml_is_read(tmp_path: Path) -> None:
    place = "<Placemark><name>广场</name><Point><coordinates>113.3,23.1,0</coordinates></Point></Placemark>"
    text = f'<?xml version="1.0" encoding="UTF-8"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document>{place}</Document></kml>'
    (tmp_path / "a.kml").write_text(text, "utf-8")
    _, rows = _read(tmp_path / "a.kml")
    assert [(g.x, g.y, p["Name"]) for _, g, p in rows] == [(113.3, 23.1, "广场")]


def test_areas_that_cross_themselves_are_named_or_mended(tmp_path: Path) -> None:
    ring = [[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]
    feature = {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [ring]}}
    (tmp_path / "a.geojson").write_text(
        json.dumps({"type": "FeatureCollection", "features": [feature, {"type": "Feature"}]}), "utf-8"
    )
    report, _ = _read(tmp_path / "a.geojson")
    assert [(fault.row, fault.field) for fault in report.faults] == [(1, "geometry")]
    mended, rows = _read(tmp_path / "a.geojson", repair=True)
    assert mended.refused == 0
    assert rows[0][1].is_valid


def _archive(**files: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/"), content)
    return made.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK\x03\x04 no archive",
        _archive(**{"..__..__evil.geojson": b"{}"}),
        _archive(**{"__etc__a.geojson": b"{}"}),
        _archive(**{"bomb.geojson": b" " * 60_000_000}),
        _archive(**{"readme.md": b"nothing"}),
        _archive(**{"a.geojson": b"{}", "b.geojson": b"{}"}),
        _archive(**{"a.zip": _archive(**{"a.geojson": b"{}"})}),
    ],
    ids=["empty", "broken", "traversal", "absolute", "bomb", "nothing", "several", "nested"],
)
def test_archives_that_are_no_gift_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.zip").write_bytes(content)
    report, rows = _read(tmp_path / "a.zip")
    assert report.unreadable is not None
    assert rows == []
    assert {file.name for file in tmp_path.iterdir()} <= {"a.zip", "extensions"}


def test_a_file_of_an_unknown_kind_is_refused_by_name() -> None:
    with pytest.raises(Invalid) as refused:
        format_of("plan.dwg")
    assert refused.value.faults[0].field == "file"


def test_a_worker_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("lon,lat\n1,2\n", "utf-8")
    job = Job(path=str(tmp_path / "a.csv"), format="csv", out=str(tmp_path / "rows.parquet"))
    assert "seconds" in (run(job, 0.01).unreadable or "")
    assert run(job).accepted == 1


def _mutations(content: bytes, seed: int) -> bytes:
    dice = random.Random(seed)
    made = bytearray(content)
    for _ in range(dice.choice([1, 3, 20, 100])):
        kind = dice.randrange(4)
        at = dice.randrange(max(1, len(made)))
        if kind == 0 and made:
            made[at] = dice.randrange(256)
        elif kind == 1:
            del made[at : at + dice.randrange(1, 64)]
        elif kind == 2:
            made[at:at] = bytes(dice.randrange(256) for _ in range(dice.randrange(1, 16)))
        else:
            made[at:at] = made[max(0, at - 32) : at]
    return bytes(made)


SEEDS: dict[str, Callable[[Path], Path]] = {
    "gpkg": lambda folder: _write(folder / "seed.gpkg", "GPKG"),
    "fgb": lambda folder: _write(folder / "seed.fgb", "FlatGeobuf"),
    "geojson": lambda folder: _write(folder / "seed.geojson", "GeoJSON"),
    "kml": lambda folder: _write(folder / "seed.kml", "KML"),
}


def _shapes(folder: Path) -> Path:
    inner = folder / "shape"
    inner.mkdir()
    _write(inner / "seed.shp", "ESRI Shapefile")
    return _zip(folder / "seed.zip", inner)


SEEDS["zip"] = _shapes


@pytest.mark.parametrize("kind", sorted(SEEDS))
def test_no_mutated_file_goes_without_an_answer(tmp_path: Path, kind: str) -> None:
    """Each file is read by a worker, as on a platform: whatever GDAL makes of it, a report comes back."""
    seed = SEEDS[kind](tmp_path).read_bytes()
    for number in range(4):
        file = tmp_path / f"mutated{number}.{kind}"
        file.write_bytes(_mutations(seed, number))
        report = run(Job(path=str(file), format=format_of(file.name), out=str(tmp_path / "rows.parquet")), 60)
        assert report.unreadable is not None or report.accepted + report.refused == report.rows
