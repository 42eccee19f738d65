"""Rules of claims on tables whose truth is known."""

import numpy as np
import pandas as pd

from meanings.statistics import claims, rules
from meanings.statistics.effects import SMALLEST_EFFECT
from stand_ins.score_tables import cells


def test_a_true_difference_is_claimed():
    higher, equal = (cells(effect).query("first_layer == 0") for effect in (0.3, 0.0))
    assert claims.conditions_differ(higher, "seen", "null_concept") == 1
    assert claims.conditions_differ(higher, "null_concept", "seen") == -1
    assert claims.conditions_differ(equal, "seen", "null_concept") == 0


def test_a_difference_is_claimed_beyond_the_smallest_effect_only():
    """However certain: every concept has the same difference."""
    ends = {1.01: 1, 0.99: 0, -0.99: 0, -1.01: -1}
    for factor, said in ends.items():
        same = np.full((1, 40), factor * SMALLEST_EFFECT)
        assert rules.difference_sign(same) == said
        assert claims.sign(pd.Series({"low": same.min(), "high": same.max()})) == said
        assert rules.difference_sign(same, smallest=0.0) == np.sign(factor)
    # One end beyond it is not enough.
    assert rules.interval_sign(np.array([SMALLEST_EFFECT / 2, 0.5])) == 0


def test_languages_differ_by_more_than_the_smallest_effect():
    """Friedman's test sees ranks alone, and is sure of any constant difference."""
    concepts = np.linspace(0, 1, 40)
    for apart, said in ((0.9, False), (1.1, True)):
        values = np.stack([concepts + i * apart * SMALLEST_EFFECT / 2 for i in range(3)])
        assert rules.friedman_p(values) < 1e-6
        assert rules.languages_differ(values[:, None]) == said


def test_onsets_are_ordered_only_where_their_intervals_do_not_meet():
    early, late, wide = ({"low": a, "high": b} for a, b in ((1, 2), (3, 4), (2, 3)))
    early, late, wide = map(pd.Series, (early, late, wide))
    assert claims.onset_order(early, late) == -1 and claims.onset_order(late, early) == 1
    assert (
        claims.onset_order(early, wide) == 0
        and claims.onset_order(wide, late) == 0
        and claims.onset_order(None, late) == 0
    )


def test_best_layers_differ_only_beyond_their_intervals():
    best = pd.DataFrame({"low": [1, 3], "high": [2, 4]})
    assert not claims.best_layers_differ(best)
    assert claims.best_layers_differ(best.assign(low=[1, 5], high=[2, 5]))


def test_languages_are_told_apart_by_the_concepts_that_have_all_of_them():
    random = np.random.default_rng(2)
    means_ = random.random((4, 30)) + np.array([[0.0], [0.1], [0.3], [1.0]])
    assert rules.friedman_p(means_) < 1e-6
    some = means_.copy()
    some[0, :20] = (
        np.nan
    )  # a language that lacks concepts takes them from the others, not the test from all
    assert rules.friedman_p(some) == rules.friedman_p(means_[:, 20:])
    assert (
        rules.friedman_p(means_[[0, 0, 0]])
        == 1.0
        == rules.friedman_p(means_[:1])
        == rules.friedman_p(np.full((3, 5), np.nan))
    )
    assert rules.friedman_p(means_[[0, 3]]) < 1e-6 < rules.friedman_p(random.random((2, 30)))
