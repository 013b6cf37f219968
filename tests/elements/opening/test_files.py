"""Downloads: every format holds the rows that the public may see, as a reader nobody here wrote finds them; ranges and ETags."""

import csv
import io
import json
from pathlib import Path

import httpx
import openpyxl
import pytest
import rdflib

from tests.elements.opening.conftest import BASE, SHOPS, Town

NAMES = ["编号", "name", "since", "seen", "lon", "lat", "fine"]


def got(town: Town, ending: str, **params: str) -> httpx.Response:
    with town.client() as client:
        answer = client.get(f"{BASE}/datasets/shops.open/data.{ending}", params=params)
    assert answer.status_code == 200, answer.text
    return answer


def test_csv_has_every_row_and_nothing_that_a_spreadsheet_would_run(town: Town) -> None:
    rows = list(csv.reader(io.StringIO(got(town, "csv").content.decode("utf-8"), newline="")))
    assert rows[0] == NAMES
    assert len(rows) == SHOPS + 1
    by_number = {row[0]: row for row in rows[1:]}
    assert by_number["0"][1] == '\'=HYPERLINK("http://bad")'
    assert by_number["1"][1:4] == ['a,"b"', "2014-01-02", "2014-01-01T00:00:01Z"]
    assert by_number["2"][1] == ""
    assert by_number["3"][1] == "茶 <tea> & \ncake"
    assert got(town, "csv", bom="true").content.startswith(b"\xef\xbb\xbf")


def test_xlsx_opens_with_text_as_text(town: Town) -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(got(town, "xlsx").content)).active
    assert sheet is not None
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert rows[0] == NAMES
    assert len(rows) == SHOPS + 1
    assert rows[1][1] == '=HYPERLINK("http://bad")'
    assert sheet.cell(2, 2).data_type == "s"
    assert rows[4][1] == "茶 <tea> & \ncake"


def test_json_json_lines_and_geojson_hold_typed_values(town: Town) -> None:
    rows = got(town, "json").json()
    assert len(rows) == SHOPS
    first = {
        "编号": 1,
        "name": 'a,"b"',
        "since": "2014-01-02",
        "seen": "2014-01-01T00:00:01Z",
        "lon": 113.201,
        "lat": 23.1,
        "fine": False,
    }
    assert rows[1] == {**first, "lon": pytest.approx(113.201)}
    assert [json.loads(line) for line in got(town, "jsonl").text.splitlines()] == rows
    places = got(town, "geojson").json()
    assert places["features"][1]["geometry"] == {"type": "Point", "coordinates": [pytest.approx(113.201), 23.1]}
    assert set(places["features"][1]["properties"]) == set(NAMES) - {"lon", "lat"}


def test_rdf_says_the_same_in_both_notations(town: Town) -> None:
    triples = rdflib.Graph().parse(data=got(town, "nt").text, format="nt")
    turtle = rdflib.Graph().parse(data=got(town, "ttl").text, format="turtle")
    assert len(triples) == SHOPS * 7 - 1
    assert len(turtle) == len(triples) + SHOPS
    assert set(triples) <= set(turtle)
    moment = rdflib.Literal("2014-01-01T00:00:01Z", datatype=rdflib.XSD.dateTime)
    assert len(list(turtle.subjects(None, moment))) == 1


def test_parquet_is_read_over_http_in_ranges(town: Town, tmp_path: Path) -> None:
    import duckdb

    content = got(town, "parquet").content
    path = tmp_path / "shops.parquet"
    path.write_bytes(content)
    described = duckdb.sql(f"DESCRIBE SELECT * FROM '{path}'").fetchall()
    assert [(row[0], row[1]) for row in described][:4] == [
        ("编号", "BIGINT"),
        ("name", "VARCHAR"),
        ("since", "DATE"),
        ("seen", "TIMESTAMP"),
    ]
    with town.client() as client:
        url = f"{BASE}/datasets/shops.open/data.parquet"
        head = client.head(url)
        assert int(head.headers["content-length"]) == len(content)
        tail = client.get(url, headers={"Range": "bytes=-8"})
        assert (tail.status_code, tail.content) == (206, content[-8:])
        middle = client.get(url, headers={"Range": "bytes=10-19", "If-Range": head.headers["etag"]})
        assert (middle.content, middle.headers["content-range"]) == (content[10:20], f"bytes 10-19/{len(content)}")
        assert client.get(url, headers={"Range": f"bytes={len(content)}-"}).status_code == 416


