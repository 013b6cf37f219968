"""Importing a library: a CSV in chunks, each one commit; good rows go in, bad ones are listed with line, field and fix."""

import csv
import math
import re
from collections.abc import Iterator, Mapping
from datetime import date
from functools import partial
from typing import Any, TextIO

import msgspec

from mumian.foundation.addresses import store
from mumian.foundation.addresses.contracts import ImportReport, RowFault, StandardAddress
from mumian.foundation.addresses.rules import standard
from mumian.foundation.addresses.service.keeping import Closing, compose, new_code, record
from mumian.foundation.addresses.service.parsing import Parser
from mumian.kernel.errors import Invalid, MumianError
from mumian.kernel.unit_of_work import Actor, Records, Transaction

CHUNK, MOST_FAULTS, MOST_COLUMNS = 5_000, 1_000, 60
_CODE = re.compile(r"[0-9A-Za-z.-]{1,40}")
_KNOWN = {"code", "division", "address", "longitude", "latitude", "valid_from", "source", *standard.FIELDS}
_WORDS = {
    "编码": "code", "地址编码": "code", "标准地址": "address", "地址": "address", "区划": "division", "行政区划代码": "division",
    "经度": "longitude", "纬度": "latitude", "生效日期": "valid_from", "来源": "source", "街道": "street", "镇街": "street",
    "社区": "community", "道路": "road", "路": "road", "门牌号": "number", "门牌": "number", "小区": "poi", "兴趣点": "poi",
    "楼栋": "building", "单元": "unit", "楼层": "floor", "房号": "room", "室": "room", "lon": "longitude", "lng": "longitude",
    "lat": "latitude", "district": "division",
}  # fmt: skip
Numbered = tuple[int, StandardAddress, str]


class Tally:
    """What an import has done so far."""

    def __init__(self) -> None:
        self.rows = self.added = self.changed = self.repeated = self.refused = 0
        self.faults: list[RowFault] = []
        self.batch = ""

    def refuse(self, line: int, field: str, key: str, values: Mapping[str, Any]) -> None:
        """Count a refused row, and list it while there is room."""
        self.refused += 1
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(RowFault(line, field, key, {name: str(value) for name, value in values.items()}))

    def report(self) -> ImportReport:
        """The report."""
        return ImportReport(self.rows, self.added, self.changed, self.repeated, self.refused, tuple(self.faults), self.batch)


def import_now(records: Records, parser: Parser, text: TextIO, source: str, day: str, actor: Actor) -> ImportReport:
    """Import a CSV with a header; for threads other than the event loop's.

    Columns: `address` (a whole text) or `division` (6 or 9 digits) with fields of their own, `longitude`, `latitude`, `code`,
    `valid_from`, `source`; also under their Chinese names. Raises Invalid for a header that has neither.
    """
    tally = Tally()
    reader = csv.reader(text)
    header = _header(next(reader, []))
    for chunk in _chunks(_rows(reader, header, parser, source, day, tally)):
        records.write_now(partial(_keep, chunk=chunk, tally=tally, source=source), actor)
    return tally.report()


def _header(cells: list[str]) -> list[str]:
    names = [cell.strip().lstrip("\ufeff") for cell in cells[:MOST_COLUMNS]]
    names = [_WORDS.get(name, name.lower()) for name in names]
    if not {"address", "division"} & set(names):
        raise Invalid.field("header", "addresses.header", expected=", ".join(sorted(_KNOWN)))
    return names


def _rows(reader: Any, header: list[str], parser: Parser, source: str, day: str, tally: Tally) -> Iterator[Numbered]:
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            tally.rows += 1
            tally.refuse(reader.line_num, "row", "field.syntax", {"reason": error})
            continue
        if not any(cells):
            continue
        tally.rows += 1
        values: dict[str, Any] = {name: cell.strip() for name, cell in zip(header, cells, strict=False) if name in _KNOWN}
        values["source"] = values.get("source") or source
        try:
            address = _address(parser, values, day)
        except MumianError as error:
            fault = error.faults[0]
            tally.refuse(reader.line_num, fault.field, fault.key, fault.values)
            continue
        yield reader.line_num, address, values.get("division") or address.district


