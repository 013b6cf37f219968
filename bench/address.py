"""Chinese addresses taken apart: chunk F1 of the rules alone and of a model trained on the training split; speed of both."""

import os
import time
from functools import cache
from pathlib import Path
from typing import Any

from mumian.foundation.addresses.divisions import national
from mumian.foundation.addresses.learning.labelled import Chunk, Sentence, chunks, labels, read, score, tokens
from mumian.foundation.addresses.learning.model import Model, train
from mumian.foundation.addresses.rules.parsing import parse
from mumian.foundation.addresses.rules.text import plain

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data" / "address_parsing_zh"
PUBLISHED = 89.93  # chunk F1 of APLT(sp=7) on the test split: Li, Lu, Xie, Li, "Neural Chinese Address Parsing", NAACL 2019
MEMBERS = int(os.environ.get("MUMIAN_BENCH_ADDRESS_MEMBERS", "2"))
LABELS = {
    "country": "country", "province": "prov", "city": "city", "district": "district", "zone": "devZone", "street": "town",
    "community": "community", "road": "road", "number": "roadno", "subroad": "subRoad", "subnumber": "subroadno", "poi": "poi",
    "subpoi": "subpoi", "building": "houseno", "unit": "cellno", "floor": "floorno", "room": "roomno", "occupant": "person",
    "relation": "assist", "noise": "redundant", "other": "otherinfo",
}  # fmt: skip


def run(data: Path | None) -> list[dict[str, Any]]:
    """On `data`, a labelled file or a folder with dev.txt; trained on train.txt beside it, or of the shared open data."""
    file = (data / "dev.txt" if data.is_dir() else data) if data is not None else SHARED / "dev.txt"
    beside = file.parent / "train.txt"
    return list(_measured(file, beside if beside.is_file() and beside != file else SHARED / "train.txt"))


@cache
def _measured(file: Path, training: Path) -> tuple[dict[str, Any], ...]:
    """Measured once a process: training is repeatable to the last bit, and takes minutes."""
    sentences = read(file)
    gold = [chunks(labels(sentence)) for sentence in sentences]
    size = f"{len(sentences)} addresses, {sum(map(len, gold))} chunks of {file.name}"
    began = time.perf_counter()
    ruled = [_ruled(sentence) for sentence in sentences]
    figures = [_figure("address-rules-f1", gold, ruled, size), _speed("address-rules-speed", len(sentences), began, size)]
    if training.is_file() and training != file:
        began = time.perf_counter()
        model: Model = train(read(training), national(), "bench", members=MEMBERS)
        minutes = (time.perf_counter() - began) / 60
        began = time.perf_counter()
        tagged = [chunks(tags) for tags in model.tag([tokens(sentence) for sentence in sentences])]
        told = f"{size}; {MEMBERS} networks trained on {training.name} in {minutes:.1f} min"
        speed = _speed("address-trained-speed", len(sentences), began, told)
        figures += [_figure("address-trained-f1", gold, tagged, told), speed]
    return tuple(figures)


def _figure(name: str, gold: list[list[Chunk]], found: list[list[Chunk]], size: str) -> dict[str, Any]:
    precision, recall, f1 = score(gold, found)
    peer = {"peer": "published APLT(sp=7), test split", "peer_value": PUBLISHED}
    more = {"precision": round(100 * precision, 2), "recall": round(100 * recall, 2)}
    return {"name": name, "value": round(100 * f1, 2), "unit": "chunk F1, %", "size": size, **peer, **more}


def _speed(name: str, count: int, began: float, size: str) -> dict[str, Any]:
    return {"name": name, "value": round(count / (time.perf_counter() - began)), "unit": "addresses/s", "size": size}


def _ruled(sentence: Sentence) -> list[Chunk]:
    """The chunks of tokens that the rules find; an element that cuts a token in two counts as a wrong one."""
    words = tokens(sentence)
    starts: dict[int, int] = {}
    ends: dict[int, int] = {}
    at = 0
    for position, word in enumerate(words):
        starts[at] = position
        at += len(word)
        ends[at] = position + 1
    elements, _ = parse(national(), plain("".join(words)))
    return [
        (starts.get(element.start, -1 - number), ends.get(element.end, -1), LABELS[element.kind])
        for number, element in enumerate(elements)
    ]
