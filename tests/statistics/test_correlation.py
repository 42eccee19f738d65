"""Rank correlations, and permutation tests of the strongest of several."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from meanings.statistics.correlation import property_correlations, rank_correlation


def test_the_strongest_of_several_properties_is_compared_with_the_strongest_under_permutation():
    random = np.random.default_rng(0)
    names = ["a", "b", "c", "d"]
    table = pd.DataFrame(random.random((11, 4)), columns=names).assign(mean=np.arange(11.0))
    table["a"] = table["mean"] ** 2
    found = property_correlations(table, names).set_index("name")
    assert found.loc["a", "rank"] == pytest.approx(1) and found.loc["a", "p_any"] < 0.01
    assert (found["p_any"] >= found["p"]).all()
    null = [
        property_correlations(table.assign(mean=random.permutation(11)), names) for _ in range(60)
    ]
    assert np.mean([each["p_any"].min() < 0.05 for each in null]) < 0.1
    assert np.mean([each["p"].min() < 0.05 for each in null]) > 0.1  # each alone: four chances


def test_rank_correlations_agree_with_scipy_and_leave_out_what_is_missing():
    table = pd.DataFrame(
        {"a": [1, 2, 2, 5, np.nan, 7, 3], "flat": 1.0, "mean": [3.0, 1, 4, 1, 5, 9, 2]}
    )
    assert rank_correlation(table["a"], table["mean"]) == pytest.approx(
        spearmanr(*table[["a", "mean"]].dropna().to_numpy().T).statistic
    )
    assert rank_correlation(table["flat"], table["mean"]) == 0
    found = property_correlations(table, ["a", "flat"]).set_index("name")
    there = table.dropna()
    assert found.loc["a", "rank"] == pytest.approx(spearmanr(there["a"], there["mean"]).statistic)
    assert found.loc["flat", "rank"] == 0 and found.loc["flat", "p"] == 1
