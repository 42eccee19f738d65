"""Delays across languages on curves whose onsets are known."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest

from meanings.core.errors import MeaningsError
from meanings.statistics import ability_onsets as module

LANGUAGES = ("de", "en", "es", "fr", "pl")
STEPS = (0, 100, 200, 400, 800, 1600, 3200, 6400)
NULL = 1 / 16


def curve(onset, height=0.6, n=7):
    """Null until `onset`, then the height: crosses half of it just before the step of the onset."""
    return [NULL + (height if step >= onset else 0.0) for step in STEPS]


def table(inside, across, seeds=(0,), layers=(3,)):
    rows = []

    def add(variant, a, b, seed, layer, values):
        rows.extend(
            {
                "variant": variant, "language_a": a, "language_b": b, "training_seed": seed,
                "layer": layer, "step": step, "value": value, "null": NULL,
            }
            for step, value in zip(STEPS, values, strict=True)
        )  # fmt: skip

    for seed in seeds:
        for layer in layers:
            for code in LANGUAGES:
                add("probe", code, "", seed, layer, curve(inside(code, seed)))
            for a, b in permutations(LANGUAGES, 2):
                add("transfer", a, b, seed, layer, curve(across(a, b, seed)))
    return pd.DataFrame(rows)


def delay(*given, **more):
    return module.delays(module.paired_onsets(table(*given, **more))).iloc[0]


def test_a_known_delay_is_found():
    row = delay(lambda code, seed: 400, lambda a, b, seed: 1600)
    assert row["verdict"] == "later"
    assert 200 < row["inside"] <= 400 and 800 < row["across"] <= 1600
    assert row["later"] == pytest.approx(row["across"] - row["inside"])
    assert row["low"] == row["high"] == row["later"] and row["share_never"] == 0
    assert (row["n_pairs"], row["n_languages"], row["n_seeds"]) == (20, 5, 1)


def test_where_across_never_rises_the_delay_is_never():
    row = delay(lambda code, seed: 400, lambda a, b, seed: np.inf)
    assert row["verdict"] == "never" and np.isinf(row["later"]) and row["share_never"] == 1


def test_no_delay_is_undecided_and_a_lead_is_earlier():
    assert delay(lambda code, seed: 400, lambda a, b, seed: 400)["verdict"] == "undecided"
    assert delay(lambda code, seed: 1600, lambda a, b, seed: 400)["verdict"] == "earlier"


def test_a_pair_is_paired_with_the_language_it_is_tested_in():
    """b has its onset late; trained in b and tested elsewhere there is no delay of b."""
    late = {"de": 1600}
    paired = module.paired_onsets(
        table(lambda code, seed: late.get(code, 200), lambda a, b, seed: late.get(b, 200))
    )
    assert (paired["later"] == 0).all()
    assert set(paired.loc[paired["language_b"] == "de", "inside"]) == {paired["inside"].max()}


def test_pairs_without_an_onset_inside_are_left_out_and_counted():
    row = delay(lambda code, seed: np.inf if code == "de" else 400, lambda a, b, seed: 1600)
    assert row["n_pairs"] == 16 and row["n_left_out"] == 4 and row["verdict"] == "later"
    nothing = delay(lambda code, seed: np.inf, lambda a, b, seed: np.inf)
    assert nothing["verdict"] == "nothing" and np.isnan(nothing["later"])


def test_languages_that_disagree_widen_the_interval():
    row = delay(lambda code, seed: 400, lambda a, b, seed: 400 if b in ("de", "en") else 6400)
    assert row["low"] == 0 and row["high"] > 3000 and row["verdict"] == "undecided"


def test_seeds_that_disagree_widen_the_interval():
    row = delay(lambda code, seed: 400, lambda a, b, seed: 400 if seed == 0 else 6400, seeds=(0, 1))
    assert row["low"] == 0 and row["high"] > 3000 and row["n_seeds"] == 2


def test_curves_are_read_above_their_null():
    """Halfway counts from the null: with a null of 0 the onset would come earlier."""
    made = table(lambda code, seed: 400, lambda a, b, seed: 400)
    slow = made["variant"] == "transfer"
    made.loc[slow, "null"] = 0.4
    made.loc[slow, "value"] = 0.4 + 0.4 * np.log1p(made.loc[slow, "step"]) / np.log1p(6400)
    found = module.paired_onsets(made)["across"]
    np.testing.assert_allclose(found, np.expm1(np.log1p(6400) / 2))


def test_a_median_of_weights_is_that_of_repeated_rows():
    rng = np.random.default_rng(0)
    values, weights = rng.normal(size=9), np.array([0, 1, 2, 0, 3, 1, 1, 0, 1])
    repeated = np.sort(np.repeat(values, weights))
    assert module.weighted_median(values, weights) == repeated[(len(repeated) - 1) // 2]


def test_layers_stand_apart():
    found = module.delays(
        module.paired_onsets(table(lambda c, s: 400, lambda a, b, s: 400, layers=(1, 2)))
    )
    assert list(found["layer"]) == [1, 2]


def test_what_is_missing_is_named_in_one_line():
    made = table(lambda code, seed: 400, lambda a, b, seed: 400)
    with pytest.raises(MeaningsError, match="no rows of variant 'probe'; there are transfer"):
        module.paired_onsets(made[made["variant"] == "transfer"])
    with pytest.raises(MeaningsError, match="probe: curves of one step"):
        module.paired_onsets(made[made["step"] == 400])
    with pytest.raises(MeaningsError, match="probe: not every curve has every step"):
        module.paired_onsets(made[(made["step"] < 400) | (made["language_a"] != "de")])
