"""Answering with text models: loaded once each, checked against the digest in the ledger, at most four in memory."""

from collections import OrderedDict
from threading import Lock

from mumian.foundation.models.contracts import Version
from mumian.foundation.models.service.keeping import Keeping
from mumian.foundation.models.text import files
from mumian.foundation.models.text.model import TextModel

_MOST = 4


class Answering:
    """Text models at hand; thread-safe."""

    def __init__(self, keeping: Keeping) -> None:
        self._keeping = keeping
        self._lock = Lock()
        self._loaded: OrderedDict[str, TextModel] = OrderedDict()

    def loaded(self, version: Version) -> TextModel:
        """The model of a version; raises BadModel. Blocks when it is not at hand yet."""
        with self._lock:
            if version.sha256 not in self._loaded:
                name = f"{version.model}@{version.number}"
                self._loaded[version.sha256] = files.unpacked(self._keeping.content(version.sha256, name), name)
                if len(self._loaded) > _MOST:
                    self._loaded.popitem(last=False)
            self._loaded.move_to_end(version.sha256)
            return self._loaded[version.sha256]
