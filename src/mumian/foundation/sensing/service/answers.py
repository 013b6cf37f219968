"""Answers to requests with an Idempotency-Key, kept for a bounded time, so that a repeated request gets the same one."""

from collections.abc import Iterable

import numpy as np

from mumian.foundation.sensing.contracts import Receipt
from mumian.foundation.sensing.errors import KeyReused
from mumian.foundation.sensing.journal.format import Answer


class Answers:
    """The newest `most` answers of the last `seconds`, by key; `fresh` are those that only the journal has."""

    def __init__(self, most: int, seconds: int) -> None:
        self._most = most
        self._span = seconds * 1_000_000
        self._kept: dict[str, Answer] = {}
        self.fresh: list[Answer] = []

    @staticmethod
    def made(key: str, digest: str, receipt: Receipt, now: int) -> Answer:
        """The answer that a receipt is; ids that follow each other are kept as the first alone."""
        ids = receipt.ids
        following = len(ids) > 1 and int(ids[-1]) - int(ids[0]) == len(ids) - 1 and bool((np.diff(ids) == 1).all())
        return Answer(key, digest, [int(ids[0])] if following else ids.tolist(), len(ids), receipt.repeated, now)

    def find(self, key: str, digest: str, now: int) -> Receipt | None:
        """What was answered to `key`, or None; raises KeyReused when that was another request."""
        answer = self._kept.get(key)
        if answer is None or answer.time < now - self._span:
            return None
        if answer.digest != digest:
            raise KeyReused
        first = answer.ids[0] if answer.ids else 0
        ids = np.array(answer.ids, np.int64) if len(answer.ids) == answer.count else np.arange(first, first + answer.count)
        return Receipt(ids, answer.count - answer.repeated, answer.repeated, replayed=True)

    def add(self, answers: Iterable[Answer], fresh: bool = True) -> None:
        """Keep answers, newest last, and forget the oldest beyond the limit."""
        for answer in answers:
            self._kept.pop(answer.key, None)
            self._kept[answer.key] = answer
            if fresh:
                self.fresh.append(answer)
        while len(self._kept) > self._most:
            del self._kept[next(iter(self._kept))]

    def take_fresh(self) -> list[Answer]:
        """The answers that are not in the records yet; whoever takes them puts them there or gives them back."""
        taken, self.fresh = self.fresh, []
        return taken
