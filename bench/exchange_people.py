"""Person-like rows for the exchange bench: made by arithmetic, ids with right check characters, one row in some hundred bad."""

from pathlib import Path
from typing import Any

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
DIVISIONS = 12
SPACE = DIVISIONS * 25_000 * 1000  # divisions × days × numbers of a day
STEP = 7_368_787  # prime, so that multiples of it are spread over all of the space
NAMES = (
    "李王张刘陈杨赵黄周吴",
    "伟芳娜敏静丽强磊洋艳勇军杰娟涛明超秀霞平",
    "一二三四五六七八九十伟芳娜敏静丽强磊洋艳勇军杰娟涛明超秀霞平",
)


def prepare(connection: Any) -> None:
    """Tables of what an id consists of, each with its share of the sum that gives the check character."""

    def part(name: str, count: int, text: str, place: int, more: str = "") -> None:
        digits = f"length({text})"
        weights = ", ".join(str(weight) for weight in WEIGHTS)
        total = f"list_sum([CAST(substr({text}, k, 1) AS INT) * ([{weights}])[{place} + k] FOR k IN range(1, {digits} + 1)])"
        connection.execute(
            f"CREATE TABLE {name} AS SELECT CAST(n AS BIGINT) AS n, {text} AS text, CAST({total} AS INT) AS total{more} "
            f"FROM range({count}) t(n)"
        )

    part("division", DIVISIONS, "CAST(440100 + n AS VARCHAR)", 0)
    day = "(DATE '1940-01-01' + CAST(n AS INTEGER))"
    part("day", 25_000, f"strftime({day}, '%Y%m%d')", 6, f", {day} AS day")
    part("place", 1000, "printf('%03d', n)", 14)


def select(first: int, last: int) -> str:
    """The SELECT of rows [first, last): 12 columns; of each fault about one row in some thousand."""
    return f"""
    WITH numbered AS (
      SELECT range AS i, hash(range) AS h, hash(range + 1000000007) AS g,
        (range - CASE WHEN range % 5000 = 17 THEN 1 ELSE 0 END) * {STEP} % {SPACE} AS j FROM range({first}, {last})
    ), bodies AS (
      SELECT i, h, g, division.text AS division, day.day AS birth, division.text || day.text || place.text AS body,
        (division.total + day.total + place.total) % 11 AS last FROM numbered
        JOIN division ON division.n = j % {DIVISIONS} JOIN day ON day.n = j // {DIVISIONS} % 25000
        JOIN place ON place.n = j // ({DIVISIONS} * 25000)
    )
    SELECT i AS serial,
      CASE WHEN h % 2003 = 0 THEN 'X' || body ELSE body || substr('10X98765432', 1 + last, 1) END AS id_card,
      CASE WHEN h % 4001 = 1 THEN NULL ELSE substr('{NAMES[0]}', 1 + CAST(h % 10 AS INT), 1)
        || substr('{NAMES[1]}', 1 + CAST((h >> 8) % 20 AS INT), 1)
        || substr('{NAMES[2]}', 1 + CAST((h >> 16) % 30 AS INT), 1) END AS name,
      CASE WHEN h % 3001 = 2 THEN '9' ELSE CAST(1 + g % 2 AS VARCHAR) END AS sex,
      birth,
      CASE WHEN h % 2503 = 3 THEN '12345' ELSE '1' || CAST(3 + h % 7 AS VARCHAR) || printf('%09d', g % 1000000000) END AS phone,
      CASE WHEN h % 6007 = 6 THEN '999999' ELSE division END AS division,
      '广州市越秀区中山路' || CAST(g % 3000 AS VARCHAR) || '号' || CAST(h % 60 AS VARCHAR) || '栋' || CAST(g % 3001 AS VARCHAR)
        || '房' AS address,
      CASE WHEN h % 3007 = 4 THEN 999.0 ELSE 140.0 + (g % 600) / 10.0 END AS height,
      birth + CAST(h % 20000 AS INT) - CASE WHEN h % 5003 = 5 THEN 30000 ELSE 0 END AS registered,
      CAST(h % 10000000 AS BIGINT) AS income,
      TIMESTAMP '2020-01-01' + to_seconds(CAST(g % 150000000 AS BIGINT)) AS updated
    FROM bodies"""


def make(connection: Any, file: Path, first: int, last: int) -> None:
    """Write rows [first, last) as one Parquet file."""
    connection.execute(f"COPY ({select(first, last)}) TO '{file}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)")
