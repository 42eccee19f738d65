"""Means, layers, floors and onsets of companion measures, on rows whose answer is known."""

import numpy as np
import pandas as pd
import pytest

from meanings.core.errors import MeaningsError
from meanings.statistics import companions

PAIRS = (("en", "fr"), ("en", "de"), ("fr", "de"))
STEPS = (0, 100, 1000)


def rows(value, seeds=(0, 1), layers=(0, 1, 2)):
    """A row per seed, step, layer and pair; `value(seed, step, layer, place of the pair)`."""
    found = []
    for seed in seeds:
        for step in STEPS:
            for layer in layers:
                for place, (a, b) in enumerate(PAIRS):
                    v = value(seed, step, layer, place)
                    found.append(
                        {
                            "training_seed": seed,
                            "step": step,
                            "tokens": step * 10,
                            "layer": layer,
                            "language_a": a,
                            "language_b": b,
                            "variant": "x",
                            "split": "all",
                            "value": v,
                            "low": v - 0.1,
                            "high": v + 0.2,
                            "null": 0.0,
                            "null_low": -0.01,
                            "null_high": 0.01,
                            "n": 30 + place,
                        }
                    )
    return pd.DataFrame(found)


def test_means_over_pairs_and_seeds_have_the_outermost_ends():
    table = rows(lambda seed, step, layer, place: 0.3 + 0.1 * seed + 0.01 * place)
    found = companions.over_seeds(table[table["layer"] == 1], ["step"])
    assert found["value"].tolist() == pytest.approx([0.36] * 3)
    assert found["low"].tolist() == pytest.approx([0.21] * 3)  # of seed 0
    assert found["high"].tolist() == pytest.approx([0.61] * 3)  # of seed 1
    assert (found["lowest"].iloc[0], found["highest"].iloc[0]) == pytest.approx((0.31, 0.41))
    assert (found["n_pairs"].iloc[0], found["n_seeds"].iloc[0], found["n"].iloc[0]) == (3, 2, 31)
    whole = companions.over_seeds(table)
    assert len(whole) == 1 and whole["n_seeds"].iloc[0] == 2


def test_a_layer_is_chosen_on_the_other_pairs():
    # Pairs 0 and 2 (one half) are highest at layer 2, pair 1 (the other) at layer 0.
    def value(seed, step, layer, place):
        return 0.5 * (layer == (0 if place == 1 else 2)) * (step == 1000)

    names = sorted(f"{a}-{b}" for a, b in PAIRS)
    alone = names.index("en-fr")  # where pair 0 stands among the sorted names
    assert alone == 1
    table = rows(lambda s, t, layer, place: value(s, t, layer, {0: 1, 1: 0, 2: 2}[place]))
    found = companions.at_layer(table)
    of = found.groupby("language_a").apply(lambda part: set(part["layer"]), include_groups=False)
    assert found[(found["language_a"] == "en") & (found["language_b"] == "fr")]["layer"].eq(2).all()
    assert found[found["language_b"] == "de"]["layer"].eq(0).all()
    assert set.union(*of) == {0, 2}
    assert companions.at_layer(table, 1)["layer"].eq(1).all()
    with pytest.raises(MeaningsError, match="layer 7 is not there; the table has 0 to 2"):
        companions.at_layer(table, 7)


def test_the_floor_is_at_the_same_step_and_constant_beyond():
    world = pd.DataFrame({"step": [0, 100, 1000], "value": [0.0, 0.2, 0.4]})
    found = companions.floor_at([0, 100, 1000, 7500], world)
    assert found["floor"].tolist() == pytest.approx([0.0, 0.2, 0.4, 0.4])
    assert found["beyond"].tolist() == [False, False, False, True]
    between = companions.floor_at([315], world)["floor"].iloc[0]
    share = (np.log1p(315) - np.log1p(100)) / (np.log1p(1000) - np.log1p(100))
    assert between == pytest.approx(0.2 + 0.2 * share)


def test_the_onset_of_each_run_and_their_range():
    table = rows(lambda seed, step, layer, place: 0.6 * (step >= (100, 1000)[seed]))
    found = companions.onsets(table[table["layer"] == 1]).iloc[0]
    assert found["low"] < 1000 < found["high"] and found["n_seeds"] == 2
    flat = rows(lambda seed, step, layer, place: 0.01)
    assert np.isinf(companions.onsets(flat)["onset"].iloc[0])


def test_variants_languages_and_splits_are_selected():
    table = rows(lambda *_: 0.5)
    assert len(companions.of_variant(table, "x", ["en", "fr"])) == len(table) / 3
    with pytest.raises(MeaningsError, match="no rows of variant 'y'"):
        companions.of_variant(table, "y")
    assert companions.share_above_null(table) == 1.0
    assert companions.share_above_null(table.assign(low=0.0)) == 0.0
