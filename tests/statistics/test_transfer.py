"""Correlation with transfer: over pairs within a checkpoint, never over training."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from meanings.core.errors import MeaningsError
from meanings.statistics import transfer as module

LANGUAGES = ("de", "en", "es", "fi", "fr", "pl", "ru", "zh")
PAIRS = list(combinations(LANGUAGES, 2))
STEPS = (100, 1000, 5000, 7500)


def made(of_pair, of_step, noise=0.02, seed=0):
    """A value per checkpoint and pair: a part of the pair, a part of the step, and noise."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {"training_seed": 0, "step": step, "a": a, "b": b}
        | {"value": of_pair(i) + of_step(t) + noise * rng.normal()}
        for t, step in enumerate(STEPS)
        for i, (a, b) in enumerate(PAIRS)
    )


def own(seed):
    """A value of each pair, drawn anew by seed."""
    return lambda i: np.random.default_rng([seed, i]).uniform(0, 0.3)


def rises(t):
    return t / 2


@pytest.fixture(scope="module")
def found():
    transfer = made(own(1), rises)
    measures = {
        "good": made(own(1), rises, seed=3),  # knows the pairs
        "riser": made(own(2), rises, seed=4),  # rises, and knows nothing of the pairs
    }
    return module.correlations(measures, transfer).set_index(["measure", "scope"]).sort_index()


def one(found, measure, scope):
    return found.loc[[(measure, scope)]].iloc[0]


def test_a_measure_that_knows_the_pairs_correlates_within_checkpoints(found):
    row = one(found, "good", "within")
    assert row["rho"] > 0.8 and row["low"] > 0.6 and row["p"] < 0.01
    assert row["n_pairs"] == 28 and row["n_languages"] == 8 and row["n_checkpoints"] == 4


def test_pooled_checkpoints_correlate_whatever_rises(found):
    pooled, within = one(found, "riser", "pooled"), one(found, "riser", "within")
    assert pooled["rho"] > 0.85 and pooled["low"] > 0.5
    assert within["low"] < 0 < within["high"] and within["p"] > 0.05


def test_the_training_step_itself_correlates_pooled_and_has_nothing_within(found):
    assert one(found, module.STEP, "pooled")["rho"] > 0.85
    assert np.isnan(one(found, module.STEP, "within")["rho"])
    assert np.isnan(one(found, module.STEP, "pooled")["p"])


def test_within_is_the_mean_of_the_checkpoints(found):
    each = found.loc[("good", "checkpoint")]
    assert list(each["step"]) == list(STEPS)
    assert one(found, "good", "within")["rho"] == pytest.approx(each["rho"].mean())


def test_a_checkpoints_rho_is_scipys():
    x, y = made(own(1), rises), made(own(5), rises)
    rows = module.correlations({"m": x}, y)
    first = rows[(rows["scope"] == "checkpoint") & (rows["measure"] == "m")].iloc[0]
    at = [each[each["step"] == 100]["value"] for each in (x, y)]
    assert first["rho"] == pytest.approx(spearmanr(*at).statistic)


def test_a_weight_counts_a_pair_as_often():
    x, y = np.random.default_rng(0).normal(size=(2, 9))
    weights = np.array([0, 1, 2, 3, 0, 1, 1, 2, 1])
    expected = spearmanr(np.repeat(x, weights), np.repeat(y, weights)).statistic
    assert module.weighted_spearman(x, y, weights) == pytest.approx(expected)


def test_intervals_resample_languages_not_pairs():
    """A value of languages, not of pairs: 28 pairs say no more than their 8 languages."""
    level = dict(zip(LANGUAGES, np.random.default_rng(8).normal(size=8), strict=True))
    other = dict(zip(LANGUAGES, np.random.default_rng(9).normal(size=8), strict=True))

    def of(levels):
        return lambda i: levels[PAIRS[i][0]] + levels[PAIRS[i][1]]

    row = module.correlations({"m": made(of(level), rises)}, made(of(other), rises))
    row = row[(row["measure"] == "m") & (row["scope"] == "within")].iloc[0]
    rng = np.random.default_rng(0)
    x, y = (np.array([of(each)(i) for i in range(28)]) for each in (level, other))
    by_pair = [spearmanr(x[i], y[i]).statistic for i in rng.integers(28, size=(500, 28))]
    width = np.ptp(np.quantile(by_pair, [0.025, 0.975]))
    assert row["high"] - row["low"] > 1.25 * width


def test_mantels_null_keeps_its_level(monkeypatch):
    """Two matrices that know nothing of each other are called related one time in twenty."""
    monkeypatch.setattr(module, "RESAMPLES", 10)
    monkeypatch.setattr(module, "PERMUTATIONS", 200)
    ps = []
    for seed in range(40):
        x, y = (made(own(part + seed), rises) for part in (100, 200))
        found = module.correlations({"m": x[x["step"] == 100]}, y[y["step"] == 100])
        ps.append(found["p"].iloc[0])
    assert np.mean(np.array(ps) < 0.05) <= 0.15 and 0.3 < np.mean(ps) < 0.7


def companion():
    rows = [
        ("rbf", 3, "fr", "de", "taught", 0.8, 90), ("rbf", 3, "fr", "de", "held_out", 0.2, 10),
        ("rbf", 3, "fr", "de", "shared_token", 1.0, 50), ("rbf", 3, "de", "fr", "never", 0.5, 100),
        ("rbf", 3, "fr", "", "all", 9.0, 100), ("rbf", 3, "fr", "fr", "all", 9.0, 100),
        ("rbf", 4, "fr", "de", "taught", 9.0, 90), ("linear", 3, "fr", "de", "taught", 9.0, 90),
    ]  # fmt: skip
    names = ["variant", "layer", "language_a", "language_b", "split", "value", "n"]
    return pd.DataFrame(rows, columns=names).assign(training_seed=0, step=7)


def test_a_pair_has_one_value_over_its_sets_and_directions():
    found = module.pair_values(companion(), "rbf", 3)
    assert found.to_dict("records") == [
        {"training_seed": 0, "step": 7, "a": "de", "b": "fr", "value": pytest.approx(0.62)}
    ]
    with pytest.raises(MeaningsError, match="no rows of variant 'x', layer 3.*linear, rbf"):
        module.pair_values(companion(), "x", 3)


def test_patching_is_read_at_the_layer_that_is_highest_at_the_end():
    rows = pd.DataFrame(
        [
            (0, 10, "fr-de", "seen", 1, 0.9), (0, 10, "fr-de", "seen", 2, 0.1),
            (0, 20, "fr-de", "seen", 1, 0.2), (0, 20, "fr-de", "seen", 2, 0.6),
            (0, 20, "de-fr", "seen", 2, 0.8), (0, 20, "fr-fr", "seen", 2, 0.0),
            (0, 20, "de-fr", "null", 2, 0.0), (0, 20, "de-fr", "seen", -1, 1.0),
        ],
        columns=["training_seed", "step", "pair", "condition", "first_layer", "p_source"],
    )  # fmt: skip
    found = module.patching_values(rows)
    assert found[["step", "a", "b"]].to_numpy().tolist() == [[10, "de", "fr"], [20, "de", "fr"]]
    np.testing.assert_allclose(found["value"], [0.1, 0.7])


def test_too_few_pairs_are_refused_in_one_line():
    few = made(own(1), rises)
    few = few[few["b"] == "de"]
    with pytest.raises(MeaningsError, match="m: no checkpoint where 6 pairs have both"):
        module.correlations({"m": few.head(0)}, made(own(1), rises))
