"""Classes of city components 部件 as data; the table and its source stand in components.csv and SOURCE.md."""

import csv
from functools import cache
from pathlib import Path
from typing import NamedTuple


class Category(NamedTuple):
    """A small class 小类 of components: four digits, two of its large class 大类."""

    code: str
    zh: str
    en: str
    large_zh: str
    large_en: str


@cache
def categories() -> dict[str, Category]:
    """All small classes by code."""
    with (Path(__file__).parent / "components.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    large = {row["code"]: row for row in rows if len(row["code"]) == 2}
    return {
        row["code"]: Category(row["code"], row["zh"], row["en"], large[row["code"][:2]]["zh"], large[row["code"][:2]]["en"])
        for row in rows
        if len(row["code"]) == 4
    }
