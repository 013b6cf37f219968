"""Calls the function of a job type: `python -I -m mumian.foundation.compute.worker.calling package.module:name`.

It is given the parameters as a dictionary; what it returns is written to `out/result.json`.
"""

import json
import sys
from importlib import import_module
from pathlib import Path


def main(entry: str) -> None:
    """Call it."""
    module, _, name = entry.partition(":")
    answer = getattr(import_module(module), name)(json.loads(Path("parameters.json").read_bytes()))
    Path("out/result.json").write_text(json.dumps(answer, ensure_ascii=False), "utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
