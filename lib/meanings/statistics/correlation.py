"""Rank correlations over languages, and permutation tests of the strongest of several."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import scipy

PERMUTATIONS = 2000


def rank_correlation(a: pd.Series, b: pd.Series) -> float:
    """Spearman's rank correlation of two columns; 0 where one of them does not vary.

    Rows in which one is missing are left out.
    """
    both = a.notna().to_numpy() & b.notna().to_numpy()
    x, y = (column[both].to_numpy(dtype=float) for column in (a, b))
    if both.sum() < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return 0.0
    return float(scipy.stats.spearmanr(x, y).statistic)


def property_correlations(
    table: pd.DataFrame, names: Sequence[str], outcome: str = "mean", seed: int = 0
) -> pd.DataFrame:
    """Rank correlation of each property with the outcome over languages, with permutation tests.

    Columns `name`, `rank`, `p` (two-sided, of that property alone) and `p_any` (that any of the
    properties reaches so much: what the strongest of several has to be compared with). A property
    that does not vary has rank 0. Rows in which one is missing are left out of it. Source: Westfall
    and Young 1993 (the largest statistic over permutations).
    """
    random = np.random.Generator(np.random.PCG64(seed))
    places = np.argsort(random.random((PERMUTATIONS, len(table))), axis=1)
    found, permuted = [], []  # rank correlations, and their sizes under the permutations
    for name in names:
        present = (table[name].notna() & table[outcome].notna()).to_numpy()
        x, y = (
            _unit_ranks(table.loc[present, column].to_numpy(dtype=float))
            for column in (name, outcome)
        )
        # A permutation of all rows, restricted to those present, is a permutation of these.
        order = np.argsort(np.argsort(places[:, present], axis=1), axis=1)
        found.append(float(x @ y))
        permuted.append(np.abs(x[order] @ y))
    largest = np.max(permuted, axis=0)
    p = [_p_value(draws, rank) for rank, draws in zip(found, permuted, strict=True)]
    p_any = [_p_value(largest, rank) for rank in found]
    return pd.DataFrame({"name": list(names), "rank": found, "p": p, "p_any": p_any})


def _p_value(draws: np.ndarray, rank: float) -> float:
    return (1 + (draws >= abs(rank) - 1e-12).sum()) / (1 + len(draws))


def _unit_ranks(values: np.ndarray) -> np.ndarray:
    """Ranks of mean 0 and length 1, so that a product of two is their rank correlation; zeros where
    nothing varies.
    """
    ranks = scipy.stats.rankdata(values) - (len(values) + 1) / 2
    length = np.linalg.norm(ranks)
    return ranks / length if length > 0 else ranks
