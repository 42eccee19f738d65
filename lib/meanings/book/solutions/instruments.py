"""Solutions of CKA, retrieval, language identity, neuron overlap and structure."""

from __future__ import annotations

from math import comb

import numpy as np

from meanings.book.exercises import Exercise
from meanings.book.solutions.tables import UNSEEN, at_end
from meanings.measures import (
    cka,
    expert_units,
    language_id,
    neuron_overlap,
    retrieval,
)

# --- CKA -------------------------------------------------------------------------------------

LINE = np.array([[0.0], [1.0], [3.0]])  # the three words of the example by hand


def _stretched() -> float:
    """The kernel's entry for the first two words, all words moved twice as far apart."""
    return float(cka.rbf_kernel(2 * LINE)[0, 1])


def _swapped() -> float:
    """Biased linear CKA of three words on a line and of the same with the first two swapped."""
    one, other = cka.linear_kernel(LINE), cka.linear_kernel(LINE[[1, 0, 2]])
    return cka.biased(one, other)


def _left() -> float:
    """The share of CKA in `apart` that is left after regressing out length and frequency."""
    means = [at_end("cka", name, "apart")["value"].mean() for name in ("rbf_regressed", "rbf")]
    return float(means[0] / means[1])


# --- Retrieval -------------------------------------------------------------------------------

COSINES = np.array([[0.9, 0.8, 0.1], [0.2, 0.75, 0.3], [0.1, 0.7, 0.65]])


def _found(scores: np.ndarray) -> float:
    return float(retrieval.hits(scores).mean())


def _step(start: str, end: str) -> float:
    """The rise of `P@1` from one score to another."""
    ends = [at_end("retrieval", name)["value"].mean() for name in (start, end)]
    return float(ends[1] - ends[0])


# --- Language identity, neuron overlap -------------------------------------------------------

LAYOUT = np.array([[[0.0], [1], [5]], [[2], [3], [7]]])  # language, concept, dimension


def _precision() -> float:
    """Average precision of a unit that ranks the category's two words second and third."""
    responses = np.array([[0.9], [0.5], [0.4]])
    return float(expert_units.average_precisions(responses, np.array([[False, True, True]]))[0, 0])


def _of_units(variant: str, column: str = "value") -> float:
    return float(at_end("expert_units", variant)[column].mean())


def _in_common(at_least: int, at_most: int = 3) -> float:
    """The chance that two draws of three of nine have so many in common."""
    ways = [comb(3, k) * comb(6, 3 - k) for k in range(at_least, at_most + 1)]
    return sum(ways) / comb(9, 3)


OVERLAPS = np.array([[0.1, 0.2, 0.3], [0.5, 0.6, 0.7]])  # checkpoint, language pair
TRANSFERS = np.array([[0.2, 0.1, 0.3], [0.7, 0.8, 0.6]])


def _rank(one: np.ndarray, other: np.ndarray) -> float:
    from scipy.stats import spearmanr

    return float(spearmanr(one.ravel(), other.ravel()).statistic)


# --- Structure -------------------------------------------------------------------------------

DISTANCES = np.array([0.2, 0.5, 0.9]), np.array([0.1, 0.7, 0.6])


def _as_high(*, itself: bool = True) -> float:
    """The share of the six relabelings of three categories with an RSA of one half or more."""
    from itertools import permutations

    one, other = DISTANCES
    reached = [_rank(one, other[list(order)]) > 0.49 for order in permutations(range(3))]
    return float((sum(reached) - (not itself)) / len(reached))


def _rsa(same: bool, unseen: tuple[str, ...] = UNSEEN) -> float:
    """Mean RSA between two languages, or between the halves of one."""
    rows = at_end("structure", "rsa").astype({"language_a": str, "language_b": str})
    rows = rows[~rows["language_a"].isin(unseen) & ~rows["language_b"].isin(unseen)]
    return float(rows.loc[(rows["language_a"] == rows["language_b"]) == same, "value"].mean())