def _address(parser: Parser, values: dict[str, Any], day: str) -> StandardAddress:
    for name, most in (("longitude", 180), ("latitude", 90)):
        values[name] = _degrees(name, values.get(name) or "", most)
    if values["longitude"] is None or values["latitude"] is None:
        values["longitude"] = values["latitude"] = None
    if values.get("code") and not _CODE.fullmatch(values["code"]):
        raise Invalid.field("code", "field.pattern", expected="440000-1")
    if values.get("valid_from"):
        _check_day(values["valid_from"])
    if values.get("address"):
        parsed = parser.parse(values["address"])
        if not parsed.place.district:
            raise Invalid.field("address", "addresses.no_district")
        values.update(standard.fields(parsed.elements), division=parsed.place.street or parsed.place.district)
    return compose(parser, values, day)


def _degrees(name: str, text: str, most: int) -> float | None:
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not abs(value) <= most:
        raise Invalid.field(name, "field.range", expected=f"-{most} … {most}")
    return value


def _check_day(text: str) -> None:
    try:
        fine = len(text) == 10 and date.fromisoformat(text)
    except ValueError:
        fine = False
    if not fine:
        raise Invalid.field("valid_from", "field.type", expected="2014-01-02")


def _chunks(rows: Iterator[Numbered]) -> Iterator[list[Numbered]]:
    chunk: list[Numbered] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _keep(tx: Transaction, chunk: list[Numbered], tally: Tally, source: str) -> None:
    """Sort one chunk into new, changed, repeated and refused rows, and record it."""
    sorting = _Sorting(tx, chunk, tally)
    for line, address, division in chunk:
        sorting.take(line, address, division)
    sorting.name(tx)
    if sorting.new:
        tally.batch = record(tx, "import", sorting.new, sorting.closed, {"source": source})


class _Sorting:
    """One chunk against what the library holds."""

    def __init__(self, tx: Transaction, chunk: list[Numbered], tally: Tally) -> None:
        known = store.live(tx.session, [address.standard for _, address, _ in chunk], [address.code for _, address, _ in chunk])
        self.new: list[StandardAddress] = []
        self.closed: list[Closing] = []
        self._tally = tally
        self._by_code = {address.code: address for address in known}
        self._by_text = {address.standard: address for address in known}
        self._ended = store.ended(tx.session, [address.code for _, address, _ in chunk])
        self._texts: dict[str, str] = {}
        self._codes: set[str] = set()
        self._nameless: dict[str, list[int]] = {}

    def take(self, line: int, address: StandardAddress, division: str) -> None:
        """Decide about one row."""
        twin = self._by_text.get(address.standard)
        old = self._by_code.get(address.code) if address.code else twin
        if address.standard in self._texts or address.code in self._codes:
            self._again(line, address)
        elif old is None and address.valid_from < self._ended.get(address.code, ""):
            self._tally.refuse(line, "valid_from", "addresses.not_in_force", {"code": address.code, "date": address.valid_from})
        elif old is None:
            if twin is not None:
                self._tally.refuse(line, "code", "addresses.taken", {"code": twin.code})
            else:
                self._add(address, division)
        elif _same(old, address):
            self._tally.repeated += 1
        elif address.valid_from <= old.valid_from or (twin is not None and twin.code != old.code):
            values = {"code": old.code, "date": address.valid_from}
            self._tally.refuse(line, "valid_from", "addresses.not_in_force", values)
        else:
            self.closed.append((old.code, old.valid_from, address.valid_from))
            self._keep(msgspec.structs.replace(address, code=old.code))
            self._tally.changed += 1

    def _add(self, address: StandardAddress, division: str) -> None:
        if not address.code:
            self._nameless.setdefault(division, []).append(len(self.new))
        self._keep(address)
        self._tally.added += 1

    def _keep(self, address: StandardAddress) -> None:
        self._texts[address.standard] = address.code
        if address.code:
            self._codes.add(address.code)
        self.new.append(address)

    def _again(self, line: int, address: StandardAddress) -> None:
        """A row like one before it in the same chunk."""
        code = self._texts.get(address.standard)
        if code is not None and address.code in ("", code):
            self._tally.repeated += 1
        else:
            self._tally.refuse(line, "code", "addresses.taken", {"code": code or address.code})

    def name(self, tx: Transaction) -> None:
        """Give codes to those that came without."""
        for division, positions in self._nameless.items():
            for position, code in zip(positions, new_code(tx, division, len(positions)), strict=True):
                self.new[position] = msgspec.structs.replace(self.new[position], code=code)


def _same(old: StandardAddress, new: StandardAddress) -> bool:
    """Whether a row says what is known already; its own first day and source do not matter."""
    other = msgspec.structs.replace(new, code=old.code, valid_from=old.valid_from, source=old.source)
    return other == msgspec.structs.replace(old, valid_to="")
