"""Builds the table of divisions that ships: `python -m mumian.foundation.addresses.divisions.building FOLDER`.

The folder holds `pcas-code.json.gz` (modood/Administrative-divisions-of-China, WTFPL) for the mainland down to streets, and
`areacity_level4.csv.gz` (xiangyuecn/AreaCity-JsSpider-StatsGov, MIT) for Hong Kong, Macau and Taiwan down to districts.
"""

import csv
import gzip
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

TABLE = Path(__file__).parent / "divisions.tsv.gz"
_PLACEHOLDERS = {"市辖区", "县", "省直辖县级行政区划", "自治区直辖县级行政区划"}
_ISLANDS = ("71", "81", "82")


def build(folder: Path) -> int:
    """Write the table; returns how many divisions it has."""
    with gzip.open(folder / "pcas-code.json.gz", "rt", encoding="utf-8") as file:
        rows = list(_mainland(json.load(file), ""))
    rows += _islands(folder / "areacity_level4.csv.gz")
    text = "".join(f"{code}\t{name}\n" for code, name in sorted(rows))
    TABLE.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    return len(rows)


def _mainland(nodes: list[dict[str, Any]], above: str) -> Iterator[tuple[str, str]]:
    for node in nodes:
        name = node["name"]
        if name in _PLACEHOLDERS:
            name = above if name in ("市辖区", "县") else ""
        if name:
            yield node["code"], name
        yield from _mainland(node.get("children", []), name)


def _islands(file: Path) -> Iterator[tuple[str, str]]:
    with gzip.open(file, "rt", encoding="utf-8-sig") as text:
        for row in csv.DictReader(text):
            if row["id"][:2] in _ISLANDS and len(row["id"]) <= 6:
                yield row["id"], row["ext_name"]


if __name__ == "__main__":
    sys.stdout.write(f"{build(Path(sys.argv[1]))} divisions\n")
