"""Rows, jobs and an independent judge for the tests of exchange jobs."""

import csv
import hashlib
import hmac
import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb

from mumian.elements.sharing.exchange.contracts import Field, FileSource, Job, Mask, Reference, Rule

KEY = b"a key of thirty-two bytes, no more"
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
DIVISIONS = [f"44010{n}" for n in range(3, 7)]
COLUMNS = ("serial", "id_card", "name", "phone", "division", "height", "birth", "registered")


def id_card(number: int) -> str:
    """A person's number with its check character."""
    born = date(1950, 1, 1) + timedelta(days=number % 20_000)
    body = f"{DIVISIONS[number % 4]}{born:%Y%m%d}{number // 20_000 % 1000:03d}"
    return body + "10X98765432"[sum(w * int(d) for w, d in zip(WEIGHTS, body, strict=True)) % 11]


def people(count: int) -> list[dict[str, Any]]:
    """Rows of which some are faulty, each in its own way."""
    rows = []
    for i in range(count):
        born = date(1950, 1, 1) + timedelta(days=i % 20_000)
        row: dict[str, Any] = {
            "serial": i,
            "id_card": id_card(i - 1 if i % 97 == 5 else i),
            "name": "李小明" if i % 3 else "欧阳",
            "phone": f"13{i % 10}{i:08d}",
            "division": DIVISIONS[i % 4],
            "height": 150.0 + i % 50,
            "birth": born,
            "registered": born + timedelta(days=i % 9000),
        }
        row |= _fault(i)
        rows.append(row)
    return rows


def _fault(i: int) -> dict[str, Any]:
    faults: dict[int, dict[str, Any]] = {
        11: {"name": None},
        12: {"name": ""},
        23: {"id_card": "440103199013010010"},
        24: {"id_card": id_card(i)[:17] + ("0" if id_card(i)[17] != "0" else "1")},
        25: {"id_card": None},
        31: {"phone": "12345"},
        32: {"phone": None},
        41: {"height": 999.0},
        51: {"division": "999999"},
        61: {"registered": date(1900, 1, 1)},
        71: {"phone": "12345", "height": 1.0},
    }
    return faults.get(i % 500, {})


def write(rows: list[dict[str, Any]], file: Path) -> Path:
    """Rows as a file of Parquet, or of CSV by the name."""
    text = file.with_suffix(".made")
    with text.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([["~" if row[c] is None else row[c] for c in COLUMNS] for row in rows])
    kinds = ("BIGINT", "VARCHAR", "VARCHAR", "VARCHAR", "VARCHAR", "DOUBLE", "DATE", "DATE")
    columns = dict(zip(COLUMNS, kinds, strict=True))
    connection = duckdb.connect()
    connection.execute(f"CREATE TABLE people AS FROM read_csv('{text}', header = false, nullstr = '~', columns = {columns})")
    options = "FORMAT parquet, ROW_GROUP_SIZE 2048" if file.suffix == ".parquet" else "FORMAT csv, HEADER"
    connection.execute(f"COPY people TO '{file}' ({options})")
    connection.close()
    return file


def job(files: list[Path], folder: Path, **changes: Any) -> Job:
    """A job with eight rules, two masks and a token."""
    codes = folder / "divisions.csv"
    codes.write_text("code\n" + "\n".join(DIVISIONS) + "\n", "utf-8")
    fields = (
        Field(name="serial", type="integer"),
        Field(name="id_card", token="people"),
        Field(name="name", mask=Mask(method="keep", first=1)),
        Field(name="phone", mask=Mask(method="keep", first=3, last=4)),
        Field(name="division"),
        Field(name="height", type="number"),
        Field(name="birth", type="date"),
        Field(name="registered", type="date"),
    )
    rules = (
        Rule(name="named", kind="required", fields=("name",)),
        Rule(name="id", kind="id_card", fields=("id_card",)),
        Rule(name="phone", kind="pattern", fields=("phone",), pattern="1[3-9][0-9]{9}"),
        Rule(name="height", kind="range", fields=("height",), minimum=30, maximum=250),
        Rule(name="known", kind="codes", fields=("division",), codes=(*DIVISIONS, "999999")),
        Rule(name="order", kind="order", fields=("birth", "registered")),
        Rule(name="once", kind="unique", fields=("id_card",)),
        Rule(name="there", kind="reference", fields=("division",), reference=Reference(column="code", files=(str(codes),))),
    )
    source = FileSource(paths=tuple(str(file) for file in files))
    return Job(**{"id": "job", "source": source, "fields": fields, "rules": rules, "chunk_rows": 1000, **changes})


def broken(rows: list[dict[str, Any]]) -> dict[int, set[str]]:
    """Which rules each row breaks, judged in Python."""
    found: dict[int, set[str]] = {}
    seen: set[str] = set()
    for number, row in enumerate(rows):
        wrong = {
            "named": not row["name"],
            "id": row["id_card"] is not None and not _is_id_card(row["id_card"]),
            "phone": row["phone"] is not None and not re.fullmatch("1[3-9][0-9]{9}", row["phone"]),
            "height": not 30 <= row["height"] <= 250,
            "order": row["birth"] > row["registered"],
            "once": row["id_card"] in seen,
            "there": row["division"] not in DIVISIONS,
        }
        seen |= {row["id_card"]} - {None}
        if any(wrong.values()):
            found[number] = {name for name, is_wrong in wrong.items() if is_wrong}
    return found


def _is_id_card(text: str) -> bool:
    try:
        date.fromisoformat(f"{text[6:10]}-{text[10:12]}-{text[12:14]}")
    except ValueError:
        return False
    return "10X98765432"[sum(w * int(d) for w, d in zip(WEIGHTS, text, strict=False)) % 11] == text[17]


def shown(row: dict[str, Any], token: Any) -> tuple[Any, ...]:
    """A row as it is to be written."""
    phone = row["phone"] and f"{row['phone'][:3]}****{row['phone'][-4:]}"
    card = row["id_card"] and token(KEY, row["id_card"].encode()).hex()
    return (row["serial"], card, f"{row['name'][:1]}****", phone, *(row[name] for name in COLUMNS[4:]))


def sha256_token(key: bytes, value: bytes) -> bytes:
    """HMAC-SHA-256."""
    return hmac.new(key, value, hashlib.sha256).digest()


def delivered(folder: Path) -> list[tuple[Any, ...]]:
    """The rows of all parts, in order."""
    files = sorted(str(file) for file in (folder / "out").glob("part-*.parquet"))
    return duckdb.connect().execute("SELECT * FROM read_parquet(?)", [files]).fetchall() if files else []


def listed(folder: Path) -> dict[int, set[str]]:
    """The rules that rows break, from the lists of faults."""
    found: dict[int, set[str]] = {}
    for file in sorted((folder / "out").glob("faults-*.csv")):
        with file.open(encoding="utf-8", newline="") as stream:
            for line in csv.DictReader(stream):
                found.setdefault(int(line["row"]), set()).add(line["rule"])
    return found
