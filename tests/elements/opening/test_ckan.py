"""CKAN's face, asked by ckanapi: what it reads, writes, searches and refuses is what a CKAN would give."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import ckanapi
import pytest

from tests.elements.opening.conftest import SHOPS, Town


def remote(town: Town, who: str | None = None, **more: Any) -> ckanapi.RemoteCKAN:
    return ckanapi.RemoteCKAN(town.address, apikey=None if who is None else town.keys[who], **more)


def test_anybody_reads_the_site(town: Town) -> None:
    with remote(town, get_only=True) as ckan:
        assert ckan.action.status_show()["ckan_version"].startswith("2.")
        assert ckan.action.site_read() is True
        names = ckan.action.package_list()
        assert {"shops.open", "patients", "wards"} <= set(names)
        assert "hidden" not in names
        package = ckan.action.package_show(id="shops.open")
        assert (package["title"], package["organization"]["name"], package["license_id"]) == ("Shops", "town", "cc-by")
        assert ckan.action.package_show(id=package["id"])["name"] == "shops.open"
        formats = {one["format"] for one in package["resources"]}
        assert {"CSV", "Parquet", "API"} <= formats
        assert ckan.action.resource_show(id=package["resources"][0]["id"])["package_id"] == package["id"]
        assert "town" in ckan.action.organization_list()
        town_ = ckan.action.organization_show(id="town", include_datasets=True)
        assert "shops.open" in [one["name"] for one in town_["packages"]]
        assert {"commerce", "health"} <= set(ckan.action.group_list())
        assert ckan.action.group_show(id="commerce")["package_count"] >= 1
        assert {"shops", "商铺"} <= set(ckan.action.tag_list())
        assert ckan.action.tag_show(id="商铺")["name"] == "商铺"
        assert ckan.action.tag_autocomplete(q="sho") == ["shops"]
        assert [one["name"] for one in ckan.action.package_autocomplete(q="shops")] == ["shops.open"]
        assert any(one["id"] == "cc-by" for one in ckan.action.license_list())
        assert "Return the metadata" in ckan.action.help_show(name="package_show")
        assert len(ckan.action.current_package_list_with_resources(limit=2)) == 2
        assert ckan.action.resource_search(query="format:Parquet")["count"] >= 1


def test_a_search_has_filters_facets_orders_and_pages(town: Town) -> None:
    with remote(town) as ckan:
        found = ckan.action.package_search(
            q="shops", **{"facet.field": ["organization", "groups", "res_format", "tags", "license_id"]}
        )
        assert [one["name"] for one in found["results"]] == ["shops.open"]
        assert found["search_facets"]["organization"]["items"] == [{"name": "town", "display_name": "Town", "count": 1}]
        assert found["facets"]["res_format"]["Parquet"] == 1
        assert found["facets"]["tags"] == {"shops": 1, "商铺": 1}
        for fq in (
            "organization:town +groups:commerce",
            'tags:"商铺"',
            "res_format:GeoJSON",
            "license_id:cc-by",
            "state:active +name:shops.open",
        ):
            assert [one["name"] for one in ckan.action.package_search(fq=fq)["results"]] == ["shops.open"], fq
        assert ckan.action.package_search(fq="-organization:town organization:town")["count"] == 0
        assert ckan.action.package_search(fq="private:true")["count"] == 0
        assert ckan.action.package_search(fq="metadata_modified:[* TO 2000-01-01T00:00:00Z]")["count"] == 0
        assert ckan.action.package_search(fq="metadata_modified:[NOW-1DAY TO *] name:shops.open")["count"] == 1
        assert "shops.open" not in [r["name"] for r in ckan.action.package_search(fq="-groups:commerce", rows=100)["results"]]
        every = [one["name"] for one in ckan.action.package_search(rows=100, sort="name asc")["results"]]
        assert [r["name"] for r in ckan.action.package_search(rows=100, sort="name desc")["results"]] == every[::-1]
        assert [one["name"] for one in ckan.action.package_search(rows=1, start=1, sort="name asc")["results"]] == every[1:2]
        with pytest.raises(ckanapi.SearchQueryError):
            ckan.action.package_search(fq="just words")
        with pytest.raises(ckanapi.SearchQueryError):
            ckan.action.package_search(sort="nothing desc")


def test_rows_are_searched_as_in_a_datastore(town: Town) -> None:
    with remote(town) as ckan:
        id_ = ckan.action.package_show(id="shops.open")["resources"][0]["id"]
        found = ckan.action.datastore_search(resource_id=id_, limit=2, sort='"编号" desc')
        assert (found["total"], [row["编号"] for row in found["records"]]) == (SHOPS, [SHOPS - 1, SHOPS - 2])
        assert [(f["id"], f["type"]) for f in found["fields"]][:3] == [("_id", "int"), ("编号", "int8"), ("name", "text")]
        assert found["fields"][1]["info"] == {"label": "Number"}
        assert found["records"][0]["seen"] == "2014-01-01T00:04:59"
        assert found["_links"]["next"].endswith("offset=2")
        asked = {"resource_id": id_, "filters": {"编号": [1, "4"], "fine": True}, "fields": "编号"}
        assert ckan.action.datastore_search(**asked)["records"] == [{"编号": 4}]
        assert ckan.action.datastore_search(resource_id=id_, q="cake", fields=["编号"], include_total=False)["records"] == [
            {"编号": 3}
        ]
        assert ckan.action.datastore_search(resource_id=id_, q={"name": "shop 299"})["total"] == 1
        distinct = ckan.action.datastore_search(resource_id=id_, fields="fine", distinct=True, sort="fine")
        assert (distinct["records"], distinct["total"]) == ([{"fine": False}, {"fine": True}], 2)
        lists = ckan.action.datastore_search(resource_id=id_, fields="编号,fine", limit=1, offset=5, records_format="lists")
        assert lists["records"] == [[5, False]]
        assert (
            ckan.action.datastore_search(resource_id=id_, fields="编号,fine", limit=1, records_format="csv")["records"]
            == "0,True\n"
        )
        assert (
            ckan.action.datastore_search(resource_id=id_, fields="编号,fine", limit=1, records_format="tsv")["records"]
            == "0\tTrue\n"
        )
        assert ckan.action.datastore_search(resource_id=id_, limit=0)["records"] == []
        info = ckan.action.datastore_info(id=id_)
        assert (info["meta"]["count"], info["fields"][0]["schema"]["uniquekey"]) == (SHOPS, True)
        for wrong in (
            {"filters": {"capacity": 1}},
            {"filters": {"编号": "x"}},
            {"sort": "nothing"},
            {"fields": "secret"},
            {"limit": "x"},
        ):
            with pytest.raises(ckanapi.ValidationError):
                ckan.action.datastore_search(resource_id=id_, **wrong)
        with pytest.raises(ckanapi.NotFound):
            ckan.action.datastore_search(resource_id="nothing")
        for closed in ("wards", "patients"):
            with pytest.raises(ckanapi.NotAuthorized):
                ckan.action.datastore_search(resource_id=closed)


def test_sql_reads_resources_by_id_and_nothing_else(town: Town) -> None:
    with remote(town) as ckan:
        id_ = ckan.action.package_show(id="shops.open")["resources"][0]["id"]
        sql = f'SELECT count(*) AS n, max("编号")::numeric AS most FROM "{id_}" WHERE name ILIKE \'shop%\''
        assert ckan.action.datastore_search_sql(sql=sql)["records"] == [{"n": SHOPS - 4, "most": SHOPS - 1}]
        joined = f'SELECT a."编号" FROM "{id_}" a JOIN "{id_}" b ON a."编号" = b."编号" + 1 ORDER BY 1 LIMIT 2'
        assert ckan.action.datastore_search_sql(sql=joined)["records"] == [{"编号": 1}, {"编号": 2}]
        for bad in (
            "SELECT 1; SELECT 2",
            f'DELETE FROM "{id_}"',
            "SELECT * FROM read_csv('/etc/passwd')",
            f'SELECT capacity FROM "{id_}"',
            f'SELECT pg_sleep(10) FROM "{id_}"',
            "SELECT",
        ):
            with pytest.raises((ckanapi.ValidationError, ckanapi.NotFound)):
                ckan.action.datastore_search_sql(sql=bad)
        for closed in ('SELECT * FROM "wards"', 'SELECT * FROM "patients"'):
            with pytest.raises(ckanapi.NotAuthorized):
                ckan.action.datastore_search_sql(sql=closed)


def test_a_publisher_writes_packages_of_the_own_organisation(town: Town) -> None:
    with remote(town, "nurse") as ckan, remote(town) as anybody:
        made = ckan.action.package_create(
            name="beds_2014",
            title="床位 2014",
            notes="Beds",
            license_id="odc-odbl",
            owner_org="clinic",
            tags=[{"name": "beds"}],
            groups=[{"name": "health"}],
            extras=[{"key": "coverage", "value": "town"}],
            resources=[{"url": "https://example.org/beds.csv", "format": "CSV", "name": "beds"}],
        )
        assert (made["name"], made["organization"]["name"], made["extras"]) == (
            "beds_2014",
            "clinic",
            [{"key": "coverage", "value": "town"}],
        )
        assert anybody.action.package_show(id=made["id"])["resources"][0]["url"] == "https://example.org/beds.csv"
        assert [one["name"] for one in anybody.action.package_search(q="床位")["results"]] == ["beds_2014"]
        with pytest.raises(ckanapi.ValidationError):
            ckan.action.package_create(name="beds_2014", owner_org="clinic")
        patched = ckan.action.package_patch(id="beds_2014", title="Beds", author="Ward A")
        assert (patched["title"], patched["author"], patched["notes"]) == ("Beds", "Ward A", "Beds")
        for name, organisation in (("theirs", "school"), ("mine", "nowhere")):
            with pytest.raises((ckanapi.NotAuthorized, ckanapi.ValidationError)):
                ckan.action.package_create(name=name, owner_org=organisation)
        for other in (remote(town, "teacher"), anybody):
            with pytest.raises(ckanapi.NotAuthorized):
                other.action.package_patch(id="beds_2014", title="Ours")
        with pytest.raises(ckanapi.NotAuthorized):
            ckan.action.package_patch(id="patients", title="declared in a file")
        private = ckan.action.package_patch(id="beds_2014", private=True)
        assert private["private"] is True
        with pytest.raises(ckanapi.NotFound):
            anybody.action.package_show(id="beds_2014")
        ckan.action.package_delete(id="beds_2014")
        with pytest.raises(ckanapi.NotFound):
            ckan.action.package_show(id="beds_2014")


def test_a_file_is_uploaded_downloaded_and_replaced(town: Town) -> None:
    content = b"a,b\r\n" + b"1,\xe8\x8c\xb6\r\n" * 200_000
    with remote(town, "nurse") as ckan:
        ckan.action.package_create(name="files", owner_org="clinic")
        made = ckan.action.resource_create(package_id="files", name="", upload=("../../茶.csv", io.BytesIO(content)))
        assert (made["size"], made["format"], made["url_type"], made["name"]) == (len(content), "CSV", "upload", "茶.csv")
        with town.client() as client:
            got = client.get(made["url"])
            assert (got.status_code, got.content) == (200, content)
            assert got.headers["content-disposition"].startswith("attachment")
        again = ckan.action.resource_patch(id=made["id"], upload=("x.html", io.BytesIO(b"<script>")))
        with town.client() as client:
            shown = client.get(again["url"])
            assert (shown.content, shown.headers["content-type"].split(";")[0]) == (b"<script>", "text/plain")
        assert [p.suffix for p in (town.platform.home / "uploads").iterdir()] == [".kept"]
        ckan.action.resource_delete(id=made["id"])
        assert list((town.platform.home / "uploads").iterdir()) == []
        with pytest.raises(ckanapi.NotFound):
            ckan.action.resource_show(id=made["id"])
        ckan.action.package_delete(id="files")


def test_records_are_created_upserted_and_deleted(town: Town) -> None:
    with remote(town, "nurse") as ckan, remote(town) as anybody:
        ckan.action.package_create(name="stock", owner_org="clinic")
        fields = [{"id": "item", "type": "text"}, {"id": "count", "type": "int"}, {"id": "price", "type": "numeric"}]
        records = [{"item": "tea", "count": 1, "price": 2.5}, {"item": "cake", "count": 2, "price": None}]
        made = ckan.action.datastore_create(
            resource={"package_id": "stock"}, fields=fields, records=records, primary_key=["item"]
        )
        id_ = made["resource_id"]
        ckan.action.datastore_upsert(
            resource_id=id_, records=[{"item": "tea", "count": 5, "price": 3}, {"item": "soup", "count": 7}]
        )
        town.run(town.platform.settle())
        found = anybody.action.datastore_search(resource_id=id_, sort="item", fields=["item", "count", "price"])
        assert [tuple(row.values()) for row in found["records"]] == [("cake", 2, None), ("soup", 7, None), ("tea", 5, 3.0)]
        assert anybody.action.resource_show(id=id_)["datastore_active"] is True
        ckan.action.datastore_delete(resource_id=id_, filters={"item": ["tea", "soup"]})
        assert anybody.action.datastore_search(resource_id=id_, fields=["item"])["records"] == [{"item": "cake"}]
        for bad in ([{"item": "x", "count": "many"}], [{"strange": 1}], ["x"]):
            with pytest.raises(ckanapi.ValidationError):
                ckan.action.datastore_upsert(resource_id=id_, records=bad)
        with pytest.raises(ckanapi.NotAuthorized):
            remote(town, "teacher").action.datastore_delete(resource_id=id_)
        assert anybody.action.datastore_search(resource_id=id_)["total"] == 1
        ckan.action.package_delete(id="stock")


def test_groups_and_organisations_are_written_by_those_who_may(town: Town) -> None:
    with remote(town, "chief") as ckan:
        made = ckan.action.group_create(name="tea", title="Tea 茶", description="All about tea")
        assert ckan.action.group_show(id=made["id"])["title"] == "Tea 茶"
        assert ckan.action.group_patch(id="tea", description="None")["title"] == "Tea 茶"
        ckan.action.group_delete(id="tea")
        ckan.action.organization_create(name="tea_house", title="Tea house", description="of the town")
        assert ckan.action.organization_show(id="tea_house")["description"] == "of the town"
        assert ckan.action.organization_patch(id="tea_house", title="Teahouse")["title"] == "Teahouse"
        ckan.action.organization_delete(id="tea_house")
        with pytest.raises(ckanapi.NotFound):
            ckan.action.organization_show(id="tea_house")
        assert {"chief", "nurse", "teacher"} <= {one["name"] for one in ckan.action.user_list()}
        assert ckan.action.user_show(id="nurse")["fullname"] == "nurse"
    with remote(town, "nurse") as ckan:
        assert [one["name"] for one in ckan.action.organization_list_for_user()] == ["clinic"]
        for denied in (ckan.action.group_create, ckan.action.organization_create):
            with pytest.raises(ckanapi.NotAuthorized):
                denied(name="tea2")


def test_errors_have_the_shapes_of_ckan(town: Town) -> None:
    with town.client() as client:
        unknown = client.get("/api/3/action/nothing")
        assert (unknown.status_code, unknown.json()) == (400, "Bad request - Action name not known: nothing")
        missing = client.get("/api/3/action/package_show")
        assert (missing.status_code, missing.json()["error"]) == (409, {"id": ["Missing value"], "__type": "Validation Error"})
        gone = client.get("/api/3/action/package_show?id=nothing").json()
        assert (gone["success"], gone["error"]["__type"]) == (False, "Not Found Error")
        assert gone["help"].endswith("/api/3/action/help_show?name=package_show")
        broken = client.post("/api/3/action/package_show", content=b"{", headers={"content-type": "application/json"})
        assert (broken.status_code, broken.json()[:26]) == (400, "Bad request - JSON Error: ")
        denied = client.post("/api/3/action/package_create", json={"name": "ab", "owner_org": "town"})
        assert (denied.status_code, denied.json()["error"]["__type"]) == (403, "Authorization Error")
        forged = client.get("/api/3/action/site_read", headers={"Authorization": "forged"})
        assert forged.json()["error"]["__type"] == "Authorization Error"
        assert client.get("/api/3/action/package_create").status_code == 400
        form = client.post("/api/3/action/package_show", data={"id": "shops.open"}).json()
        curl = client.post(
            "/api/3/action/package_show",
            content=b'{"id": "shops.open"}',
            headers={"content-type": "application/x-www-form-urlencoded"},
        )
        assert form["result"]["name"] == curl.json()["result"]["name"] == "shops.open"
        assert client.get("/api/3").json() == {"version": 3}


def test_dump_and_load_of_the_command_line_move_packages(town: Town, tmp_path: Path) -> None:
    def run(*command: str) -> str:
        environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        done = subprocess.run(
            [str(Path(sys.executable).parent / "ckanapi"), *command, "-r", town.address, "-a", town.keys["chief"]],
            capture_output=True, text=True, timeout=120, check=False, env=environment,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    dumped = [json.loads(line) for line in run("dump", "datasets", "--all", "--quiet").splitlines()]
    shops = next(one for one in dumped if one["name"] == "shops.open")
    moved = {**shops, "name": "shops_moved", "id": "5f1c1f0e-0000-4000-8000-000000000001"}
    moved["resources"] = [{**one, "id": f"moved-{i}"} for i, one in enumerate(moved["resources"])]
    source = tmp_path / "packages.jsonl"
    source.write_text(json.dumps(moved) + "\n", "utf-8")
    run("load", "datasets", "-I", str(source), "--quiet")
    again = json.loads(run("dump", "datasets", "shops_moved", "--quiet"))
    for key in ("id", "name", "title", "notes", "license_id", "url", "extras"):
        assert again[key] == moved[key], key
    assert [one["name"] for one in again["tags"]] == [one["name"] for one in moved["tags"]]
    assert [(one["id"], one["url"], one["format"]) for one in again["resources"]] == [
        (one["id"], one["url"], one["format"]) for one in moved["resources"]
    ]
    run("load", "datasets", "-I", str(source), "--quiet")
    assert "shops.open" in run("dump", "datasets", "--all", "--quiet", "--datastore-fields")
    with remote(town, "chief") as ckan:
        ckan.action.package_delete(id="shops_moved")
