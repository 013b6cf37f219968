"""Runs a benchmark three times, takes medians, prints one JSON line each and keeps them with machine and commit."""

import importlib
import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RESULTS = Path(__file__).resolve().parent / "results"
RUNS = 3
NOT_BENCHMARKS = {"__init__", "runner"}
ORDER = ("name", "value", "unit", "size", "peer", "peer_value", "ratio", "p50_ms", "p99_ms")

Figure = dict[str, Any]
Bench = Callable[[Path | None], Figure | list[Figure]]


def main(name: str | None, data: Path | None, as_json: bool) -> int:
    """List the benchmarks, or run one; returns the exit status."""
    known = names()
    if name is None:
        print("\n".join(f"{key:22} {sentence}" for key, sentence in known.items()))
        return 0
    if name not in known:
        print(f"There is no benchmark {name!r}; there are: {', '.join(known)}.", file=sys.stderr)
        return 1
    module = importlib.import_module(f"bench.{name.replace('-', '_')}")
    figures = medians([_as_list(module.run(data)) for _ in range(RUNS)])
    keep(name, figures, data)
    for figure in figures:
        print(json.dumps(figure, ensure_ascii=False) if as_json else _sentence(figure), flush=True)
    return 0


def names() -> dict[str, str]:
    """Each benchmark's name with the sentence that its module opens with."""
    files = sorted(file for file in Path(__file__).parent.glob("*.py") if file.stem not in NOT_BENCHMARKS)
    return {file.stem.replace("_", "-"): _docstring(file) for file in files if "\ndef run(" in file.read_text("utf-8")}


def _docstring(file: Path) -> str:
    return file.read_text("utf-8").split('"""')[1].split("\n")[0]


def _as_list(result: Figure | list[Figure]) -> list[Figure]:
    return result if isinstance(result, list) else [result]


def medians(runs: Sequence[Sequence[Figure]]) -> list[Figure]:
    """Figure by figure: the median of every measured number over the runs; all else is the same in each run."""
    return [_median(figures) for figures in zip(*runs, strict=True)]


def _median(figures: Sequence[Figure]) -> Figure:
    merged = dict(figures[0])
    for key, value in merged.items():
        if isinstance(value, float) or (key in ("value", "peer_value") and isinstance(value, int)):
            merged[key] = _rounded(statistics.median(figure[key] for figure in figures))
    if "peer_value" in merged:
        merged["ratio"] = _rounded(merged["value"] / merged["peer_value"])
    return {key: merged[key] for key in (*ORDER, *sorted(set(merged) - set(ORDER))) if key in merged}


def _rounded(number: float) -> float:
    """Four significant digits; more would pretend."""
    return float(f"{number:.4g}")


def _sentence(figure: Mapping[str, Any]) -> str:
    line = f"{figure['name']}: {figure['value']:,} {figure['unit']} ({figure['size']})"
    if "peer" in figure:
        line += f"; {figure['peer']}: {figure['peer_value']:,}, ratio {figure['ratio']}"
    if "p99_ms" in figure:
        line += f"; p50 {figure['p50_ms']} ms, p99 {figure['p99_ms']} ms"
    return line


def keep(name: str, figures: list[Figure], data: Path | None) -> None:
    """Write `bench/results/<name>.json`; figures of other data (`--data`) are not kept, they compare with nothing."""
    if data is not None:
        return
    RESULTS.mkdir(exist_ok=True)
    record = {"figures": figures, "runs": RUNS, "time": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine()}
    record["commit"] = commit()
    (RESULTS / f"{name}.json").write_text(json.dumps(record, ensure_ascii=False, indent=2) + "\n", "utf-8")


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gib": round(memory / 2**30, 1),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def commit() -> str:
    """The commit that was measured, marked `+` where the tree held changes of its own."""
    try:
        head = _git("rev-parse", "--short=12", "HEAD")
        return head + ("+" if _git("status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, check=True, text=True).stdout.strip()
