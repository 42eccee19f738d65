"""Means of units as arrays, and their means over resampled training seeds and units.

    values[..., training seed, unit]      mean of a unit's rows, NaN where there are none

The unit is the concept: the prompts, layers and languages of one concept are not independent of
each other.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float, Shaped

from meanings.core.errors import MeaningsError

SEED_COLUMN = "training_seed"
RESAMPLES = 1000  # more would change an interval's ends in the third decimal


class UnitMeans(NamedTuple):
    """Means of the rows of each (group, training seed, unit), NaN where there are none."""

    groups: pd.DataFrame
    seeds: list
    units: list
    values: Float[np.ndarray, "group seed unit"]


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
    """Means of `value` as an array [by..., seed, unit], with the sorted labels of the axes in `by`.

    NaN where a combination does not occur. Raises as `to_grid`.
    """
    grid = to_grid(df, value, by, unit)
    axes = [pd.factorize(grid.groups[name].astype(object), sort=True) for name in by]
    values = np.full((*(len(labels) for _, labels in axes), *grid.values.shape[1:]), np.nan)
    values[tuple(codes for codes, _ in axes)] = grid.values
    return [list(labels) for _, labels in axes], values


def resampled_means(
    values: Float[np.ndarray, "*groups seed unit"], n: int = RESAMPLES, seed: int = 0
) -> Float[np.ndarray, " resample *groups"]:
    """Each group's mean in `n` resamples of training seeds and units, the same draws for all
    groups.
    """
    shape = values.shape
    flat = values.reshape(-1, *shape[-2:])
    n_seeds, n_units = shape[-2:]
    seeds, units = _draws(n_seeds, n_units, n, seed)
    # In blocks, so that thousands of groups do not fill the memory.
    block = max(1, 4_000_000 // (len(flat) * n_seeds))
    parts = [
        weighted_means(flat, seeds[i : i + block], units[i : i + block]) for i in range(0, n, block)
    ]
    return np.concatenate(parts).reshape(n, *shape[:-2])


@lru_cache(maxsize=16)
def _draws(n_seeds: int, n_units: int, n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """How often each training seed and unit is drawn in `n` resamples; not to be written to."""
    random = np.random.Generator(np.random.PCG64(seed))
    return (
        random.multinomial(n_seeds, np.full(n_seeds, 1 / n_seeds), size=n),
        random.multinomial(n_units, np.full(n_units, 1 / n_units), size=n),
    )


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
