"""What an estimate with its interval says of a claim that names a smallest effect.

A claim says on which side of its smallest effect the true value lies. It *holds* where the whole
interval lies there, it is *refuted* where the whole interval lies on the other side, and otherwise
it is *undecided*: a test that merely fails to find a difference never makes a claim hold.
"""

from dataclasses import dataclass
from typing import Literal

# Of a probability or a share: a smaller difference counts as none, however certain it is. The rules
# of `meanings.statistics.rules` use it, and every claim that names no larger one.
SMALLEST_EFFECT = 0.02

Side = Literal["above", "below", "within"]
Verdict = Literal["holds", "refuted", "undecided"]


@dataclass(frozen=True)
class Effect:
    """An estimate, its 95 % interval, and the numbers of what it rests on.

    - `n_concepts`, `n_pairs`, `n_seeds`: source concepts, language pairs and training runs.
    """

    value: float
    low: float
    high: float
    n_concepts: int
    n_pairs: int
    n_seeds: int

    def __post_init__(self) -> None:
        if not self.low <= self.value <= self.high:
            raise ValueError(f"value {self.value} lies outside {self.low} to {self.high}")


def decide(effect: Effect, side: Side, smallest: float) -> Verdict:
    """What an interval says of a claim.

    - `above`: the value is larger than `smallest`; `below`: it is smaller than `-smallest`.
    - `within`: it lies between `-smallest` and `smallest`, a test of equivalence.

    Raises ValueError where `smallest` is negative, or 0 for `within`.
    """
    if smallest < 0 or (side == "within" and smallest == 0):
        raise ValueError(f"smallest effect {smallest}: expected a positive number")
    low, high = effect.low, effect.high
    if side == "below":
        low, high = -high, -low
    if side == "within":
        if -smallest < low and high < smallest:
            return "holds"
        return "refuted" if low > smallest or high < -smallest else "undecided"
    if low > smallest:
        return "holds"
    return "refuted" if high <= smallest else "undecided"
