"""Rank correlation of two columns."""

import pandas as pd
from scipy.stats import spearmanr


def rank_correlation(a: pd.Series, b: pd.Series) -> float:
    """Spearman's rank correlation, -1 to 1; 0 where one side does not vary. Rows that lack one are
    left out.
    """
    both = a.notna().to_numpy() & b.notna().to_numpy()
    a, b = a[both], b[both]
    if len(a) < 2 or a.nunique() < 2 or b.nunique() < 2:
        return 0.0
    return float(spearmanr(a, b).statistic)
