"""What the commands about addresses do, once the command line has been read."""

import json
import sys
from pathlib import Path

import msgspec

from mumian.app.commands import guard, language
from mumian.app.platform import offline
from mumian.foundation.addresses.api import Addresses
from mumian.kernel.errors import Fault, Invalid
from mumian.kernel.i18n import describe


def parse(text: str, as_json: bool) -> None:
    """Print the elements of a text and its standard form."""

    def work() -> None:
        with offline() as platform:
            parsed = platform.get(Addresses).parse(text)
        if as_json:
            print(json.dumps(msgspec.to_builtins(parsed), ensure_ascii=False))
            return
        for element in parsed.elements:
            print(f"{element.kind:12} {element.text}")
        print(parsed.standard)

    guard(work)


def geocode(text: str, date: str | None, as_json: bool) -> None:
    """Print where a text lies."""

    def work() -> None:
        with offline() as platform:
            addresses = platform.get(Addresses)
            found = platform.records.read_now(lambda session: addresses.geocode(session, [text], date))[0]
        if as_json:
            print(json.dumps(msgspec.to_builtins(found), ensure_ascii=False))
        elif found is None:
            print("not found 未找到")
        else:
            print(f"{found.longitude:.6f} {found.latitude:.6f} ± {found.radius:.0f} m  {found.method} {found.confidence:.2f}")
            print(found.address.standard if found.address else "", *found.reasons, sep="\n  ")

    guard(work)


def import_file(file: Path, source: str | None, as_json: bool) -> None:
    """Import a library into a city that is not being served; status 1 when rows were refused."""

    def work() -> int:
        with offline() as platform, file.open(encoding="utf-8-sig", newline="") as text:
            report = platform.get(Addresses).import_now(text, source or file.name)
        if as_json:
            print(json.dumps(msgspec.to_builtins(report), ensure_ascii=False))
        else:
            counts = f"{report.added} added, {report.changed} changed, {report.repeated} repeated, {report.refused} refused"
            print(f"{report.rows} rows: {counts}")
            for fault in report.faults:
                told = describe(Invalid(Fault(fault.field, fault.key, dict(fault.values))), language())
                print(f"  line {fault.line}: {told}")
        return 1 if report.refused else 0

    sys.exit(guard(work))


def train(file: Path, name: str, members: int, rounds: int) -> None:
    """Train a model and print its score on the tenth that was held out."""

    def work() -> None:
        with offline() as platform:
            made = platform.get(Addresses).train_now(file, name, members, rounds)
        print(f"{made.folder}: {made.learned} addresses learned; on {made.held_out} held out chunk F1 {100 * made.f1:.2f}")
        print(f"MUMIAN_ADDRESS_MODEL={name}")

    guard(work)