def test_a_file_keeps_its_etag_until_the_rows_change(town: Town) -> None:
    first = got(town, "csv")
    again = got(town, "csv")
    assert first.headers["etag"] == again.headers["etag"]
    assert first.content == again.content
    with town.client() as client:
        same = client.get(f"{BASE}/datasets/shops.open/data.csv", headers={"If-None-Match": first.headers["etag"]})
        assert (same.status_code, same.content) == (304, b"")
        part = client.get(f"{BASE}/datasets/shops.open/data.csv", headers={"Range": "bytes=3-30"})
        assert part.content == first.content[3:31]


@pytest.mark.parametrize(
    ("name", "ending", "status"),
    [
        ("shops.open", "exe", 404),
        ("nowhere", "csv", 404),
        ("hidden", "csv", 404),
        ("wards", "csv", 401),
        ("../../etc/passwd", "csv", 404),
    ],
)
def test_what_is_not_open_is_not_handed_out(town: Town, name: str, ending: str, status: int) -> None:
    with town.client() as client:
        assert client.get(f"{BASE}/datasets/{name}/data.{ending}").status_code in (status, 403 if status == 401 else status)


def test_the_catalogue_lists_the_files(town: Town) -> None:
    with town.client() as client:
        told = client.get("/api/v1/elements/catalog/datasets/shops.open").json()
        assert {"CSV", "XLSX", "JSON", "JSONL", "Parquet", "GeoJSON", "Turtle", "N-Triples"} <= {
            d["format"] for d in told["distributions"]
        }
        found = client.get("/api/v1/elements/catalog/search", params={"format": "GeoJSON"}).json()
        assert [item["name"] for item in found["items"]] == ["shops.open"]
        assert client.get("/dataset/shops.open.ttl").status_code == 200


def test_records_are_filtered_sorted_and_paged_to_the_end(town: Town) -> None:
    with town.client() as client:
        url = f"{BASE}/datasets/shops.open/records"
        asked = {"filters": '{"fine": true, "编号": [2, 4, 5]}', "sort": '"编号" desc', "fields": "编号,name"}
        answer = client.get(url, params=asked).json()
        assert [(item["编号"], item["name"]) for item in answer["items"]] == [(4, "shop 4"), (2, None)]
        assert answer["total"] == 2
        seen, following = [], None
        while True:
            page = client.get(url, params={"limit": 130, **({"cursor": following} if following else {})}).json()
            seen += [item["编号"] for item in page["items"]]
            following = page["next"]
            if following is None:
                break
        assert seen == list(range(SHOPS))
        assert client.get(url, params={"q": "tea cake"}).json()["total"] == 1
        assert client.get(url, params={"filters": "[]"}).status_code == 422
        assert client.get(url, params={"filters": '{"nothing": 1}'}).status_code == 422
        assert client.get(url, params={"sort": '"编号"; drop table x'}).status_code == 422
        assert client.get(url, params={"fields": "capacity"}).status_code == 422


def test_the_page_of_a_dataset_tells_how_it_can_be_had_and_shown(town: Town) -> None:
    with town.client() as client:
        page = client.get(f"{BASE}/datasets/shops.open").json()
        assert [chart["kind"] for chart in page["charts"]][:2] == ["map", "line"]
        assert page["check"] == "exempt"
        assert page["rows"] == SHOPS
        profile = client.get(f"{BASE}/datasets/shops.open/profile").json()
        fields = {field["name"]: field for field in profile["fields"]}
        assert list(fields) == NAMES
        assert fields["name"]["nulls"] == 1
        assert (fields["lon"]["min"], sum(fields["lon"]["histogram"])) == (113.2, SHOPS)
        assert {one["value"]: one["count"] for one in fields["fine"]["top"]} == {"true": 150, "false": 150}
        preview = client.get(f"{BASE}/datasets/shops.open/preview", params={"limit": 2}).json()
        assert [column["name"] for column in preview["columns"]] == NAMES
        assert (len(preview["rows"]), preview["total"]) == (2, SHOPS)
        described = client.get(f"{BASE}/datasets/shops.open/openapi.json").json()
        assert described["openapi"] == "3.1.0"
        table = client.get(f"{BASE}/datasets/shops.open/csvw.json").json()
        assert table["tableSchema"]["primaryKey"] == ["编号"]
