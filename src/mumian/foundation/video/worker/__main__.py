"""Runs a worker: jobs come in on standard input, findings go out on standard output, until the input ends."""

import json
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from mumian.foundation.video.worker.messages import Ack, Drop, Job, pack, read

_MOST_UNACKNOWLEDGED = 64
_NICE = 5


class Outbox:
    """Numbers and writes messages; a sender waits while 64 of them are not acknowledged yet."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lock = threading.Lock()
        self._room = threading.Semaphore(_MOST_UNACKNOWLEDGED)
        self._number = 0

    def send(self, make: Callable[[int], Any]) -> None:
        """Send what `make` makes of the next number."""
        self._room.acquire()
        with self._lock:
            self._number += 1
            content = pack(make(self._number))
            while content:
                content = content[os.write(self._descriptor, content) :]

    def acknowledged(self) -> None:
        """There is room for one more."""
        self._room.release()


def watch() -> None:
    """Serve jobs."""
    import cv2

    from mumian.foundation.video.worker.watching import Watch

    cv2.setNumThreads(1)
    outbox = Outbox(_own_output())
    watches: dict[str, Watch] = {}
    while (message := read(sys.stdin.buffer)) is not None:
        if isinstance(message, Ack):
            outbox.acknowledged()
            continue
        known = watches.pop(message.camera, None)
        if known is not None:
            known.stop()
        if isinstance(message, Job):
            watches[message.camera] = Watch(message, outbox.send)
            watches[message.camera].start()
        elif not isinstance(message, Drop):
            raise TypeError(type(message).__name__)
    os._exit(0)  # threads may wait for acknowledgements that nobody sends any more


def _own_output() -> int:
    """Keep standard output for messages; whatever libraries print goes to standard error."""
    descriptor = os.dup(1)
    os.dup2(2, 1)
    return descriptor


def once(name: str) -> None:
    """Do one of the errands of `errands` and answer: a line of JSON, then bytes."""
    from mumian.foundation.video.worker import errands

    descriptor = _own_output()
    header, content = errands.run(name, json.loads(sys.stdin.buffer.read()))
    with os.fdopen(descriptor, "wb") as out:
        out.write(json.dumps(header).encode() + b"\n" + content)


if __name__ == "__main__":
    with suppress(OSError):
        os.nice(_NICE)
    if len(sys.argv) > 1:
        once(sys.argv[1])
    else:
        watch()
