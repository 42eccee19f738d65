"""Language identity on states in which it is known where the language lies."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from meanings.measures import language_id
from meanings.measures.retrieval import csls, hits, unit_rows

LANGUAGES, CONCEPTS, WIDTH = 3, 60, 10


def states(language=0.0, concept=1.0, noise=0.1, seed=0):
    rng = np.random.default_rng(seed)
    own = np.zeros((LANGUAGES, 1, WIDTH))
    own[:, 0, :LANGUAGES] = language * np.eye(LANGUAGES)
    shared = concept * rng.normal(size=(1, CONCEPTS, WIDTH))
    shared[..., :LANGUAGES] = 0
    return own + shared + noise * rng.normal(size=(LANGUAGES, CONCEPTS, WIDTH))


def test_languages_that_lie_apart_are_named_on_concepts_never_met():
    named = language_id.accuracies(states(language=5), 0)
    assert np.nanmean(named) == 1
    assert (np.isnan(named).sum(axis=2) == CONCEPTS // 2).all()
    of_concept = np.isnan(named)
    assert (of_concept == of_concept[:, :1]).all(), "the same concepts are met in all languages"


def test_languages_that_do_not_differ_are_named_by_chance():
    named = language_id.accuracies(states(), 0)
    assert np.nanmean(named) == pytest.approx(1 / LANGUAGES, abs=0.1)


def test_shuffled_languages_are_named_by_chance_however_far_they_lie_apart():
    named = language_id.accuracies(states(language=5), 0, shuffled=True)
    assert np.nanmean(named) == pytest.approx(1 / LANGUAGES, abs=0.1)


def test_the_classifier_is_that_of_scikit_learn_on_the_other_half_of_the_concepts():
    """Weak signals on scales and in places of their own, so that C, scaling and halves count."""
    made = states(language=0.4, noise=0.4) * np.geomspace(0.01, 10, WIDTH) + np.arange(WIDTH)
    named = language_id.accuracies(made, 0)
    for each in named:
        tested = ~np.isnan(each[0])
        parts = [made[:, ~tested].reshape(-1, WIDTH), made[:, tested].reshape(-1, WIDTH)]
        model = make_pipeline(StandardScaler(), LogisticRegression(C=1.0, max_iter=1000))
        model.fit(parts[0], np.repeat(np.arange(LANGUAGES), (~tested).sum()))
        expected = model.predict(parts[1]) == np.repeat(np.arange(LANGUAGES), tested.sum())
        assert (expected != each[:, tested].ravel()).mean() < 0.03
    assert 0.4 < np.nanmean(named) < 0.9


def test_a_word_that_is_misnamed_is_so_in_its_own_place():
    made = states(language=5)
    made[[0, 1], 7] = made[[1, 0], 7]
    named = language_id.accuracies(made, 0)
    assert np.nanmax(named[:, :2, 7]) == 0
    assert np.nanmin(np.delete(named, 7, axis=2)) == 1


def test_a_dimension_without_variance_is_left_out():
    """A word that differs in it is met in the test alone."""
    made = states(language=5).astype(np.float32)
    plain = language_id.accuracies(made, 0)
    more = np.concatenate([made, np.full((LANGUAGES, CONCEPTS, 1), 0.1, np.float32)], axis=2)
    tested = np.isnan(plain[0, 0])
    more[0, np.flatnonzero(~tested)[0], -1] = 1e4
    np.testing.assert_array_equal(language_id.accuracies(more, 0)[0], plain[0])


def test_variance_is_shared_out_as_in_a_two_way_layout():
    made = states(language=2, noise=0.5)
    language, concept = language_id.variance_shares(made)
    grand = made.mean(axis=(0, 1))
    left = made - made.mean(axis=0) - made.mean(axis=1)[:, None] + grand
    rest = np.square(left).sum() / np.square(made - grand).sum()
    assert language + concept + rest == pytest.approx(1)
    assert language_id.variance_shares(states(0, 1, 0))[0] == pytest.approx(0)
    assert language_id.variance_shares(np.ones((2, 30, 4))) == (0, 0)


def test_what_is_projected_out_is_gone_and_all_else_stays():
    made, directions = states(language=5), np.eye(WIDTH)[:2] + 0.0
    left = language_id.projected_out(made, directions)
    assert np.abs(left[..., :2]).max() < 1e-12
    np.testing.assert_allclose(left[..., 2:], made[..., 2:])


def test_directions_are_differences_of_means_and_span_no_more():
    made = states(language=5) + 3.0
    directions = language_id.language_directions(made)
    np.testing.assert_allclose(directions.sum(axis=0), 0, atol=1e-12)
    left = language_id.projected_out(made, directions)
    gone = (made - left).reshape(-1, WIDTH)
    assert np.linalg.matrix_rank(gone, tol=1e-6) == LANGUAGES - 1


def test_language_in_directions_of_its_own_costs_retrieval_nothing():
    made = states(language=5)
    left = language_id.projected_out(made, language_id.language_directions(made))
    rows = [unit_rows(each) for each in left]
    assert hits(csls(rows[0] @ rows[1].T)).mean() > 0.95
    named = language_id.accuracies(left, 0)
    assert np.nanmean(named) == pytest.approx(1 / LANGUAGES, abs=0.12), "nothing linear is left"
