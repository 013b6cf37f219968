"""Ranking: departments in the order of how good their data are and how timely they mend them."""

from collections.abc import Iterable
from dataclasses import dataclass

SCORE_SHARE, TIMELY_SHARE = 0.7, 0.3


@dataclass(frozen=True)
class Standing:
    """What is known of an organisation: the scores of its datasets, and of its tickets how many were in time, late, or are open.

    `late` are those closed after their deadline and those open beyond it; `open` are all open ones.
    """

    organisation: str
    scores: tuple[float, ...]
    opened: int = 0
    open: int = 0
    timely: int = 0
    late: int = 0

    @property
    def score(self) -> float | None:
        """The mean score of its datasets."""
        return sum(self.scores) / len(self.scores) if self.scores else None

    @property
    def timeliness(self) -> float | None:
        """The share, in percent, of decided tickets that were closed in time; None without any."""
        decided = self.timely + self.late
        return 100.0 * self.timely / decided if decided else None

    @property
    def points(self) -> float | None:
        """0.7 × mean score + 0.3 × share of tickets in time; the score alone where there were no tickets."""
        if self.score is None or self.timeliness is None:
            return self.score
        return SCORE_SHARE * self.score + TIMELY_SHARE * self.timeliness


def ranked(standings: Iterable[Standing]) -> list[tuple[int | None, Standing]]:
    """The organisations with their places, best first; equals share a place, and who has no points comes last, without one."""
    ordered = sorted(standings, key=lambda one: (one.points is None, -(one.points or 0.0), one.organisation))
    found: list[tuple[int | None, Standing]] = []
    for i, one in enumerate(ordered):
        if one.points is None:
            place = None
        else:
            same = bool(found) and found[-1][1].points == one.points
            place = found[-1][0] if same else i + 1
        found.append((place, one))
    return found
