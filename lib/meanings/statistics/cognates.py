"""Whether P(source) rests on words that languages have in common.

    added(y) = mean of all cells with output y - mean of those whose words resemble no other's

A word resembles another language's where they share a first token or three letters in a row
(`meanings.validity.controls.word_overlap`). Output languages differ in how many such words they
have and in how well they are spoken, so the difference is taken within each language.
"""

import numpy as np
import pandas as pd

from meanings.core.errors import MeaningsError
from meanings.statistics.bootstrap import interval
from meanings.statistics.resampling import (
    RESAMPLES,
    mean_where_present,
    point_means,
    resampled_means,
    to_array,
)
from meanings.statistics.selection import split_pairs

ALL, APART = "all", "apart"
ENDS = (0.025, 0.975)


def marked(cells: pd.DataFrame, overlap: pd.DataFrame) -> pd.DataFrame:
    """The cells with `output` and `apart`: whether the concept's words in the output language
    resemble none in any other trained language.

    Cells into a language that the table of overlaps lacks, which the model never saw, are left out.
    """
    apart = ~(overlap["shares_token"].astype(bool) | overlap["shares_letters"].astype(bool))
    known = overlap[["source_concept", "output"]].astype(str).assign(apart=apart)
    rows = split_pairs(cells).astype({"source_concept": str, "output": str})
    trained = set(known["output"])
    rows = rows[rows["output"].isin(trained) & rows["input"].isin(trained)]
    return rows.merge(known, on=["source_concept", "output"])


def by_output(rows: pd.DataFrame, value: str = "p_source") -> pd.DataFrame:
    """Mean with interval of all cells and of those apart, by output language: `output`, `words`
    (all, apart), `mean`, `low`, `high`, `n_units`, `n_language_pairs`.
    """
    found = interval(_twice(rows), value, ["output", "words"], n=RESAMPLES)
    return found.sort_values(["words", "mean"], ascending=[True, False]).reset_index(drop=True)


def added_by_resemblance(rows: pd.DataFrame, value: str = "p_source") -> tuple[float, float, float]:
    """What words in common add to the mean, with its interval over concepts and training seeds:
    the mean of `added(y)` over the output languages that have both kinds.

    Raises MeaningsError where no language has both.
    """
    kinds = rows.groupby("output", observed=True)["apart"].nunique()
    both = rows[rows["output"].isin(kinds[kinds > 1].index)]
    if both.empty:
        raise MeaningsError(
            "no output language has words in common and words apart; measure more languages"
        )
    _, values = to_array(_twice(both), value, ["output", "words"])
    (point, drawn) = (
        means[..., 0] - means[..., 1] for means in (point_means(values), resampled_means(values))
    )
    low, high = np.nanquantile(mean_where_present(drawn, axis=-1), ENDS)
    return float(point.mean()), float(low), float(high)


def _twice(rows: pd.DataFrame) -> pd.DataFrame:
    """All rows as `all`, and those apart once more as `apart`."""
    return pd.concat(
        [rows.assign(words=ALL), rows[rows["apart"]].assign(words=APART)], ignore_index=True
    )
