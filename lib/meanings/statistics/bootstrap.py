"""Means with their uncertainty: intervals over concepts and training seeds, and paired differences.

The unit is the concept: the prompts, layers and languages of one concept are not independent of
each other. A mean is taken over units of the mean of each unit's rows, so that every concept counts
once; where a table has several training seeds, over seeds of that.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float, Shaped

from meanings.core.errors import MeaningsError
from meanings.statistics.matching import shared_cells

SEED_COLUMN = "training_seed"
RESAMPLES = 1000  # more would change an interval's ends in the third decimal


class UnitMeans(NamedTuple):
    """Means of the rows of each (group, training seed, unit), NaN where there are none."""

    groups: pd.DataFrame
    seeds: list
    units: list
    values: Float[np.ndarray, "group seed unit"]


def interval(
    df: pd.DataFrame,
    value: str,
    by: Sequence[str] = (),
    *,
    unit: str = "source_concept",
    n: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Mean of `value` in each group of `by`, with a bootstrap interval over units and training
    seeds.

    Seeds and units are crossed (every seed meets the same concepts), so both are resampled,
    independently of each other, and a cell of the resample counts as often as its seed times its
    unit was drawn. With one seed it is the plain bootstrap over units. All groups share the draws.

    Columns: `by`, `mean`, `low`, `high`, `n_units`, `n_seeds`, and `n_language_pairs` where the
    table has pairs and does not group by them. A group with one unit has no interval: NaN.

    Raises MeaningsError where the table is empty or lacks a column. Source: Owen 2007 (crossed
    bootstrap).
    """
    grid = to_grid(df, value, by, unit)
    draws = resampled_means(grid.values, n, seed)
    low, high = np.nanquantile(draws, [(1 - level) / 2, (1 + level) / 2], axis=0)
    present = ~np.isnan(grid.values)
    n_units = present.any(axis=1).sum(axis=1)
    single = n_units < 2
    found = grid.groups.assign(
        mean=point_means(grid.values),
        low=np.where(single, np.nan, low),
        high=np.where(single, np.nan, high),
        n_units=n_units,
        n_seeds=present.any(axis=2).sum(axis=1),
    )
    return _with_pairs(found, df, by)


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
    """Mean of `value` under `a` minus under `b` (two values of the column `between`), over the cells
    that have both (`meanings.statistics.matching`).

    Columns as `interval`, with `mean` the difference, and `share_above`: the share of resamples
    above zero.

    Raises MeaningsError where `a` or `b` does not occur, or they share no cell.
    """
    rows = _compared_rows(df, value, a, b, by, between, unit)
    difference = _differences(rows, value, a, b, by, between, unit)
    result = interval(difference, "difference", by, unit=unit, n=n, level=level, seed=seed)
    grid = to_grid(difference, "difference", by, unit)
    draws = resampled_means(grid.values, n, seed)
    return _with_pairs(result.assign(share_above=(draws > 0).mean(axis=0)), rows, by)


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
    """Differences of `value` between two labels, one row a group of `by`, training seed and unit.

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


def to_grid(df: pd.DataFrame, value: str, by: Sequence[str], unit: str) -> UnitMeans:
    """Means of `value` per group, training seed (one, where the table has no such column or groups
    by it) and unit.
    """
    missing = [name for name in (value, unit, *by) if name not in df]
    if missing:
        raise MeaningsError(
            f"the table has no column {', '.join(missing)}; it has {', '.join(df.columns)}"
        )
    if df.empty:
        raise MeaningsError(f"no rows to take a mean of {value!r} over; widen the selection")
    seeds = (
        df[SEED_COLUMN]
        if SEED_COLUMN in df and SEED_COLUMN not in by
        else pd.Series(0, index=df.index)
    )
    frame = pd.DataFrame(
        {name: df[name] for name in by}
        | {"_seed": seeds, "_unit": df[unit], "_value": df[value].astype(float)}
    )
    means = (
        frame.groupby([*by, "_seed", "_unit"], observed=True, sort=True)["_value"]
        .mean()
        .reset_index()
    )
    if by:
        numbers = means.groupby(list(by), observed=True, sort=True).ngroup().to_numpy()
        groups = (
            means[list(by)]
            .assign(_n=numbers)
            .drop_duplicates("_n")
            .sort_values("_n")
            .drop(columns="_n")
            .reset_index(drop=True)
        )
    else:
        numbers, groups = np.zeros(len(means), dtype=int), pd.DataFrame(index=[0])
    seed_codes, seed_names = pd.factorize(means["_seed"], sort=True)
    unit_codes, unit_names = pd.factorize(means["_unit"].astype(object), sort=True)
    values = np.full((len(groups), len(seed_names), len(unit_names)), np.nan)
    values[numbers, seed_codes, unit_codes] = means["_value"]
    return UnitMeans(groups, list(seed_names), list(unit_names), values)


def to_array(
    df: pd.DataFrame, value: str, by: Sequence[str], unit: str = "source_concept"
) -> tuple[list[list], Float[np.ndarray, "..."]]:
    """Means of `value` as an array [by..., seed, unit], with the labels of each axis in `by`, sorted.

    NaN where a combination does not occur. Raises as `to_grid`.
    """
    grid = to_grid(df, value, by, unit)
    axes = [pd.factorize(grid.groups[name].astype(object), sort=True) for name in by]
    values = np.full((*(len(labels) for _, labels in axes), *grid.values.shape[1:]), np.nan)
    values[tuple(codes for codes, _ in axes)] = grid.values
    return [list(labels) for _, labels in axes], values


def resampled_means(
    values: Float[np.ndarray, "*groups seed unit"], n: int = RESAMPLES, seed: int = 0
) -> Float[np.ndarray, "resample ..."]:
    """Each group's mean in `n` resamples of training seeds and units, the same draws for all
    groups.
    """
    shape = values.shape
    flat = values.reshape(-1, *shape[-2:])
    random = np.random.Generator(np.random.PCG64(seed))
    n_seeds, n_units = shape[-2:]
    seeds = random.multinomial(n_seeds, np.full(n_seeds, 1 / n_seeds), size=n)
    units = random.multinomial(n_units, np.full(n_units, 1 / n_units), size=n)
    # In blocks, so that thousands of groups do not fill the memory.
    block = max(1, 4_000_000 // (len(flat) * n_seeds))
    parts = [
        weighted_means(flat, seeds[i : i + block], units[i : i + block]) for i in range(0, n, block)
    ]
    return np.concatenate(parts).reshape(n, *shape[:-2])


def weighted_means(
    values: Float[np.ndarray, "group seed unit"],
    seeds: Shaped[np.ndarray, "resample seed"],
    units: Shaped[np.ndarray, "resample unit"],
) -> Float[np.ndarray, "resample group"]:
    """Mean over seeds and units, each counted as often as drawn; NaN where a group has none of
    them.

    A seed's mean is over its units, so that a seed with fewer units counts as much as the others.
    """
    present = ~np.isnan(values)
    totals = np.where(present, values, 0) @ units.T.astype(float)  # group seed resample
    counts = present.astype(float) @ units.T
    with np.errstate(invalid="ignore", divide="ignore"):
        by_seed = np.where(counts > 0, totals / counts, 0)
        weights = (counts > 0) * seeds.T
        return ((by_seed * weights).sum(1) / weights.sum(1)).T


def point_means(values: Float[np.ndarray, "*groups seed unit"]) -> Float[np.ndarray, "*groups"]:
    """The means themselves: every seed and unit once."""
    shape = values.shape
    once = np.ones((1, shape[-2])), np.ones((1, shape[-1]))
    return weighted_means(values.reshape(-1, *shape[-2:]), *once)[0].reshape(shape[:-2])


def mean_where_present(values: Float[np.ndarray, "..."], axis: int) -> Float[np.ndarray, "..."]:
    """Means over one axis of the values that are not NaN; NaN where all are."""
    present = ~np.isnan(values)
    count = present.sum(axis=axis)
    total = np.where(present, values, 0).sum(axis=axis)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
