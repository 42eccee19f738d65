"""Neuron overlap on dimensions that are planted."""

import numpy as np
import pytest
from scipy.stats import hypergeom

from meanings.measures import neuron_overlap as module

N, D, CATEGORIES = 120, 40, 4
LABELS = np.arange(N) % CATEGORIES


def states(planted=(3, 11, 17, 25), seed=0, strength=3.0):
    made = np.random.default_rng(seed).normal(size=(N, D))
    for category, place in enumerate(planted):
        made[:, place] += strength * (LABELS == category)
    return made


def test_the_dimensions_that_carry_the_categories_are_chosen():
    found = module.chosen(module.weights_of(states(), LABELS))
    assert found.sum() == 4 and set(np.flatnonzero(found)) == {3, 11, 17, 25}


def test_forward_selection_chooses_the_same_ones():
    greedy = module.greedily_chosen(states(), LABELS, 4)
    assert set(np.flatnonzero(greedy)) == {3, 11, 17, 25}


def test_chance_is_the_hypergeometric_law():
    mean, low, high = module.overlap_by_chance(128, 13)
    assert mean == pytest.approx(13 / 128)
    law = hypergeom(128, 13, 13)
    assert law.cdf(round(high * 13)) >= 0.975 and law.cdf(round(low * 13)) >= 0.025
    rng = np.random.default_rng(0)
    drawn = [
        np.isin(rng.choice(128, 13, False), rng.choice(128, 13, False)).mean() for _ in range(2000)
    ]
    assert np.mean(drawn) == pytest.approx(mean, abs=0.01)


def test_a_classifier_moves_where_the_dimensions_are_shared_and_only_there():
    made = {"a": states(), "b": states(seed=1), "c": states((5, 13, 19, 30), seed=2)}
    found = module.fold_scores(made, LABELS, np.random.default_rng(0))
    assert found["a", "a"].mean() > 0.85 and found["a", "b"].mean() > 0.8
    assert found["c", "c"].mean() > 0.85
    assert found["a", "c"].mean() == pytest.approx(1 / CATEGORIES, abs=0.15)


def test_no_word_is_scored_by_a_classifier_that_has_met_its_concept():
    """With labels that say nothing, a leak would show as accuracy above chance."""
    rng = np.random.default_rng(3)
    noise = rng.normal(size=(N, D))
    labels = rng.permutation(LABELS)
    found = module.fold_scores({"a": noise, "b": noise}, labels, rng)
    assert found["a", "b"].mean() == pytest.approx(1 / CATEGORIES, abs=0.12)
    assert (found["a", "a"] == found["a", "b"]).all()
