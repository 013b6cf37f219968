"""What the commands do, once the command line has been read."""

import asyncio
import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn

import uvloop
from pydantic import ValidationError

from mumian.app.platform import apply_city, apply_services, create_platform, offline, source_of
from mumian.foundation.identity.api import bootstrap
from mumian.kernel.declarations.documents import Document, read_path, to_yaml
from mumian.kernel.declarations.kinds import json_schema
from mumian.kernel.declarations.planning import Plan
from mumian.kernel.errors import Fault, Invalid, MumianError, NotFound, Unavailable
from mumian.kernel.i18n import describe
from mumian.kernel.platform import Platform
from mumian.kernel.settings import Settings
from mumian.kernel.validation import faults_from


def language() -> str:
    """The terminal's language: zh where the locale says so, else en."""
    locale = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return "zh" if locale.lower().startswith("zh") else "en"


def guard(work: Callable[[], Any]) -> Any:
    """Run a command; an expected error is printed with its fix and ends with status 1."""
    found: MumianError
    try:
        return work()
    except ValidationError as error:
        found = Invalid(*faults_from(error.errors(include_url=False), _of_a_setting))
    except OSError as error:
        found = Unavailable(reason=f"{error.filename or ''} {error.strerror or error}".strip())
    except MumianError as error:
        found = error
    print(describe(found, language()), file=sys.stderr)
    sys.exit(1)


def _of_a_setting(path: str, key: str, values: dict[str, Any]) -> Fault:
    return Fault(f"MUMIAN_{path.upper()}", key, values)


def report(findings: list[str], fine: str) -> NoReturn:
    """Print findings and end with status 1, or say that there are none."""
    for finding in findings:
        print(finding)
    if not findings:
        print(fine)
    sys.exit(1 if findings else 0)


def settings_with(host: str | None, port: int | None) -> Settings:
    """The settings, with what the command line says on top."""
    given = {"host": host, "port": port}
    return Settings(**{key: value for key, value in given.items() if value is not None})  # type: ignore[arg-type]


def up(host: str | None, port: int | None, city: Path | None) -> None:
    """Serve until told to stop."""
    from mumian.app.server import log_to_stderr

    log_to_stderr()
    guard(lambda: uvloop.run(_up(settings_with(host, port), city)))


async def _up(settings: Settings, city: Path | None) -> None:
    platform = await asyncio.to_thread(_prepare, settings, city)
    from mumian.app.server import serving, until_told_to_stop

    async with serving(platform, settings.host, settings.port) as address:
        print(f"Mumian 木棉 serves {settings.home} at {address}", flush=True)
        await until_told_to_stop()


def _prepare(settings: Settings, city: Path | None) -> Platform:
    platform = create_platform(settings)
    password = bootstrap(platform)
    if password is not None:
        print(f"Administrator: admin   one-time password: {password}", flush=True)
    folder = city or (settings.city if platform.declarations.revision == 0 else None)
    for line in apply_city(platform, folder) if folder else apply_services(platform) if platform.declarations.all("City") else ():
        print(f"  {line}", flush=True)
    return platform


def diff(path: Path, prune: bool, as_json: bool) -> None:
    """Print the plan."""

    def work() -> None:
        documents = _read(path, prune)
        with offline() as platform:
            _print_plan(platform.declarations.plan(documents, source_of(path), prune), as_json)

    guard(work)


def apply(path: Path, prune: bool, as_json: bool) -> None:
    """Carry the plan out and print it."""

    def work() -> None:
        documents = _read(path, prune)
        with offline() as platform:
            made = platform.declarations.apply_now(documents, source_of(path), prune=prune, whole=path.is_dir())
            _print_plan(made, as_json)

    guard(work)


def _read(path: Path, prune: bool) -> list[Document]:
    """What is declared at a path; raises Invalid if one file is to stand for its whole folder."""
    if prune and path.is_file():
        reason = (
            f"with one file, --prune would delete what the other files of {path.resolve().parent} declare; "
            "give the folder, or leave --prune out"
        )
        raise Invalid.field("--prune", "field.value", reason=reason)
    return read_path(path)


def rollback(to: int, as_json: bool) -> None:
    """Return to a revision and print what changed."""

    def work() -> None:
        with offline() as platform:
            _print_plan(platform.declarations.rollback_now(to), as_json)

    guard(work)


def _print_plan(plan: Plan, as_json: bool) -> None:
    if as_json:
        print(json.dumps([{"action": c.action, "kind": c.kind, "name": c.name} for c in plan.changes]))
        return
    for line in plan.lines():
        print(line)
    print(f"{len(plan.changes)} changes")


def get(kind: str | None, name: str | None, as_json: bool) -> None:
    """Print the history, a kind's declarations, or one declaration."""

    def work() -> None:
        with offline() as platform:
            if kind is None:
                _print_rows(platform.records.read_now(platform.declarations.history), as_json)
            elif name is None:
                found = platform.declarations.all(platform.declarations.kind(kind).name)
                _print_rows(
                    [{"name": d.name, "version": d.version, "title": d.title, "source": d.source} for d in found], as_json
                )
            else:
                body = platform.declarations.get(kind, name).body
                print(json.dumps(body, ensure_ascii=False) if as_json else "".join(to_yaml([body])), end="\n" if as_json else "")

    guard(work)


def _print_rows(rows: list[dict[str, Any]], as_json: bool) -> None:
    for row in rows:
        print(json.dumps(row, ensure_ascii=False) if as_json else "  ".join(str(value) for value in row.values()))


