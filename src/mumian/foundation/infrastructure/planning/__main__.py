"""Reads one problem as JSON from standard input and writes its solution as JSON to standard output."""

import json
import os
import sys
from typing import Any

import msgspec
import numpy as np

from mumian.foundation.infrastructure.planning.search import Problem, solve

_NICE = 5


def main() -> None:
    """Solve the problem that comes in."""
    os.nice(_NICE)
    given = json.loads(sys.stdin.buffer.read())
    pairs: dict[str, Any] = {
        name: np.array(given.pop(name), np.float64).reshape(-1, 2) for name in ("points", "candidates", "sites")
    }
    rows: dict[str, Any] = {name: np.array(given.pop(name), np.float64) for name in ("weights", "radii")}
    sys.stdout.buffer.write(msgspec.json.encode(solve(Problem(**pairs, **rows, **given))))


if __name__ == "__main__":
    main()
