"""The command line: thin commands that import what they need only when they run."""

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from mumian import __version__

app = App(
    name="mumian",
    version=__version__,
    help="The operating platform of a city 城市运行平台. MUMIAN_HOME names the data folder.",
)
ledger = App(name="ledger", help="The evidence ledger: prove what happened.")
new = App(name="new", help="Begin something new from a scaffold.")
app.command(ledger)
app.command(new)
address = App(name="address", help="Standard addresses: parse, geocode, import a library, train a parser.")
app.command(address)
import_ = App(name="import", help="Bring data in from files.")
app.command(import_)
devices = App(name="devices", help="The ledger of devices 物联设备台账.")
app.command(devices)
text = App(name="text", help="Text classifiers 文本分类: train on a city's own tickets, predict.")
app.command(text)
buildings = App(name="buildings", help="The city's buildings 城市信息模型.")
app.command(buildings)

Prune = Annotated[bool, Parameter(help="Delete what this folder no longer holds.")]
Json = Annotated[bool, Parameter(help="Print JSON for programmes.")]


@app.command
def up(*, host: str | None = None, port: int | None = None, city: Path | None = None) -> None:
    """Serve the city in MUMIAN_HOME; --city applies a folder of declarations first."""
    from mumian.app import commands

    commands.up(host, port, city)


@app.command
def demo(
    *,
    speed: float = 3600.0,
    from_: Annotated[str | None, Parameter(name="--from", help="First day to replay, like 2014-01-01.")] = None,
    days: int | None = None,
    headless: bool = False,
    json: Json = False,
    host: str = "127.0.0.1",
    port: int = 8080,
    city: Annotated[Path | None, Parameter(help="The city's folder; default: the one that comes with Mumian.")] = None,
) -> None:
    """Replay real data into an empty city, faster than real time, and watch it live."""
    from mumian.demo.api import DemoOptions, run

    sys.exit(run(DemoOptions(speed=speed, from_=from_, days=days, headless=headless, json=json, host=host, port=port, city=city)))


@app.command
def diff(path: Path, *, prune: bool = False, json: Json = False) -> None:
    """Show what applying a folder or file of declarations would change."""
    from mumian.app import commands

    commands.diff(path, prune, json)


@app.command
def apply(path: Path, *, prune: Prune = False, json: Json = False) -> None:
    """Put a folder or file of declarations into force: all or nothing, versioned and ledgered."""
    from mumian.app import commands

    commands.apply(path, prune, json)


@app.command
def rollback(to: Annotated[int, Parameter(help="The revision to return to; see: mumian get.")], *, json: Json = False) -> None:
    """Bring back the declarations of an earlier revision, as a new one."""
    from mumian.app import commands

    commands.rollback(to, json)


@app.command
def get(kind: str | None = None, name: str | None = None, *, json: Json = False) -> None:
    """List the history, the declarations of a kind, or print one as YAML."""
    from mumian.app import commands

    commands.get(kind, name, json)


@app.command
def schema(kind: str) -> None:
    """Print the JSON Schema of a kind."""
    from mumian.app import commands

    commands.schema(kind)


@app.command
def explain(kind: Annotated[str | None, Parameter(help="A kind, or a kind with a field: Vital.levels")] = None) -> None:
    """Explain a kind field by field, or list all kinds."""
    from mumian.app import commands

    commands.explain(kind)


@app.command
def settings(*, json: Json = False) -> None:
    """List every setting: its environment variable, its value now and what it is for."""
    from mumian.app import commands

    commands.settings(json)


@app.command
def check(path: Path | None = None) -> None:
    """Check services against the house rules: manifest, names, declarations, titles, tests."""
    from mumian.app import commands
    from mumian.scaffold.api import check as check_services

    findings = check_services(path)
    commands.report([str(finding) for finding in findings], "all services are in order")


@new.command(name="service")
def new_service(name: str, *, folder: Path | None = None) -> None:
    """Scaffold a service beside the others: one folder with a stream, a vital, a warning and an incident type that work."""
    from mumian.app import commands
    from mumian.scaffold.api import new_service as scaffold_service

    commands.guard(lambda: print(scaffold_service(name, folder)))


@ledger.command(name="verify")
def ledger_verify(*, json: Json = False) -> None:
    """Prove the whole chain: every entry, tree head and signature, and the evidence that they speak of."""
    from mumian.app import commands

    commands.ledger_verify(json)


@ledger.command(name="head")
def ledger_head() -> None:
    """Print the newest signed tree head."""
    from mumian.app import commands

    commands.ledger_head()


@ledger.command(name="export")
def ledger_export(file: Path, *, entry: int) -> None:
    """Write an entry with its inclusion proof and signed head, to be verified offline by tools/verify_ledger.py."""
    from mumian.app import commands

    commands.ledger_export(file, entry)


@ledger.command(name="keys")
def ledger_keys(folder: Path) -> None:
    """Write the public keys that heads are signed with as PEM files."""
    from mumian.app import commands

    commands.ledger_keys(folder)


@app.command(name="reset-password")
def reset_password(login: str) -> None:
    """Give a person a new one-time password and end their sessions."""
    from mumian.app import commands

    commands.reset_password(login)


