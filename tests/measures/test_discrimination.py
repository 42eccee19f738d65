"""AUC, thresholds and accuracy on scores counted by hand, and against scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from meanings.measures.discrimination import accuracy, auc, drawn, thresholds

SCORES = np.array([0.1, 0.4, 0.4, 0.8])
LABELS = np.array([[0, 1, 0, 1]], float)


def test_auc_is_counted_by_hand_and_ties_are_half():
    # true: .4, .8; false: .1, .4: three wins and a tie
    assert auc(SCORES, LABELS, 1 - LABELS) == pytest.approx([3.5 / 4])
    assert auc(-SCORES, LABELS, 1 - LABELS) == pytest.approx([0.5 / 4])
    assert auc(np.zeros(4), LABELS, 1 - LABELS) == [0.5]


def test_weighted_auc_is_that_of_repeated_pairs_and_of_scikit_learn():
    rng = np.random.default_rng(0)
    scores, labels = rng.normal(size=60).round(1), rng.random(60) < 0.4
    often = rng.integers(0, 4, size=(3, 60)).astype(float)
    found = auc(scores, often * labels, often * ~labels)
    for weights, value in zip(often, found, strict=True):
        assert value == pytest.approx(roc_auc_score(labels, scores, sample_weight=weights))


def test_a_threshold_lies_midway_and_never_between_equal_scores():
    labels = np.array([[0, 0, 1, 1]], float)
    cut = thresholds(np.array([0.0, 1.0, 3.0, 4.0]), labels, 1 - labels)
    assert cut == [2.0]
    tied = thresholds(SCORES, LABELS, 1 - LABELS)
    assert tied[0] in (0.25, pytest.approx(0.6)) and 0.4 not in tied


def test_the_best_threshold_has_the_highest_accuracy_of_all():
    rng = np.random.default_rng(1)
    scores, labels = rng.normal(size=40).round(1), (rng.random(40) < 0.5).astype(float)[None]
    cut = thresholds(scores, labels, 1 - labels)
    best = accuracy(scores, labels, 1 - labels, cut)[0]
    others = [np.mean((scores > t) == labels[0]) for t in np.linspace(-4, 4, 801)]
    assert best == pytest.approx(max(others))
    assert accuracy(scores, labels, 1 - labels, np.array([9.0]))[0] == 1 - labels.mean()


def test_pairs_of_a_unit_are_drawn_together_and_as_many_units_as_there_are():
    units = np.array([0, 0, 1, 2, 2, 2])
    often = drawn(units, np.random.default_rng(0), 50)
    assert (often[:, 0] == often[:, 1]).all() and (often[:, 3] == often[:, 5]).all()
    assert (often[:, [0, 2, 3]].sum(axis=1) == 3).all()
    assert often[:, 0].std() > 0
