"""Time spent, on the wall and by the processor, and an estimate of time to come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from numbers import Real

# share of the threads' time below which others may have the cores, or the work leaves some idle
BUSY = 0.9


@dataclass(frozen=True)
class Spent:
    """Seconds on the wall, and seconds that the processor's threads would have needed alone (a
    lower bound).
    """

    wall: float
    alone: float

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.wall + other.wall, self.alone + other.alone)

    def __sub__(self, other: Spent) -> Spent:
        return Spent(self.wall - other.wall, self.alone - other.alone)

    def __mul__(self, times: Real) -> Spent:
        return Spent(self.wall * times, self.alone * times)

    @property
    def share(self) -> float:
        """The share of its cores that the work had, 1 where nothing was spent."""
        return self.alone / self.wall if self.wall else 1.0


NOTHING = Spent(0.0, 0.0)
Clock = Callable[[], Spent]


@dataclass(frozen=True)
class Estimate:
    """Seconds from `low` to `high`, and what they were told from."""

    low: float
    high: float
    basis: str

    @classmethod
    def of(cls, whole: Spent, basis: str, share: float = 1.0) -> Estimate:
        """An estimate from a trial that had this `share` of its cores: a range where other work
        had the rest of them.
        """
        if share >= BUSY:
            return cls(whole.wall, whole.wall, basis)
        return cls(
            min(whole.alone, whole.wall),
            whole.wall,
            f"{basis} and had {share:.0%} of its cores: less if other jobs end, up to this if not",
        )


def on_a_line(points: Sequence[tuple[int, Spent]], amount: int, times: int) -> Spent:
    """What `amount` in all takes, in `times` parts: times a + amount b, of a line a + b x through
    one or two points.

    Neither a cost that is fixed nor one that grows is below 0; one point alone is scaled.
    """
    return Spent(
        *(
            _line([(x, getattr(t, name)) for x, t in points], amount, times)
            for name in ("wall", "alone")
        )
    )


def _line(points: list[tuple[int, float]], amount: int, times: int) -> float:
    (x1, t1), (x2, t2) = points[0], points[-1]
    if not x2:
        return 0.0
    slope = (t2 - t1) / (x2 - x1) if x2 > x1 else t2 / x2
    slope = min(max(slope, 0.0), max(t2, 0.0) / x2)
    return times * max(t2 - slope * x2, 0.0) + amount * slope
