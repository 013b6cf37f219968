"""Alignment: rows with a cell too many or too few are moved back under the columns to which their values belong."""

from collections.abc import Sequence

from mumian.foundation.tables.rules.kinds import sort_of

_MOST = 3


class Aligner:
    """Knows the sorts of values in each column from rows of the right width."""

    def __init__(self, rows: Sequence[Sequence[str]], width: int) -> None:
        self.width = width
        self._sorts: list[dict[str, float]] = []
        for i in range(width):
            count: dict[str, float] = {}
            for row in rows:
                sort = sort_of(row[i])
                count[sort] = count.get(sort, 0) + 1
            total = sum(count.values()) or 1
            self._sorts.append({sort: number / total for sort, number in count.items()})

    def fitted(self, cells: Sequence[str]) -> tuple[list[str], bool]:
        """The cells under the right columns, and whether anything had to be moved or filled up.

        Too many: empty cells that should not be there are taken out, at the end first; too few: empty cells are put in where
        the rest then fits best. What cannot be told is filled up at the end, or stays too wide.
        """
        given = list(cells)
        over = len(given) - self.width
        if over == 0:
            return given, False
        if over > 0:
            if not any(cell.strip() for cell in given[self.width :]):
                return given[: self.width], False
            return self._narrowed(given, over), True
        return self._widened(given, -over), True

    def _narrowed(self, given: list[str], over: int) -> list[str]:
        for _ in range(min(over, _MOST)):
            empty = [i for i, cell in enumerate(given) if not cell.strip()]
            if not empty:
                break
            best = max(empty, key=lambda i: (self._score(given[:i] + given[i + 1 :]), i))
            given = given[:best] + given[best + 1 :]
        return given

    def _widened(self, given: list[str], under: int) -> list[str]:
        if under > _MOST or self.width > 200:
            return given + [""] * under
        for _ in range(under):
            best = max(range(len(given) + 1), key=lambda i: (self._score([*given[:i], "", *given[i:]]), i))
            given = [*given[:best], "", *given[best:]]
        return given

    def _score(self, cells: Sequence[str]) -> float:
        return sum(self._sorts[i].get(sort_of(cell), 0.0) for i, cell in enumerate(cells[: self.width]))
