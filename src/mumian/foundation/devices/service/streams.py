"""Streams of devices by name, kept in memory: asked for one by one where few are new, read in pages where many are."""

import threading
from collections.abc import Iterable

from mumian.foundation.sensing.api import Sensing, StreamInfo
from mumian.kernel.errors import NotFound
from mumian.kernel.platform import Platform

_FEW = 500
_PAGE = 10_000


class Streams:
    """What sensing knows of the streams that devices name; not on the event loop."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._known: dict[str, StreamInfo] = {}
        self._absent: set[str] = set()
        self._version = (-1, -1)
        self._lock = threading.Lock()

    def named(self, names: Iterable[str]) -> dict[str, StreamInfo]:
        """Those of the streams that there are, by name."""
        sensing = self._platform.get(Sensing)
        sensing.registry.refresh()
        version = (self._platform.declarations.revision, sensing.registry.version)
        wanted = set(names)
        with self._lock:
            if version[0] != self._version[0]:
                self._known = {}
            if version != self._version:
                self._absent, self._version = set(), version
            unknown = wanted - self._known.keys() - self._absent
            self._read(sensing, unknown)
            self._absent |= unknown - self._known.keys()
            return {name: self._known[name] for name in wanted if name in self._known}

    def _read(self, sensing: Sensing, names: set[str]) -> None:
        if len(names) <= _FEW:
            for name in names:
                try:
                    self._known[name] = sensing.stream(name)
                except NotFound:
                    continue
            return
        after = 0
        while page := sensing.page(after, _PAGE):
            self._known |= {info.name: info for info in page if info.name in names}
            after = page[-1].id
