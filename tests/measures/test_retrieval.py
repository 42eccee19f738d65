"""Retrieval against brute force, and on states whose likeness is known."""

import numpy as np
import pytest

from meanings.measures import retrieval


def states(n=60, width=12, seed=0):
    return np.random.default_rng(seed).normal(size=(n, width))


def cosines(a, b, centre=True):
    return retrieval.unit_rows(a, centre) @ retrieval.unit_rows(b, centre).T


def test_csls_by_brute_force():
    found = cosines(states(), states(seed=1))
    k = 5
    for x in range(0, 60, 7):
        for y in range(0, 60, 11):
            r_x = np.mean(sorted(found[x])[-k:])
            r_y = np.mean(sorted(found[:, y])[-k:])
            assert retrieval.csls(found, k)[x, y] == pytest.approx(2 * found[x, y] - r_x - r_y)


def test_a_hub_is_the_nearest_by_cosine_and_not_by_csls():
    """A word near to everything takes all others' places until its own nearness is taken off."""
    rng = np.random.default_rng(0)
    a = states(200, 12)
    a[:, 0] += 4.0
    b = a + 1.5 * rng.normal(size=a.shape)
    b[0] = a.mean(axis=0)  # the middle of the language is near to all
    plain = cosines(a, b, centre=False)
    hubs = (plain.argmax(axis=1) == 0).sum()
    assert hubs >= 5 and (retrieval.csls(plain).argmax(axis=1) == 0).sum() < hubs / 2


def test_a_language_mean_hides_translations_until_it_is_taken_off():
    shared = states()
    far = 30 * np.random.default_rng(3).normal(size=(2, 12))
    a, b = shared + far[0], shared + 0.1 * states(seed=2) + far[1]
    assert retrieval.hits(cosines(a, b)).mean() > 0.95
    assert retrieval.hits(cosines(a, b, centre=False)).mean() < 0.5


def test_a_rotation_is_found_only_after_it_is_undone():
    a = states(width=16)
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(16, 16)))[0]
    assert retrieval.hits(cosines(a, a @ turn)).mean() < 0.2
    assert retrieval.hits(cosines(a, a @ turn @ turn.T)).mean() == 1


def test_hits_count_both_directions():
    similarity = np.array([[3.0, 2.0, 0.0], [4.0, 1.0, 0.0], [0.0, 0.0, 5.0]])
    assert retrieval.hits(similarity).tolist() == [0.5, 0.0, 1.0]


def test_by_chance_one_word_in_n_is_found():
    rng = np.random.default_rng(0)
    orders = [rng.permutation(60) for _ in range(400)]
    similarity = cosines(states(), states())
    chance = retrieval._by_chance(similarity, orders)
    assert chance.shape == (400, 60)
    assert chance.mean() == pytest.approx(1 / 60, abs=0.004)
    assert retrieval._by_chance(similarity, [np.arange(60)])[0].tolist() == [1.0] * 60


def test_chance_is_what_would_be_hit_had_the_second_words_been_others():
    similarity = cosines(states(), states() + states(seed=1))
    order = np.random.default_rng(2).permutation(60)
    found = retrieval._by_chance(similarity, [order, np.arange(60)])
    assert found[0].tolist() == retrieval.hits(similarity[:, order]).tolist()
    assert found[1].tolist() == retrieval.hits(similarity).tolist()


def test_states_are_shifted_by_their_mean_and_have_length_1():
    made = states() + np.arange(12)
    found = retrieval.unit_rows(made)
    shifted = made - made.mean(axis=0)
    np.testing.assert_allclose(found, shifted / np.linalg.norm(shifted, axis=1)[:, None])
    plain = retrieval.unit_rows(made, centre=False)
    np.testing.assert_allclose(plain, made / np.linalg.norm(made, axis=1)[:, None])
    assert (retrieval.unit_rows(np.ones((30, 4))) == 0).all()


def test_separation_is_in_standard_deviations_of_random_pairs():
    found = cosines(states(), states(seed=1))
    others = [found[i, j] for i in range(60) for j in range(60) if i != j]
    expected = (found[4, 4] - np.mean(others)) / np.std(others)
    assert retrieval.separation(found)[4] == pytest.approx(expected)
    assert retrieval.separation(cosines(states(), states())).mean() > 3


def test_an_untrained_space_has_close_pairs_and_equally_close_strangers():
    """All words lie in one narrow cone: the raw cosine is high, and says nothing."""
    cone = 5 * np.ones(12)
    a, b = states() + cone, states(seed=1) + cone
    raw = cosines(a, b, centre=False)
    assert np.diag(raw).mean() > 0.9 and abs(retrieval.separation(raw).mean()) < 0.3
