"""Agreement of instruments over language pairs, against scipy's and by construction."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
import scipy

from meanings.core.errors import MeaningsError
from meanings.statistics import agreement

CODES = ("de", "en", "es", "fr", "ru", "zh")
PAIRS = pd.MultiIndex.from_tuples(combinations(CODES, 2), names=["language_a", "language_b"])


def table(columns, seed=0, noise=0.0):
    """Values that follow one order of the pairs, with noise."""
    rng = np.random.default_rng(seed)
    order = rng.random(len(PAIRS))
    values = {f"x{i}": order + noise * rng.normal(size=len(PAIRS)) for i in range(columns)}
    return pd.DataFrame(values, index=PAIRS)


def test_concordance_is_that_of_friedmans_test():
    values = table(4, noise=0.3).round(1)  # with ties
    # Friedman's test takes a sample for each pair: each instrument ranks the pairs.
    chi2 = scipy.stats.friedmanchisquare(*values.to_numpy()).statistic
    w = chi2 / (values.shape[1] * (len(values) - 1))
    assert agreement.concordance(values)["w"] == pytest.approx(w, rel=0.02)


def test_one_order_is_full_agreement_and_lies_above_its_null():
    found = agreement.concordance(table(3))
    assert found["w"] == pytest.approx(1.0)
    assert found["null_high"] < 0.8 and found["p"] < 0.01
    assert (found["n_pairs"], found["n_instruments"]) == (15, 3)


def test_unrelated_orders_lie_within_the_null():
    rng = np.random.default_rng(3)
    values = pd.DataFrame(rng.random((15, 4)), index=PAIRS)
    found = agreement.concordance(values)
    assert found["w"] < found["null_high"] and found["p"] > 0.05


def test_too_little_is_refused():
    with pytest.raises(MeaningsError, match="three pairs"):
        agreement.concordance(table(3).head(2))
    with pytest.raises(MeaningsError, match="two instruments"):
        agreement.concordance(table(1))


def test_pairs_that_an_instrument_lacks_are_left_out():
    rows = pd.DataFrame(
        [
            {"instrument": name, "step": step, "language_a": a, "language_b": b, "value": value}
            for name, last in (("x", 10), ("y", 20))
            for step in (0, last)
            for (a, b), value in zip((("de", "en"), ("en", "fr")), (step, step + 1), strict=True)
            if not (name == "y" and b == "fr")
        ]
    )
    found = agreement.pair_matrix(rows)
    assert list(found.index) == [("de", "en")]
    assert found.loc[("de", "en")].to_dict() == {"x": 10, "y": 20}
