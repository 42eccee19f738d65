"""Means with their uncertainty: intervals over concepts and training seeds, and paired differences.

The unit is the concept: the prompts, layers and languages of one concept are not independent of
each other. A mean is taken over units of the mean of each unit's rows, so that every concept counts
once; where a table has several training seeds, over seeds of that.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float

from meanings.core.errors import MeaningsError
from meanings.statistics.matching import shared_cells
from meanings.statistics.proportions import with_width_at_the_ends
from meanings.statistics.resampling import (
    SEED_COLUMN,
    UnitMeans,
    point_means,
    resampled_means,
    to_grid,
)


def interval(
    df: pd.DataFrame,
    value: str,
    by: Sequence[str] = (),
    *,
    unit: str = "source_concept",
    n: int = 2000,
    level: float = 0.95,
    seed: int = 0,
    proportion: bool = False,
) -> pd.DataFrame:
    """Mean of `value` in each group of `by`, with a bootstrap interval over units and training
    seeds.

    Seeds and units are crossed (every seed meets the same concepts), so both are resampled,
    independently of each other, and a cell of the resample counts as often as its seed times its
    unit was drawn. With one seed it is the plain bootstrap over units. All groups share the draws.

    - `proportion`: `value` is 0 or 1 in each row; a group in which it is the same throughout has
      Wilson's interval, which has a width there.

    Columns: `by`, `mean`, `low`, `high`, `n_units`, `n_seeds`, and `n_language_pairs` where the
    table has pairs and does not group by them. A group with one unit has no interval: NaN.

    Raises MeaningsError where the table is empty or lacks a column. Source: Owen 2007 (crossed
    bootstrap).
    """
    grid = to_grid(df, value, by, unit)
    draws = resampled_means(grid.values, n, seed)
    return _with_pairs(_intervals(grid, draws, level, proportion), df, by)


def _intervals(
    grid: UnitMeans,
    draws: Float[np.ndarray, "resample group"],
    level: float,
    proportion: bool = False,
) -> pd.DataFrame:
    """Each group's mean with the interval of its draws."""
    low, high = np.nanquantile(draws, [(1 - level) / 2, (1 + level) / 2], axis=0)
    if proportion:
        low, high = with_width_at_the_ends(grid.values, (low, high), level)
    present = ~np.isnan(grid.values)
    n_units = present.any(axis=1).sum(axis=1)
    single = n_units < 2
    return grid.groups.assign(
        mean=point_means(grid.values),
        low=np.where(single, np.nan, low),
        high=np.where(single, np.nan, high),
        n_units=n_units,
        n_seeds=present.any(axis=2).sum(axis=1),
    )


def _with_pairs(found: pd.DataFrame, rows: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """The groups with the number of their language pairs, where these are averaged over."""
    if "pair" not in rows or "pair" in by:
        return found
    if not by:
        return found.assign(n_language_pairs=rows["pair"].nunique())
    counts = rows.groupby(list(by), observed=True)["pair"].nunique()
    return found.assign(n_language_pairs=counts.to_numpy())


def paired_difference(
    df: pd.DataFrame,
    value: str,
    a: str,
    b: str,
    by: Sequence[str] = (),
    *,
    between: str = "condition",
    unit: str = "source_concept",
    n: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Mean of `value` under `a` minus under `b` (two values of the column `between`), over the
    cells that have both (`meanings.statistics.matching`).

    Columns as `interval`, with `mean` the difference, and `share_above`: the share of resamples
    above zero.

    Raises MeaningsError where `a` or `b` does not occur, or they share no cell.
    """
    rows = _compared_rows(df, value, a, b, by, between, unit)
    difference = _differences(rows, value, a, b, by, between, unit)
    grid = to_grid(difference, "difference", by, unit)
    draws = resampled_means(grid.values, n, seed)
    result = _intervals(grid, draws, level).assign(share_above=(draws > 0).mean(axis=0))
    return _with_pairs(result, rows, by)


def differences(
    df: pd.DataFrame,
    value: str,
    a: str,
    b: str,
    by: Sequence[str] = (),
    *,
    between: str = "condition",
    unit: str = "source_concept",
) -> pd.DataFrame:
    """Differences of `value` between two labels, one row per group of `by`, training seed and unit.

    Columns: `by`, the training seed (where the table has it), `unit` and `difference`: `a` minus
    `b`, means over the rows of each in the cells that both have.

    Raises MeaningsError where `a` or `b` does not occur, or they share no cell.
    """
    rows = _compared_rows(df, value, a, b, by, between, unit)
    return _differences(rows, value, a, b, by, between, unit)


def _compared_rows(
    df: pd.DataFrame, value: str, a: str, b: str, by: Sequence[str], between: str, unit: str
) -> pd.DataFrame:
    for name in (a, b):
        if name not in set(df[between].unique()):
            raise MeaningsError(
                f"{between} {name!r} is not in the table; it has "
                f"{', '.join(map(str, df[between].unique()))}"
            )
    return shared_cells(df[df[value].notna()], [a, b], column=between, by=[*by, unit])


def _differences(
    rows: pd.DataFrame, value: str, a: str, b: str, by: Sequence[str], between: str, unit: str
) -> pd.DataFrame:
    seeds = [SEED_COLUMN] if SEED_COLUMN in rows and SEED_COLUMN not in by else []
    first, second = (
        rows[rows[between] == name].groupby([*by, *seeds, unit], observed=True)[value].mean()
        for name in (a, b)
    )
    return (first - second).rename("difference").reset_index()
