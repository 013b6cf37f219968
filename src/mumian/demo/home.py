"""The demo's data folder: taken only when it is empty or the demo's own."""

import fcntl
import json
import shutil
from pathlib import Path

from mumian.demo.errors import HomeTaken

_MARK = "demo.json"
_OTHER = ("lost+found",)


def claim(home: Path, headless: bool) -> bool:
    """Take the folder for a demo; True if a live demo city is there to go on with. Raises HomeTaken.

    A headless run always begins with an empty city: it clears away what an earlier headless run left, and nothing else.
    """
    home.mkdir(parents=True, exist_ok=True)
    mark = home / _MARK
    entries = [entry for entry in home.iterdir() if entry.name not in _OTHER]
    if not entries:
        mark.write_text(json.dumps({"headless": headless}) + "\n", "utf-8")
        return False
    if not mark.is_file() or json.loads(mark.read_text("utf-8")).get("headless") is not headless:
        raise HomeTaken(home=str(home))
    if not headless:
        return True
    _clear(home, entries)
    mark.write_text(json.dumps({"headless": True}) + "\n", "utf-8")
    return False


def _clear(home: Path, entries: list[Path]) -> None:
    with (home / "lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise HomeTaken(home=str(home)) from None
        for entry in entries:
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            elif entry.name != "lock":
                entry.unlink()
