"""Shuffled labels on tables whose truth is known: an effect is claimed, no effect is claimed about as often as the rule says."""

import numpy as np
import pandas as pd
import pytest

from meanings import permutations
from meanings.book import claims, readings, trust_tables
from meanings.permutations import Claim, compared, exchanged, false_positives, means, shuffled_within

CONCEPTS, LAYERS = 40, 3


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    """Quick enough for hundreds of shuffles; an interval's ends move in the second decimal."""
    for module in (readings, claims, permutations.language_tables):
        monkeypatch.setattr(module, "RESAMPLES", 200)


def cells(effect: float = 0.0, seed: int = 0, conditions=("seen", "null_concept")) -> pd.DataFrame:
    """P(source) of skewed concepts by condition and layer; `effect` is what the first condition has more of."""
    random = np.random.default_rng(seed)
    concept = random.beta(1, 2, CONCEPTS)
    rows = []
    for name in conditions:
        for layer in range(LAYERS):
            noise = random.normal(0, 0.1, CONCEPTS)
            p = concept + noise + (effect if name == conditions[0] else 0)
            rows.append(pd.DataFrame({"condition": name, "first_layer": layer, "training_seed": 0, "source_concept": [f"c{i}" for i in range(CONCEPTS)], "p_source": p}))
    return pd.concat(rows, ignore_index=True)