def schema(kind: str) -> None:
    """Print a kind's JSON Schema."""
    guard(lambda: print(json.dumps(json_schema(_kind(kind)), ensure_ascii=False, indent=2)))


def _kind(name: str) -> Any:
    from mumian.kernel.declarations.kinds import discover

    kinds = discover()
    if name not in kinds:
        raise NotFound(kind=f"kind (there are: {', '.join(kinds)})", name=name)
    return kinds[name]


def explain(kind: str | None) -> None:
    """Print a kind's fields with types and descriptions, or all kinds."""
    from mumian.app.explanation import explain_kind
    from mumian.kernel.declarations.kinds import discover

    if kind is None:
        for found in discover().values():
            print(f"{found.name:18} {found.describe}")
        return
    name, _, field = kind.partition(".")
    guard(lambda: print("\n".join(explain_kind(_kind(name), field))))


def settings(as_json: bool) -> None:
    """Print every setting."""
    from mumian.app.settings_list import listed

    for row in listed():
        if as_json:
            print(json.dumps(row, ensure_ascii=False, default=str))
        else:
            print(f"{row['variable']:28} {row['value']}\n{'':28} {row['description']}")


def ledger_verify(as_json: bool) -> None:
    """Verify the whole ledger; status 1 when anything is wrong."""
    from mumian.foundation.ledger.api import Ledger

    def work() -> int:
        with offline(ports=True) as platform:
            report = platform.get(Ledger).verify_now()
        if as_json:
            print(json.dumps({**asdict(report), "sound": report.sound}, ensure_ascii=False))
            return 0 if report.sound else 1
        for fault in report.faults:
            print(fault)
        verdict = "sound 完好" if report.sound else f"{len(report.faults)} faults 处异常"
        counts = f"{report.entries} entries, {report.heads} signed heads, {report.nodes} tree nodes"
        looked = f"{counts}, {len(report.checks)} kinds of evidence"
        print(f"{looked}: {verdict}")
        return 0 if report.sound else 1

    sys.exit(guard(work))


def ledger_head() -> None:
    """Sign and print the head over all entries."""
    from mumian.foundation.ledger.api import Ledger

    def work() -> None:
        with offline() as platform:
            print(json.dumps(asdict(platform.get(Ledger).sign_now()), ensure_ascii=False))

    guard(work)


def ledger_export(file: Path, entry: int) -> None:
    """Write an evidence bundle."""
    from mumian.foundation.ledger.api import Ledger

    def work() -> None:
        with offline() as platform:
            file.write_text(json.dumps(platform.get(Ledger).export_now(entry), ensure_ascii=False, indent=1), "utf-8")

    guard(work)


def ledger_keys(folder: Path) -> None:
    """Write the public keys as PEM files, to be handed to verifiers on another way than the bundles."""
    from mumian.foundation.cryptography.api import Cryptography

    def work() -> None:
        folder.mkdir(parents=True, exist_ok=True)
        with offline() as platform:
            for key in platform.get(Cryptography).public_keys():
                file = folder / f"{key.algorithm}-{key.key_id}.pem"
                file.write_text(key.pem, "ascii")
                print(file)

    guard(work)


def reset_password(login: str) -> None:
    """Give a person a new one-time password."""
    from mumian.foundation.identity.api import Identity

    def work() -> None:
        with offline() as platform:
            print(f"{login}   one-time password: {platform.get(Identity).accounts.reset_password_now(login)}")

    guard(work)


def import_observations(file: Path, stream: str | None, stream_column: str | None, time: str, result: str, as_json: bool) -> None:
    """Import a file into a city that is not being served."""
    from mumian.foundation.sensing import api as sensing

    async def work() -> int:
        platform = await asyncio.to_thread(create_platform)
        await platform.start()
        try:
            report = await sensing.import_file(platform, file, stream, stream_column, time, result)
        finally:
            await platform.stop()
        print(json.dumps(report.as_dict(), ensure_ascii=False) if as_json else "\n".join(report.lines(language())))
        return 1 if report.broken else 0

    sys.exit(guard(lambda: uvloop.run(work())))


def import_devices(file: Path, kind: str | None, owner: str | None, crs: str, preview: bool, as_json: bool) -> None:
    """Import a file of devices into a city that is not being served."""
    from mumian.foundation.devices import api as ledger

    def source() -> ledger.Source:
        defaults = {name: given for name, given in (("kind", kind), ("owner", owner)) if given}
        return ledger.Source(file.read_bytes(), file.name, defaults, crs)

    async def work() -> int:
        sent = await asyncio.to_thread(source)
        platform = await asyncio.to_thread(create_platform)
        await platform.start()
        try:
            importing = platform.get(ledger.Devices).importing
            report = await (importing.preview if preview else importing.run)(sent, lambda _: True)
        finally:
            await platform.stop()
        print(json.dumps(report.as_dict(language()), ensure_ascii=False) if as_json else "\n".join(report.lines(language())))
        return 1 if report.faults else 0

    sys.exit(guard(lambda: uvloop.run(work())))


def bench(name: str | None, data: Path | None, as_json: bool) -> None:
    """Run a benchmark from the checkout."""
    root = Path(__file__).resolve().parents[3]
    if not (root / "bench" / "runner.py").exists():
        guard(lambda: (_ for _ in ()).throw(NotFound(kind="folder", name=str(root / "bench"))))
    sys.path.insert(0, str(root))
    from bench.runner import main

    sys.exit(main(name, data, as_json))
