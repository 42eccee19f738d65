"""Neuron overlap on dimensions that are planted."""

from itertools import product
from math import comb

import numpy as np
import pytest
from scipy.stats import hypergeom
from sklearn.linear_model import LogisticRegression

from meanings.measures import neuron_overlap as module
from meanings.measures.structure import standardised

N, D, CATEGORIES = 120, 40, 4
LABELS = np.arange(N) % CATEGORIES


def states(planted=(3, 11, 17, 25), seed=0, strength=3.0):
    made = np.random.default_rng(seed).normal(size=(N, D))
    for category, place in enumerate(planted):
        made[:, place] += strength * (LABELS == category)
    return made


def test_the_dimensions_that_carry_the_categories_are_chosen():
    weights = module.sparse_weights(states()[None], LABELS, np.ones((1, N)))
    found = module.chosen(module.weighed(weights)[0, 0])
    assert found.sum() == 4 and set(np.flatnonzero(found)) == {3, 11, 17, 25}


def test_a_dimension_in_which_all_words_are_alike_is_not_chosen():
    made = states()
    made[:, 0] = 0.1
    weights = module.weighed(
        module.sparse_weights(standardised(made)[None], LABELS, np.ones((1, N)))
    )[0, 0]
    assert weights[0] == 0 and not module.chosen(weights)[0]
    hit = module.fold_scores({"a": standardised(made)}, LABELS, np.random.default_rng(0))
    assert np.isfinite(hit["a", "a"]).all()


def test_the_weights_are_those_of_scikit_learn_in_every_language_and_fold():
    made = np.stack([states(), states(seed=1)])
    inside = np.array([np.ones(N), np.arange(N) % 5 != 0]).astype(float)
    whole = module.sparse_weights(made, LABELS, inside[:1], steps=2000)
    on = module.sparse_weights(made, LABELS, inside[1:], start=whole, steps=2000)
    found = np.concatenate([whole, on], axis=1)
    for language, fold, category in product(range(2), range(2), range(CATEGORIES)):
        kept = inside[fold] > 0
        model = LogisticRegression(
            C=module.STRENGTH, l1_ratio=1, solver="liblinear", max_iter=10_000, tol=1e-8
        )
        model.fit(made[language][kept], LABELS[kept] == category)
        expected = np.append(model.coef_[0], model.intercept_)
        np.testing.assert_allclose(found[language, fold, :, category], expected, atol=2e-3)
    assert (found == 0).mean() > 0.5


def test_few_steps_choose_the_dimensions_that_many_do():
    made = np.stack([states(strength=1.0, seed=seed) for seed in range(4)])
    inside = np.array([np.arange(N) % 5 != fold for fold in range(5)]).astype(float)
    whole = module.sparse_weights(made, LABELS, np.ones((1, N)))
    few = module.sparse_weights(made, LABELS, inside, whole, module.STEPS_ON)
    many = module.sparse_weights(made, LABELS, inside, steps=3000)
    same = [
        (module.chosen(x) == module.chosen(y)).all()
        for x, y in zip(
            module.weighed(few).reshape(20, D), module.weighed(many).reshape(20, D), strict=True
        )
    ]
    assert np.mean(same) >= 0.9


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


def test_the_range_of_chance_by_counting():
    """Of 3 of 9: 20, 45, 18 and 1 of 84 draws have 0, 1, 2 and 3 in common."""
    assert module.overlap_by_chance(9, 3) == pytest.approx((1 / 3, 0, 2 / 3))
    mean, low, high = module.overlap_by_chance(40, 20)
    counts = np.cumsum([comb(20, k) * comb(20, 20 - k) for k in range(21)]) / comb(40, 20)
    ends = [np.flatnonzero(counts >= p)[0] / 20 for p in (0.025, 0.975)]
    assert (mean, low, high) == pytest.approx((0.5, *ends))


def test_a_dimension_is_weighed_by_the_size_of_all_its_weights_but_the_constants():
    weights = np.random.default_rng(0).normal(size=(2, 3, D + 1, CATEGORIES))
    expected = sum(np.abs(weights[..., place]) for place in range(CATEGORIES))[:, :, :D]
    np.testing.assert_allclose(module.weighed(weights), expected)


def test_a_fold_is_scored_by_dimensions_and_a_classifier_of_the_other_folds():
    made = {"a": states(strength=0.8), "b": states((5, 11, 19, 30), 1, 0.8)}
    found = module.fold_scores(made, LABELS, np.random.default_rng(0))
    for test in np.array_split(np.random.default_rng(0).permutation(N), module.FOLDS):
        train = np.setdiff1d(np.arange(N), test)
        inside = np.isin(np.arange(N), train).astype(float)[None]
        for a, b in product(made, made):
            weights = module.sparse_weights(made[a][None], LABELS, inside)
            place = np.argsort(-module.weighed(weights)[0, 0])[: D // 10]
            model = LogisticRegression(C=1.0, max_iter=1000)
            model.fit(made[a][train][:, place], LABELS[train])
            right = model.predict(made[b][test][:, place]) == LABELS[test]
            assert (right != found[a, b][test]).mean() <= 0.05


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
