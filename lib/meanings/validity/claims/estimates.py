"""Effects from rows of tables: intervals over concepts, and intervals of shares."""

from math import sqrt

import pandas as pd
from scipy.stats import binomtest

from meanings.core.errors import MeaningsError
from meanings.statistics.effects import Effect


def from_row(row: pd.Series) -> Effect:
    """The effect of a row with an interval: of `statistics.bootstrap`, or of published means.

    Raises MeaningsError where it rests on one concept, which has no interval.
    """
    if pd.isna(row["low"]):
        raise MeaningsError(
            f"{int(row['n_units'])} concept: an interval needs two or more; measure more of them"
        )
    n_pairs, n_seeds = row.get("n_language_pairs", 1), row.get("n_seeds", 1)
    numbers = (int(row["n_units"]), int(n_pairs), int(n_seeds))
    return Effect(float(row["mean"]), float(row["low"]), float(row["high"]), *numbers)


def share(successes: int, trials: int) -> Effect:
    """A share of trials with its Wilson interval, which has a width at 0 and 1 too.

    Raises MeaningsError where there are no trials. Source: Wilson 1927.
    """
    if trials == 0:
        raise MeaningsError("no trials to take a share of; make the table again")
    value = successes / trials
    low, high = binomtest(successes, trials).proportion_ci(method="wilson")
    return Effect(value, min(float(low), value), max(float(high), value), 0, 0, 1)


def difference_of_shares(a: Effect, b: Effect) -> Effect:
    """A share of trials minus that of others, with Newcombe's interval.

    Source: Newcombe 1998, method 10.
    """
    value = a.value - b.value
    down = sqrt((a.value - a.low) ** 2 + (b.high - b.value) ** 2)
    up = sqrt((a.high - a.value) ** 2 + (b.value - b.low) ** 2)
    return Effect(value, value - down, value + up, 0, 0, 1)