def matrix(depends: float = 0.0, seed: int = 0, codes=("fr", "de", "es", "pl", "fi")) -> pd.DataFrame:
    """P(source) by input and output language; `depends` is how much output languages differ."""
    random = np.random.default_rng(seed)
    concept = random.beta(1, 2, CONCEPTS)
    rows = [
        {"input": x, "output": y, "training_seed": 0, "source_concept": f"c{i}", "p_source": concept[i] + depends * codes.index(y) + random.normal(0, 0.05)}
        for x in codes for y in codes if x != y for i in range(CONCEPTS)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def claim(shuffle) -> Claim:
    return Claim("a claim", "chapter", "labels", "rule", "now", 0.05, shuffle)


def test_exchanging_keeps_every_number_and_moves_whole_concepts():
    table = cells(0.3)
    turned = exchanged(table, "seen", "null_concept", np.random.default_rng(0))
    assert sorted(turned["p_source"]) == sorted(table["p_source"])
    moved = turned["condition"].to_numpy() != table["condition"].to_numpy()
    share = pd.Series(moved).groupby(table["source_concept"]).agg(["min", "max"])
    assert (share["min"] == share["max"]).all() and 0.2 < moved.mean() < 0.8
    assert set(turned.groupby(["condition", "first_layer", "source_concept"]).size()) == {1}


def test_shuffling_within_concepts_is_one_permutation_a_concept():
    table = matrix(0.1)
    turned = shuffled_within(table, "output", np.random.default_rng(0))
    pairs = pd.DataFrame({"concept": table["source_concept"], "before": table["output"], "after": turned["output"]}).drop_duplicates()
    assert len(pairs) == CONCEPTS * 5  # a function of concept and label
    assert (pairs.groupby("concept")["after"].nunique() == 5).all()  # and one to one
    assert (pairs["before"] != pairs["after"]).mean() > 0.5


def test_two_conditions_without_a_difference_are_told_apart_about_as_often_as_promised():
    """Also where the table has a true effect: shuffling removes it."""
    for effect in (0.0, 0.4):
        found = false_positives(claim(compared(cells(effect), "seen", "null_concept")), 80)
        assert 0 < found["rate"] <= 0.14
        assert abs(found["mean"]) < 0.02


def test_a_true_difference_is_claimed():
    assert claims.difference(cells(0.3).query("first_layer == 0"), "seen", "null_concept") == 1
    assert claims.difference(cells(0.3).query("first_layer == 0"), "null_concept", "seen") == -1
    assert claims.difference(cells(0.0).query("first_layer == 0"), "seen", "null_concept") == 0


def test_a_layer_chosen_on_what_is_reported_flatters_and_split_halves_do_not():
    """No layer is better than another here; the mean over shuffles is the bias."""
    table = cells().query("condition == 'seen'")
    naive, split = (false_positives(claim(permutations.best_layer_above_average(table, way)), 80) for way in (False, True))
    assert naive["mean"] > 0.01 and abs(split["mean"]) < 0.004
    assert naive["rate"] > 0.08 and split["rate"] < 0.06


def test_a_dependence_on_the_language_is_claimed_where_it_is_and_not_where_it_is_not():
    found = false_positives(claim(permutations.depends(matrix(0.3))), 40)
    assert found["rate"] <= 0.1
    table = permutations.language_tables.alignment(matrix(0.3))
    assert claims.depends(table)


def test_which_side_matters_is_no_coin_toss():
    assert claims.side(matrix(0.1)) == 1
    assert claims.side(matrix(0.1).rename(columns={"input": "output", "output": "input"})) == -1
    before = false_positives(claim(permutations.side(matrix(), permutations.side_before)), 60)
    now = false_positives(claim(permutations.side(matrix(), lambda t: claims.side(t) > 0)), 60)
    assert before["rate"] > 0.3 and now["rate"] <= 0.08


def test_the_strongest_of_several_properties_is_held_against_the_strongest_of_shuffles():
    random = np.random.default_rng(0)
    names = ["a", "b", "c", "d"]
    table = pd.DataFrame(random.random((11, 4)), columns=names).assign(mean=np.arange(11.0))
    table["a"] = table["mean"] ** 2
    found = claims.goes_with(table, names).set_index("name")
    assert found.loc["a", "rank"] == pytest.approx(1) and found.loc["a", "p_any"] < 0.01
    assert (found["p_any"] >= found["p"]).all()
    null = [claims.goes_with(table.assign(mean=random.permutation(11)), names) for _ in range(100)]
    assert np.mean([each["p_any"].min() < 0.05 for each in null]) < 0.1
    assert np.mean([each["p"].min() < 0.05 for each in null]) > 0.1  # each alone: four chances


def test_rank_correlations_agree_with_scipy_and_leave_out_what_is_missing():
    from scipy.stats import spearmanr

    table = pd.DataFrame({"a": [1, 2, 2, 5, np.nan, 7, 3], "flat": 1.0, "mean": [3.0, 1, 4, 1, 5, 9, 2]})
    found = claims.goes_with(table, ["a", "flat"]).set_index("name")
    there = table.dropna()
    assert found.loc["a", "rank"] == pytest.approx(spearmanr(there["a"], there["mean"]).statistic)
    assert found.loc["flat", "rank"] == 0 and found.loc["flat", "p"] == 1


def test_onsets_are_ordered_only_where_their_intervals_do_not_meet():
    early, late, wide = ({"low": a, "high": b} for a, b in ((1, 2), (3, 4), (2, 3)))
    early, late, wide = map(pd.Series, (early, late, wide))
    assert claims.order(early, late) == -1 and claims.order(late, early) == 1
    assert claims.order(early, wide) == 0 and claims.order(wide, late) == 0 and claims.order(None, late) == 0


def test_best_layers_differ_only_beyond_their_intervals():
    best = pd.DataFrame({"low": [1, 3], "high": [2, 4]})
    assert not claims.layers_differ(best)
    assert claims.layers_differ(best.assign(low=[1, 5], high=[2, 5]))


def test_gains_are_weighed_against_losses_with_an_interval():
    random = np.random.default_rng(1)
    rows = [{"condition": c, "pair": "fr-es", "training_seed": 0, "source_concept": f"c{i}", "right": float(random.random() < p)} for c, p in (("seen", 0.9), ("src_unpatched", 0.3)) for i in range(40)]
    assert claims.gains_more(pd.DataFrame(rows)) == 1
    even = pd.DataFrame(rows).assign(right=lambda t: random.random(len(t)) < 0.5).astype({"right": float})
    assert false_positives(claim(permutations.gains(even, lambda t: claims.gains_more(t) > 0)), 60)["rate"] <= 0.08


def test_means_are_what_the_statistics_begin_with():
    table = matrix(0.1)
    small = means(table, ["output"])
    a, b = (permutations.language_tables.alignment(each) for each in (table, small))
    np.testing.assert_allclose(a[["mean", "low", "high"]], b[["mean", "low", "high"]])


def test_the_published_table_holds_every_rule_of_now_to_its_level():
    table = trust_tables.false_positives()
    assert (table["shuffles"] >= 200).all()
    now = table[table["version"] == "now"]
    assert (now["low"] <= now["nominal"] + 1e-9).all(), now[now["low"] > now["nominal"]]
    assert set(table["chapter"]) == {"emergence", "index", "language_dependence", "error_analysis", "real_model"}
