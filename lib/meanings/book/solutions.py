"""The right answers of the exercises that check themselves, computed and not typed."""

from __future__ import annotations

import numpy as np

from meanings.book.exercises import Exercise
from meanings.measures import (
    cka,
    discrimination,
    expert_units,
    language_id,
    neuron_overlap,
    retrieval,
)
from meanings.statistics.ladder import jonckheere

LINE = np.array([[0.0], [1.0], [3.0]])  # the three words of the example by hand


def _stretched() -> float:
    """The kernel's entry for the first two words, all words moved twice as far apart."""
    return float(cka.rbf_kernel(2 * LINE)[0, 1])


def _swapped() -> float:
    """Biased linear CKA of three words on a line and of the same with the first two swapped."""
    one, other = cka.linear_kernel(LINE), cka.linear_kernel(LINE[[1, 0, 2]])
    return cka.biased(one, other)


COSINES = np.array([[0.9, 0.8, 0.1], [0.2, 0.75, 0.3], [0.1, 0.7, 0.65]])
LAYOUT = np.array([[[0.0], [1], [5]], [[2], [3], [7]]])  # language, concept, dimension


def _precision() -> float:
    """Average precision of a unit that ranks the category's two words second and third."""
    responses = np.array([[0.9], [0.5], [0.4]])
    return float(expert_units.average_precisions(responses, np.array([[False, True, True]]))[0, 0])


def _ranks() -> float:
    from scipy.stats import spearmanr

    return float(spearmanr([0.2, 0.5, 0.9], [0.1, 0.6, 0.7]).statistic)


def _loss(temperature: float) -> float:
    """InfoNCE of the two words of the example."""
    scores = np.exp(np.array([[0.9, 0.3], [0.2, 0.8]]) / temperature)
    return float(-np.log(np.diag(scores) / scores.sum(axis=1)).mean())


def _pooled() -> float:
    from scipy.stats import spearmanr

    return float(spearmanr([0.1, 0.2, 0.8, 0.9], [0.2, 0.1, 0.9, 0.8]).statistic)


def _in_order() -> float:
    """Share of pairs of runs in the order of their doses, of two runs without and two with."""
    return jonckheere([np.array([0.1, 0.3]), np.array([0.2, 0.4])], shuffles=1)[0]


def _by_sense() -> float:
    """`nearer` of a homograph: three of four contexts of one sense, one of two of the other."""
    own = np.array([1.0, 1, 1, 0]), np.array([1.0, 0])
    return float(np.mean([each.mean() for each in own]))


def _area() -> float:
    """AUC of the example: true pairs .6 and .3, false pairs .4 and .1."""
    scores, true = np.array([0.6, 0.3, 0.4, 0.1]), np.array([[1.0, 1, 0, 0]])
    return float(discrimination.auc(scores, true, 1 - true)[0])


EXERCISES: dict[str, Exercise] = {
    "synthesis-order": Exercise(
        _in_order,
        hints={"two runs with the same dose are no pair.": lambda x: abs(x - 5 / 6) < 0.005},
    ),
    "cka-stretched": Exercise(
        _stretched,
        hints={
            "the width of the kernel grows with the distances: it is their median.": lambda x: (
                abs(x - np.exp(-4 / 8)) < 0.01
            )
        },
    ),
    "cka-swapped": Exercise(
        _swapped,
        hints={
            "one is the value for words in the same order.": lambda x: abs(x - 1) < 0.005,
        },
    ),
    "retrieval-example": Exercise(
        lambda: float(retrieval.hits(COSINES).mean()),
        hints={"that is P@1 by CSLS; take the cosines as they are.": lambda x: abs(x - 1) < 0.005},
    ),
    "meaning-by-sense": Exercise(
        _by_sense,
        hints={
            "each sense counts alike, not each context.": lambda x: abs(x - 4 / 6) < 0.005,
        },
    ),
    "meaning-auc": Exercise(_area),
    "identity-variance": Exercise(
        lambda: language_id.variance_shares(LAYOUT)[0],
        hints={
            "that is the share between concepts.": lambda x: (
                abs(x - language_id.variance_shares(LAYOUT)[1]) < 0.005
            )
        },
    ),
    "identity-precision": Exercise(
        _precision,
        hints={
            "the precision at a rank counts the category's words down to it.": lambda x: (
                abs(x - (1 / 2 + 1 / 3) / 2) < 0.005
            )
        },
    ),
    "overlap-chance": Exercise(
        lambda: neuron_overlap.overlap_by_chance(100, 10)[0],
        hints={"that is the number of dimensions, not their share.": lambda x: abs(x - 1) < 0.005},
    ),
    "structure-ranks": Exercise(
        _ranks,
        hints={"that is the value before the change.": lambda x: abs(x - 0.5) < 0.005},
    ),
    "abilities-nats": Exercise(
        lambda: float(np.log(8)),
        hints={"that is in bits; take the natural logarithm.": lambda x: abs(x - 3) < 0.005},
    ),
    "vocabulary-times": Exercise(
        lambda: 4.0,
        hints={"that is `clone-twice`; count the languages.": lambda x: abs(x - 2) < 0.005},
    ),
    "alignment-temperature": Exercise(
        lambda: _loss(1.0),
        hints={"that is the loss at a temperature of .1.": lambda x: abs(x - _loss(0.1)) < 0.005},
    ),
    "gender-signed": Exercise(
        lambda: 0.25,
        hints={"mind the signs: the first one is male.": lambda x: abs(abs(x) - 0.05) < 0.005},
    ),
    "transfer-pooled": Exercise(
        _pooled,
        hints={"that is the correlation within each half.": lambda x: abs(x + 1) < 0.005},
    ),
}
