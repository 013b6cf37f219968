"""The worker: `python -I -m mumian.elements.sharing.exchange.worker FOLDER` does the job in `FOLDER/job.json`.

The rest, keys among it, is told by its input. It holds the lock of the folder while it lives, outlives the server, and leaves
`outcome.json`; it ends when the file `cancel` is there.
"""

import fcntl
import os
import sys
from pathlib import Path
from typing import Any

import msgspec


def main(folder: Path, given: bytes) -> int:
    """Do the job; returns the exit status: 0 when the outcome was written, 3 when another worker is at it."""
    lock = os.open(folder / "lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return 3
    _prepare(folder)
    from mumian.elements.sharing.exchange.checkpoints import put
    from mumian.elements.sharing.exchange.contracts import Job, Order
    from mumian.elements.sharing.exchange.running import Means, run_job

    order = msgspec.json.decode(given, type=Order)
    job = msgspec.json.decode((folder / "job.json").read_bytes(), type=Job)
    keys = {name: bytes.fromhex(value) for name, value in order.keys.items()}
    means = Means(order.engines, order.memory, order.search_memory, order.attach, order.compiled)
    outcome = run_job(job, folder, keys, means, _teller(folder), (folder / "cancel").exists)
    put(folder / "outcome.json", msgspec.json.encode(outcome))
    return 0


def _prepare(folder: Path) -> None:
    """Give way to the server, and have compiled code kept: with the package where it can be written, else beside the jobs."""
    os.nice(5)
    package = Path(__file__).parent
    if not os.access(package, os.W_OK):
        os.environ["NUMBA_CACHE_DIR"] = str(folder.parent / "compiled" / package_version(package))


def package_version(package: Path) -> str:
    """A name for what compiled code was compiled from."""
    from hashlib import sha256

    state = sha256(sys.version.encode())
    for file in sorted(package.glob("engine/*.py")):
        state.update(file.read_bytes())
    return state.hexdigest()[:16]


def _teller(folder: Path) -> Any:
    from mumian.elements.sharing.exchange.checkpoints import tell

    return lambda progress: tell(folder / "progress.json", msgspec.to_builtins(progress))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.stdin.buffer.read()))
