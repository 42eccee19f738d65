"""Structure on arrangements that are known: the same, exchanged, unrelated."""

from itertools import combinations

import numpy as np
import pytest
import scipy.spatial
from scipy.stats import spearmanr

from meanings.measures import structure

CATEGORIES, EACH, WIDTH = 8, 12, 30
MEMBERS = np.repeat(np.eye(CATEGORIES, dtype=bool), EACH, axis=1)


def centres(seed=0):
    return 2 * np.random.default_rng(seed).normal(size=(CATEGORIES, WIDTH))


def words(points, seed=0, noise=0.5):
    rng = np.random.default_rng(100 + seed)
    return points[MEMBERS.argmax(axis=0)] + noise * rng.normal(size=(CATEGORIES * EACH, WIDTH))


def rotation(seed=3):
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(WIDTH, WIDTH)))[0]


def test_a_prototype_is_the_mean_of_its_words():
    made = words(centres())
    found = structure.prototypes(made, MEMBERS)
    for place, each in enumerate(MEMBERS):
        np.testing.assert_allclose(found[place], made[each].mean(axis=0))


def test_a_distance_is_one_minus_the_correlation():
    points = centres() + 1.0
    found = structure.distances(points)
    pairs = combinations(range(CATEGORIES), 2)
    for each, (i, j) in zip(found, pairs, strict=True):
        assert each == pytest.approx(1 - np.corrcoef(points[i], points[j])[0, 1])


SAME = np.arange(CATEGORIES)[None]


def rsa(a, b, orders=SAME):
    return structure.rsa(structure.ranked(a), structure.ranked(b), orders)


def procrustes(a, b, orders=SAME):
    return structure.procrustes_fit(structure.shape(a), structure.shape(b), orders)


def orders(n=200):
    rng = np.random.default_rng(0)
    return np.array([rng.permutation(CATEGORIES) for _ in range(n)])


def test_rsa_is_the_rank_correlation_of_correlation_distances():
    a, b = centres(1), centres(2)
    pairs = list(combinations(range(CATEGORIES), 2))
    loops = [[1 - np.corrcoef(p[i], p[j])[0, 1] for i, j in pairs] for p in (a, b)]
    assert rsa(a, b)[0] == pytest.approx(spearmanr(*loops).statistic)


def test_procrustes_is_that_of_scipy():
    a, b = centres(1), centres(2)
    assert procrustes(a, b)[0] == pytest.approx(1 - scipy.spatial.procrustes(a, b)[2])


@pytest.mark.parametrize("score", [rsa, procrustes])
def test_an_order_exchanges_the_categories_themselves(score):
    a, b, order = centres(1), centres(2), orders(1)
    assert score(a, b, order)[0] == pytest.approx(score(a, b[order[0]])[0])


def test_one_arrangement_is_found_again_and_an_exchanged_one_is_at_its_null():
    points = centres()
    assert rsa(points, 2 * points + 0.01 * centres(5))[0] > 0.98
    null = rsa(points, points, orders())
    exchanged = rsa(points, points[np.roll(np.arange(CATEGORIES), 3)])[0]
    assert np.quantile(null, 0.01) < exchanged < np.quantile(null, 0.99)
    assert abs(np.mean(null)) < 0.1


def test_procrustes_undoes_a_rotation_and_fits_strangers_only_partly():
    points = centres()
    assert procrustes(points, 3 * points @ rotation() + 1)[0] == pytest.approx(1)
    strangers = np.mean([procrustes(centres(s), centres(s + 50))[0] for s in range(10)])
    assert 0.3 < strangers < 0.95, "few points in many dimensions always fit partly"


def test_halves_share_no_concept_and_lose_none():
    one, other = structure.split_members(MEMBERS, np.random.default_rng(0))
    assert not (one & other).any() and ((one | other) == MEMBERS).all()
    assert not (one.any(axis=0) & other.any(axis=0)).any()
    assert one.sum(axis=1).tolist() == other.sum(axis=1).tolist() == [EACH // 2] * CATEGORIES


def test_held_out_words_find_their_category_through_the_map_only_where_there_is_one():
    points, rng = centres(), np.random.default_rng(0)
    a, b = words(points, 1), words(points, 2) @ rotation()
    assert structure.nearest_rate(a, b, MEMBERS, rng).mean() > 0.9
    unrelated = np.random.default_rng(9).normal(size=b.shape)
    assert structure.nearest_rate(a, unrelated, MEMBERS, rng).mean() < 0.3


def test_the_map_has_its_rank_and_is_the_best_where_the_rank_does_not_bind():
    a, b = words(centres(), 1), words(centres(), 2)
    assert np.linalg.matrix_rank(structure.reduced_rank_map(a, b, 3)) == 3
    whole = structure.reduced_rank_map(a, b, WIDTH)
    ridge = np.linalg.solve(a.T @ a + 1e-2 * len(a) * np.eye(WIDTH), a.T @ b)
    np.testing.assert_allclose(whole, ridge, atol=1e-8)


def test_a_map_of_low_rank_gives_the_best_approximation_of_what_is_fitted():
    """Eckart and Young: the leading singular vectors of the fitted states, not of the states."""
    a, b = words(centres(), 1), words(centres(), 2)
    b[::2, 0] += 40  # much variance, and nothing of it can be fitted
    left, values, right = np.linalg.svd(a @ structure.reduced_rank_map(a, b, WIDTH))
    best = left[:, :3] * values[:3] @ right[:3]
    np.testing.assert_allclose(a @ structure.reduced_rank_map(a, b, 3), best, atol=1e-8)


def test_standardised_states_have_mean_0_and_variance_1():
    made = structure.standardised(words(centres()) * 5 + 3)
    np.testing.assert_allclose(made.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(made.std(axis=0), 1, atol=1e-6)


def test_a_direction_in_which_all_words_are_alike_says_nothing():
    made = np.column_stack([np.full(CATEGORIES * EACH, 0.1), words(centres())])
    found = structure.standardised(made)
    assert (found[:, 0] == 0).all()
    np.testing.assert_allclose(found[:, 1:], structure.standardised(made[:, 1:]))