@import_.command(name="observations")
def import_observations(
    file: Path,
    *,
    stream: Annotated[str | None, Parameter(help="The stream that all rows belong to.")] = None,
    stream_column: str | None = None,
    time_column: str = "time",
    result_column: str = "result",
    json: Json = False,
) -> None:
    """Bring observations from CSV or Parquet into the lake; broken rows are listed with their line numbers."""
    from mumian.app import commands

    commands.import_observations(file, stream, stream_column, time_column, result_column, json)


@devices.command(name="import")
def import_devices(
    file: Path,
    *,
    kind: Annotated[str | None, Parameter(help="The kind of rows that name none.")] = None,
    owner: Annotated[str | None, Parameter(help="The owner of rows that name none.")] = None,
    crs: Annotated[str, Parameter(help="The system of the positions: CRS84 (WGS 84), GCJ-02, BD-09, EPSG:4547 …")] = "CRS84",
    preview: Annotated[bool, Parameter(help="Only say what would be done.")] = False,
    json: Json = False,
) -> None:
    """Bring devices from CSV or XLSX into the ledger; rows that are not right are listed with line, column and what to do."""
    from mumian.app import commands

    commands.import_devices(file, kind, owner, crs, preview, json)


@buildings.command(name="import")
def import_buildings(
    file: Path,
    *,
    source: Annotated[str, Parameter(help="The data set: an object of the same source and id is changed, not added.")],
    owner: Annotated[str, Parameter(help="The organisation that answers for them.")] = "",
    crs: Annotated[str | None, Parameter(help="The system, where the file does not name it: EPSG:4547, GCJ-02 …")] = None,
    anchor: Annotated[tuple[float, float] | None, Parameter(help="Longitude and latitude of the origin of an IFC model.")] = None,
    height_field: Annotated[str, Parameter(help="The field of footprints with the height in metres.")] = "",
    storeys_field: Annotated[str, Parameter(help="The field of footprints with the number of storeys.")] = "",
    complete: Annotated[bool, Parameter(help="Withdraw what the source gave before and the file no longer names.")] = False,
    preview: Annotated[bool, Parameter(help="Only say what would be done.")] = False,
    json: Json = False,
) -> None:
    """Bring buildings in from CityJSON, GeoJSON footprints or IFC, plain or gzip; objects of no use are listed with the fault."""
    from mumian.app import buildings as work
    from mumian.foundation.buildings.api import Names, Origin, Reading

    reading = Reading(crs, Names(height=height_field, storeys=storeys_field), anchor)
    work.import_file(file, Origin(source, owner, complete), reading, preview, json)


@address.command(name="parse")
def address_parse(text: str, *, json: Json = False) -> None:
    """Take an address apart and write it in its standard form."""
    from mumian.app import addresses

    addresses.parse(text, json)


@address.command(name="geocode")
def address_geocode(text: str, *, date: str | None = None, json: Json = False) -> None:
    """Find the point that a text means in the library, and the standard address there."""
    from mumian.app import addresses

    addresses.geocode(text, date, json)


@address.command(name="import")
def address_import(file: Path, *, source: str | None = None, json: Json = False) -> None:
    """Import a library from CSV; broken rows are listed with their line numbers."""
    from mumian.app import addresses

    addresses.import_file(file, source, json)


@address.command(name="train")
def address_train(*, input: Path, name: str, members: int = 2, rounds: int = 14) -> None:  # noqa: A002
    """Train a parser on labelled addresses (`character label` a line); takes minutes."""
    from mumian.app import addresses

    addresses.train(input, name, members, rounds)


@text.command(name="train")
def text_train(
    *,
    name: str,
    input: Path,  # noqa: A002
    text: Annotated[str, Parameter(help="The columns to read, the title first: TITLE,BODY")],
    label: Annotated[str, Parameter(help="The column to learn; several make a path of levels: LEVEL1,LEVEL2")],
    wanted: Annotated[float, Parameter(help="It answers where so large a share of answers is right, else abstains.")] = 0.95,
    id: Annotated[str | None, Parameter(help="The column that numbers the tickets, for similar cases.")] = None,  # noqa: A002
) -> None:
    """Train a classifier on labelled texts (CSV, also gzipped, or XLSX); a draft in the register of models."""
    from mumian.app import texts

    texts.train(name, input, text, label, wanted, id)


@text.command(name="predict")
def text_predict(
    *,
    name: str,
    input: Path,  # noqa: A002
    text: Annotated[str, Parameter(help="The columns to read, the title first: TITLE,BODY")],
    output: Annotated[Path, Parameter(help="CSV with label and confidence before the columns there are; .gz packs it.")],
    version: Annotated[int | None, Parameter(help="Which version; default: the newest that is not retired.")] = None,
) -> None:
    """Label the rows of a file."""
    from mumian.app import texts

    texts.predict(name, input, text, output, version)


@text.command(name="approve")
def text_approve(*, name: str, version: int, note: str = "") -> None:
    """Let the city use a version of a classifier; it must be better than the one in use."""
    from mumian.app import texts

    texts.approve(name, version, note)


@app.command
def bench(name: str | None = None, *, data: Path | None = None, json: Json = False) -> None:
    """Run a benchmark of the checkout's bench folder; without a name, list them."""
    from mumian.app import commands

    commands.bench(name, data, json)


def main() -> None:
    """The entry point: `mumian`."""
    app()
