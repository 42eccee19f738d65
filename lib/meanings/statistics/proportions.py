"""Intervals of proportions, which have a width where everything is right, or nothing."""

import numpy as np
import scipy
from jaxtyping import Float, Int

from meanings.core.errors import MeaningsError


def wilson(successes: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Wilson's interval of a proportion, which has a width at 0 and 1 too.

    Raises MeaningsError where there are no trials, or more successes than trials.
    """
    if not 0 <= successes <= n or n == 0:
        raise MeaningsError(
            f"{successes} successes of {n} trials: expected at least one trial, and at most as "
            f"many successes"
        )
    found = scipy.stats.binomtest(int(successes), int(n)).proportion_ci(level, method="wilson")
    return float(found.low), float(found.high)


def with_width_at_the_ends(
    values: Float[np.ndarray, "group seed unit"],
    ends: tuple[Float[np.ndarray, " group"], Float[np.ndarray, " group"]],
    level: float = 0.95,
) -> tuple[Float[np.ndarray, " group"], Float[np.ndarray, " group"]]:
    """Bootstrap intervals, and Wilson's in groups whose units are all 0 or all 1: no resample of
    these differs, and 1.00 [1.00, 1.00] would claim certainty.

    Wilson's interval counts units; where seeds repeat them they are no further trials.
    """
    low, high = (np.array(end, dtype=float) for end in ends)
    present = ~np.isnan(values)
    n_units: Int[np.ndarray, " group"] = present.any(axis=1).sum(axis=1)
    for end in (0.0, 1.0):
        same = ((values == end) | ~present).all(axis=(1, 2)) & (n_units > 0)
        for group in np.flatnonzero(same):
            count = int(n_units[group])
            low[group], high[group] = wilson(int(end) * count, count, level)
    return low, high
