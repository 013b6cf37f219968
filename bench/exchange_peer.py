"""The peer of the exchange bench: pandas with pandera: the same rules, masks, HMAC-SM3 token, Parquet and digest."""

import hashlib
import json
import sys
import time
from pathlib import Path
from typing import Any

KEY = bytes.fromhex("62656e6368" * 6)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def main(source: str, target: str, codes: str) -> dict[str, Any]:
    """Read and write by DuckDB (pandas alone knows no Parquet), validate with all faults (lazy), drop, mask, tokens, digest."""
    import duckdb
    import pandas as pd  # type: ignore[import-untyped]
    import pandera.pandas as pa

    started = time.perf_counter()
    connection = duckdb.connect()
    frame = connection.execute("SELECT * FROM read_parquet(?)", [source]).df()
    known = pd.read_csv(codes, dtype=str)["code"]
    schema = pa.DataFrameSchema(
        {
            "name": pa.Column(nullable=False),
            "id_card": pa.Column(nullable=True, unique=True, report_duplicates="exclude_first", checks=pa.Check(_is_id_card)),
            "phone": pa.Column(nullable=True, checks=pa.Check.str_matches("^1[3-9][0-9]{9}$")),
            "height": pa.Column(nullable=True, checks=pa.Check.in_range(30, 250)),
            "sex": pa.Column(nullable=True, checks=pa.Check.isin(["1", "2"])),
            "division": pa.Column(nullable=True, checks=pa.Check.isin(known)),
        },
        checks=pa.Check(lambda rows: rows["birth"] <= rows["registered"]),
    )
    faulty: set[int] = set()
    try:
        schema.validate(frame, lazy=True)
    except pa.errors.SchemaErrors as error:
        faulty = set(error.failure_cases["index"].dropna().astype(int))
    frame = frame.drop(index=sorted(faulty))
    frame["name"] = frame["name"].str[:1] + "****"
    frame["phone"] = frame["phone"].str[:3] + "****" + frame["phone"].str[-4:]
    frame["id_card"] = [_token(value) for value in frame["id_card"]]
    connection.register("frame", frame)
    connection.execute(f"COPY frame TO '{target}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)")
    with Path(target).open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return {
        "seconds": time.perf_counter() - started,
        "peak_bytes": _peak_bytes(),
        "written": len(frame),
        "faulty": len(faulty),
        "digest": digest,
    }


def _is_id_card(values: Any) -> Any:
    """GB 11643, as one would write it with the string methods of pandas."""
    good = values.str.fullmatch(r"[1-9][0-9]{16}[0-9X]")
    body = values.where(good, "0" * 18)
    total = sum(weight * body.str[place].astype("int64") for place, weight in enumerate(_WEIGHTS))
    import pandas as pd

    born = pd.to_datetime(body.str[6:14], format="%Y%m%d", errors="coerce").notna()
    return good & born & (total % 11).map(dict(enumerate("10X98765432"))).eq(body.str[17])


def _states() -> tuple[Any, Any]:
    from cryptography.hazmat.primitives.hashes import SM3, Hash

    inner, outer = Hash(SM3()), Hash(SM3())
    padded = KEY.ljust(64, b"\0")
    inner.update(bytes(byte ^ 0x36 for byte in padded))
    outer.update(bytes(byte ^ 0x5C for byte in padded))
    return inner, outer


_INNER, _OUTER = _states()


def _token(value: str | None) -> str | None:
    """HMAC-SM3 with the states of the key made once, by OpenSSL."""
    if value is None:
        return None
    inner, outer = _INNER.copy(), _OUTER.copy()
    inner.update(value.encode())
    outer.update(inner.finalize())
    return str(outer.finalize().hex())


def _peak_bytes() -> int:
    from mumian.elements.sharing.exchange.running import peak_bytes

    return peak_bytes()


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
