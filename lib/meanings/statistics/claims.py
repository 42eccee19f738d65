"""When a chapter may claim what: every decision rule of the book in one place, so that shuffled
labels can be put to the same rules.

A rule takes a table as the chapters have it and answers with a plain value; the words are the
chapters'. What a rule lets through where there is nothing to find is in
data/published/false_positives.csv (`meanings.validity.false_positives`).
"""

from typing import Literal

import numpy as np
import pandas as pd
from jaxtyping import Float
from scipy.stats import friedmanchisquare, wilcoxon

from meanings.statistics.bootstrap import (
    RESAMPLES,
    Grid,
    paired_difference,
    point_means,
    resampled_means,
    to_grid,
)
from meanings.statistics.correlation import property_correlations
from meanings.statistics.selection import split_pairs

LEVEL = 0.05


def sign(row: pd.Series) -> Literal[-1, 0, 1]:
    """What an interval of a difference says: above zero, below zero, or neither."""
    return 1 if row["low"] > 0 else -1 if row["high"] < 0 else 0


def difference(table: pd.DataFrame, a: str, b: str, value: str = "p_source") -> Literal[-1, 0, 1]:
    """Whether `value` under condition `a` lies above or below that under `b`, concept by concept."""
    return sign(paired_difference(table, value, a, b, n=RESAMPLES).iloc[0])


def order(a: pd.Series | None, b: pd.Series | None) -> Literal[-1, 0, 1]:
    """Which of two onsets comes first, -1 for `a`: only where their intervals do not meet and both
    are there.
    """
    if a is None or b is None or (a["low"] <= b["high"] and b["low"] <= a["high"]):
        return 0
    return -1 if a["high"] < b["low"] else 1


def depends(patched: pd.DataFrame, value: str = "p_source") -> bool:
    """Whether alignment depends on the output language, by Friedman's test: every concept ranks the
    languages.

    - `patched`: rows with `output`; a concept that lacks a language is left out.
    """
    return (
        unequal(mean_over_runs(to_grid(patched, value, ["output"], "source_concept").values))
        < LEVEL
    )


def unequal(means: Float[np.ndarray, "language concept"]) -> float:
    """p of no difference between languages: Friedman's test (of two, Wilcoxon's); 1 where nothing
    differs or there is too little.

    Intervals of the best and of the worst of many languages are no test: chosen after the fact,
    they part too often. Source: Friedman 1937.
    """
    whole = means[:, ~np.isnan(means).any(axis=0)]
    if len(whole) < 2 or whole.shape[1] < 2 or not np.ptp(whole, axis=0).any():
        return 1.0
    return float((friedmanchisquare(*whole) if len(whole) > 2 else wilcoxon(*whole)).pvalue)


def mean_over_runs(
    values: Float[np.ndarray, "... seed concept"],
) -> Float[np.ndarray, "... concept"]:
    """Means over training seeds; NaN where no run has the concept."""
    there = ~np.isnan(values)
    count = there.sum(axis=-2)
    return np.where(
        count > 0, np.where(there, values, 0).sum(axis=-2) / np.maximum(count, 1), np.nan
    )


def side(patched: pd.DataFrame, value: str = "p_source") -> Literal[-1, 0, 1]:
    """Whether output languages differ more than input languages (1), less (-1), or neither can be
    told.

    spread = max - min over languages of the mean;   the interval of  spread(output) - spread(input)
    over concepts
    """
    grids = {
        name: to_grid(patched, value, [name], "source_concept") for name in ("output", "input")
    }
    drawn = _spread(grids["output"]) - _spread(grids["input"])
    low, high = np.quantile(drawn, [LEVEL / 2, 1 - LEVEL / 2])
    return sign(pd.Series({"low": low, "high": high}))


def _spread(grid: Grid) -> np.ndarray:
    return np.ptp(resampled_means(grid, RESAMPLES, 0), axis=1)


def earlier(found: pd.DataFrame) -> bool:
    """Whether languages with more text join earlier: a negative rank correlation of `share` and
    `onset` that shuffling rarely reaches.
    """
    if len(found) < 4:
        return False
    row = property_correlations(found, ["share"], "onset").iloc[0]
    return bool(row["rank"] < 0 and row["p"] < LEVEL)


def best_layers(swept: pd.DataFrame, value: str = "p_source") -> pd.DataFrame:
    """The first patched layer with the highest mean for each output language, with an interval:
    `output`, `layer`, `low`, `high`.
    """
    grid = to_grid(swept, value, ["output", "first_layer"], "source_concept")
    layers = np.sort(grid.groups["first_layer"].unique())
    codes = list(dict.fromkeys(grid.groups["output"].astype(str)))
    shape = (len(codes), len(layers))
    best = point_means(grid.values).reshape(shape).argmax(axis=1)
    drawn = resampled_means(grid, RESAMPLES, 0).reshape(-1, *shape).argmax(axis=2)
    low, high = np.quantile(drawn, [LEVEL / 2, 1 - LEVEL / 2], axis=0, method="nearest")
    return pd.DataFrame(
        {"output": codes, "layer": layers[best], "low": layers[low], "high": layers[high]}
    )


def layers_differ(best: pd.DataFrame) -> bool:
    """Whether the best layers of two languages lie more than one apart, beyond their intervals."""
    return bool(best["low"].max() > best["high"].min() + 1)


def gains_more(
    correct: pd.DataFrame, patched: str = "seen", plain: str = "src_unpatched"
) -> Literal[-1, 0, 1]:
    """Whether a patch turns more answers right than wrong: the interval, over concepts, of the
    difference in the share of right ones.

    - `correct`: a row an answer, with `condition`, `pair`, `source_concept` and `right` (0 or 1).
    """
    return difference(correct, patched, plain, "right")


def alignment_rows(chosen: pd.DataFrame, condition: str = "seen") -> pd.DataFrame:
    """The rows of a condition, with `input` and `output`."""
    return split_pairs(chosen[chosen["condition"] == condition])