EXERCISES: dict[str, Exercise] = {
    "cka-stretched": Exercise(
        _stretched,
        {
            "the width of the kernel grows with the distances: it is their median.": lambda: float(
                np.exp(-4 / 8)
            ),
        },
    ),
    "cka-swapped": Exercise(
        _swapped, {"one is the value for words in the same order.": lambda: 1.0}
    ),
    "cka-regressed": Exercise(lambda: 1 - _left(), {"that is what is left, not what goes.": _left}),
    "retrieval-example": Exercise(
        lambda: _found(COSINES),
        {
            "that is P@1 by CSLS; take the cosines as they are.": lambda: _found(
                retrieval.csls(COSINES, neighbours=1)
            )
        },
    ),
    "retrieval-turned": Exercise(
        lambda: _found(retrieval.csls(-COSINES, neighbours=1)),
        {
            "chance is one in three; a turned language does worse.": lambda: 1 / 3,
            "the words no longer lie near their translations.": lambda: 1.0,
        },
    ),
    "retrieval-mean": Exercise(
        lambda: _step("raw", "centred") / _step("raw", "csls"),
        {
            "that is what the correction for hubs adds.": lambda: (
                _step("centred", "csls") / _step("raw", "csls")
            ),
            "that is the rise itself, not its share of the whole.": lambda: _step("raw", "centred"),
        },
    ),
    "identity-variance": Exercise(
        lambda: language_id.variance_shares(LAYOUT)[0],
        {"that is the share between concepts.": lambda: language_id.variance_shares(LAYOUT)[1]},
    ),
    "identity-precision": Exercise(
        _precision,
        {
            "the precision at a rank counts the category's words down to it.": lambda: (
                (1 / 2 + 1 / 3) / 2
            )
        },
    ),
    "identity-shuffle": Exercise(
        lambda: _of_units("overlap") - _of_units("same_shuffle"),
        {
            "that is above independent draws, which is the weaker null.": lambda: (
                _of_units("overlap") - _of_units("overlap", "null")
            ),
            "that is what the same shuffle has above independent draws.": lambda: (
                _of_units("same_shuffle") - _of_units("overlap", "null")
            ),
        },
    ),
    "overlap-chance": Exercise(
        lambda: neuron_overlap.overlap_by_chance(100, 10)[0],
        {"that is the number of dimensions, not their share.": lambda: 1.0},
    ),
    "overlap-two": Exercise(
        lambda: _in_common(2),
        {
            "three in common are two or more, too.": lambda: _in_common(2, 2),
            "that is the chance of one or more.": lambda: _in_common(1),
        },
    ),
    "overlap-within": Exercise(
        lambda: float(np.mean([_rank(*pair) for pair in zip(OVERLAPS, TRANSFERS, strict=True)])),
        {
            "that is over both checkpoints together.": lambda: _rank(OVERLAPS, TRANSFERS),
            "that is the first checkpoint alone.": lambda: _rank(OVERLAPS[0], TRANSFERS[0]),
        },
        tolerance=0.002,
    ),
    "structure-ranks": Exercise(
        lambda: _rank(DISTANCES[0], np.array([0.1, 0.6, 0.7])),
        {"that is the value before the change.": lambda: _rank(*DISTANCES)},
    ),
    "structure-relabelled": Exercise(
        _as_high,
        {
            "the order as it is counts as one of the six.": lambda: _as_high(itself=False),
            "others reach it, too.": lambda: 1 / 6,
        },
    ),
    "structure-upper": Exercise(
        lambda: _rsa(same=False) / _rsa(same=True),
        {
            "leave out the languages that the miniature was never trained on.": lambda: (
                _rsa(same=False, unseen=()) / _rsa(same=True, unseen=())
            ),
            "that is RSA itself; divide by the upper level.": lambda: _rsa(same=False),
        },
    ),
}
