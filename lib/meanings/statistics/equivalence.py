"""Whether groups do as well as each other, as a test of equivalence: each group's score as a share
of what can be had, and how far these shares lie apart.

    ratio[g]     = mean of the patched score of g / mean of the direct score of g
    deviation[g] = ratio[g] - mean over groups of ratio

A test that merely finds no difference says nothing: few concepts find none. Groups are equivalent
within a margin where the intervals of all deviations lie within it (Schuirmann 1987; of several
groups, each by itself: Berger 1982).
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from meanings.core.errors import MeaningsError
from meanings.statistics.effects import Effect
from meanings.statistics.matching import shared_cells
from meanings.statistics.resampling import RESAMPLES, point_means, resampled_means, to_array

ENDS = (0.025, 0.975)


def matched_ratios(
    rows: pd.DataFrame,
    patched: str,
    direct: str,
    by: str = "output",
    *,
    between: str = "condition",
    value: str = "p_source",
    n: int = RESAMPLES,
) -> pd.DataFrame:
    """Each group's patched score, direct score, and their ratio, over the cells that have both.

    - `patched`, `direct`: values of the column `between`.

    Columns: `by`; `patched`, `direct`, `ratio`, `deviation`, each with `_low` and `_high` (95 %,
    over concepts and training seeds); `n_units`, `n_seeds`, `n_language_pairs`.

    Raises MeaningsError where one of the two does not occur, or they share no cell.
    """
    rows = rows[rows[value].notna()]
    groups, point, draws, values = _scores(rows, (patched, direct), by, between, value, n)
    found = {by: groups}
    ratio, ratios = point[0] / point[1], draws[:, 0] / draws[:, 1]
    for name, mean, drawn in (
        ("patched", point[0], draws[:, 0]),
        ("direct", point[1], draws[:, 1]),
        ("ratio", ratio, ratios),
        ("deviation", ratio - ratio.mean(), ratios - ratios.mean(axis=1, keepdims=True)),
    ):
        low, high = np.nanquantile(drawn, ENDS, axis=0)
        found |= {name: mean, f"{name}_low": low, f"{name}_high": high}
    present = ~np.isnan(values)
    rows = shared_cells(rows, [patched, direct], column=between, by=[by])
    pairs = rows.groupby(by, observed=True)["pair"].nunique() if "pair" in rows else None
    return pd.DataFrame(found).assign(
        n_units=present.any(axis=1).sum(axis=1),
        n_seeds=present.any(axis=2).sum(axis=1),
        n_language_pairs=1 if pairs is None else pairs.reindex(groups).to_numpy(),
    )


def ratio_contrast(
    rows: pd.DataFrame,
    patched: str,
    direct: str,
    groups: tuple[Sequence[str], Sequence[str]],
    by: str = "output",
    *,
    between: str = "condition",
    value: str = "p_source",
) -> Effect:
    """Mean ratio of the first groups minus that of the second, with its interval.

    Arguments and errors as of `matched_ratios`.
    """
    rows = rows[rows[by].isin([*groups[0], *groups[1]]) & rows[value].notna()]
    labels, point, draws, values = _scores(rows, (patched, direct), by, between, value, RESAMPLES)
    signs = np.array(
        [1 / len(groups[0]) if name in groups[0] else -1 / len(groups[1]) for name in labels]
    )
    low, high = np.quantile((draws[:, 0] / draws[:, 1]) @ signs, ENDS)
    pairs = rows["pair"].nunique() if "pair" in rows else 1
    return Effect(
        float((point[0] / point[1]) @ signs),
        float(low),
        float(high),
        values.shape[-1],
        pairs,
        values.shape[-2],
    )


def _scores(
    rows: pd.DataFrame, both: tuple[str, str], by: str, between: str, value: str, n: int
) -> tuple[list, np.ndarray, np.ndarray, np.ndarray]:
    """The groups' names; patched and direct means, [2, group]; resampled, [n, 2, group]; and the
    patched scores of each seed and concept.
    """
    if lacking := sorted(set(both) - set(rows[between].unique())):
        raise MeaningsError(f"{between} {lacking[0]!r} is not in the table; measure it too")
    rows = shared_cells(rows, both, column=between, by=[by])
    (names, groups), values = to_array(rows, value, [between, by])
    order = [names.index(name) for name in both]  # `to_array` sorts the names
    draws = resampled_means(values, n)[:, order]
    return groups, point_means(values)[order], draws, values[order[0]]


def largest_deviation(ratios: pd.DataFrame) -> Effect:
    """The deviation that is farthest from zero, within the hull of the intervals of all.

    The hull lies within a margin where every interval does: the test of equivalence of all groups.

    - `ratios`: as `matched_ratios` gives them.
    """
    farthest = ratios.loc[ratios["deviation"].abs().idxmax()]
    return Effect(
        float(farthest["deviation"]),
        float(ratios["deviation_low"].min()),
        float(ratios["deviation_high"].max()),
        int(ratios["n_units"].max()),
        int(ratios["n_language_pairs"].sum()),
        int(ratios["n_seeds"].max()),
    )
