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


def rising(name, onsets):
    """An instrument whose curve in a pair jumps at the given token count."""
    return pd.DataFrame(
        {"instrument": name, "training_seed": 0, "step": tokens, "tokens": tokens,
         "language_a": a, "language_b": b, "null": 0.0, "n": 10,
         "value": value, "low": value - 0.01, "high": value + 0.01}
        for (a, b), moment in onsets.items()
        for tokens in (0, 10, 20, 40, 80)
        for value in (float(tokens >= moment),)
    )  # fmt: skip


def test_a_language_rises_with_the_mean_of_its_pairs_and_alone_with_its_own():
    pairs = rising("x", {("de", "en"): 20, ("de", "fr"): 80})
    alone = rising("y", {("de", ""): 10, ("en", ""): 20, ("fr", ""): 80})
    flat = rising("z", {("de", ""): 10_000, ("en", ""): 10_000, ("fr", ""): 10_000})
    found = agreement.onsets_by_language(pd.concat([pairs, alone, flat], ignore_index=True))
    assert list(found.columns) == ["x", "y"]  # what does not rise has no order
    for column, code, (low, high) in (
        ("x", "en", (10, 20)), ("x", "fr", (40, 80)), ("x", "de", (10, 80)),
        ("y", "de", (0, 10)), ("y", "en", (10, 20)), ("y", "fr", (40, 80)),
    ):  # fmt: skip
        assert low <= found.loc[code, column] <= high, (column, code)


def test_one_order_of_languages_is_full_agreement_and_chance_is_not():
    order = pd.DataFrame({f"x{i}": [1.0, 2, 3, 5, 8, np.inf] for i in range(3)}, index=CODES)
    found = agreement.language_concordance(order)
    assert found["w"] == pytest.approx(1.0) and found["p"] < 0.01 and found["n_languages"] == 6
    rng = np.random.default_rng(5)
    chance = pd.DataFrame({f"x{i}": rng.permutation(6) for i in range(4)}, index=CODES)
    drawn = agreement.language_concordance(chance)
    assert drawn["w"] < drawn["null_high"] < found["null_high"] and drawn["p"] > 0.05
    with pytest.raises(MeaningsError, match="2 languages"):
        agreement.language_concordance(order.head(2))
