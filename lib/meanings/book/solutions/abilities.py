"""Solutions of the order of abilities, meaning in context and the synthesis."""

from __future__ import annotations

import numpy as np
import pandas as pd

from meanings.book.exercises import Exercise
from meanings.book.solutions.tables import above_null, at_end
from meanings.measures import discrimination
from meanings.statistics.ladder import jonckheere

# --- Abilities, meaning in context -----------------------------------------------------------

OWN, ACROSS = np.array([1.0, 2.0, 6.0]), np.array([5.0, 2.5, 6.5])  # onsets of three pairs
TOKENS, CURVE = np.array([1.0, 2.0, 4.0, 8.0]), np.array([0.1, 0.2, 0.3, 0.8])


def _reached(scale: str) -> float:
    """When the curve has half of its final height: its line is straight on a scale of tokens."""
    if scale == "log":
        return float(np.exp(np.interp(0.4, CURVE, np.log(TOKENS))))
    return float(np.interp(0.4, CURVE, TOKENS))


def _by_sense() -> float:
    """`nearer` of a homograph: three of four contexts of one sense, one of two of the other."""
    own = np.array([1.0, 1, 1, 0]), np.array([1.0, 0])
    return float(np.mean([each.mean() for each in own]))


def _area() -> float:
    """AUC of the example: true pairs .6 and .3, false pairs .4 and .1."""
    scores, true = np.array([0.6, 0.3, 0.4, 0.1]), np.array([[1.0, 1, 0, 0]])
    return float(discrimination.auc(scores, true, 1 - true)[0])


def _in_context(variant: str, column: str = "value") -> float:
    rows = at_end("meaning_in_context", variant)
    return float(rows.loc[rows["split"] == "all", column].mean())


# --- Synthesis -------------------------------------------------------------------------------


def _in_order() -> float:
    """Share of pairs of runs in the order of their doses, of two runs without and two with."""
    return jonckheere([np.array([0.1, 0.3]), np.array([0.2, 0.4])], shuffles=1)[0]


def _claimed(above: str) -> float:
    """The share of cells of `apart` in which the direction of broader relations is claimed."""
    rows: pd.DataFrame = at_end("relations", "direction_broader", "apart")
    return float((rows["low"] > (0.05 if above == "zero" else rows["null_high"])).mean())


def _height(model: str) -> float:
    return above_null(at_end("cka", "rbf", model))


EXERCISES: dict[str, Exercise] = {
    "abilities-nats": Exercise(
        lambda: float(np.log(8)),
        {"that is in bits; take the natural logarithm.": lambda: float(np.log2(8))},
    ),
    "abilities-delay": Exercise(
        lambda: float(np.median(ACROSS - OWN)),
        {
            "that is the difference of two medians; take the delay of each pair first.": lambda: (
                float(np.median(ACROSS) - np.median(OWN))
            ),
            "that is the mean delay; one pair of three decides it.": lambda: float(
                np.mean(ACROSS - OWN)
            ),
        },
    ),
    "abilities-onset": Exercise(
        lambda: _reached("log"),
        {
            "the line is straight in the logarithm of the tokens.": lambda: _reached("tokens"),
            "that is a checkpoint; the curve crosses before it.": lambda: float(TOKENS[-1]),
        },
        tolerance=0.02,
    ),
    "meaning-by-sense": Exercise(
        _by_sense, {"each sense counts alike, not each context.": lambda: 4 / 6}
    ),
    "meaning-auc": Exercise(
        _area, {"those are the pairs in the wrong order.": lambda: 1 - _area()}
    ),
    "meaning-gain": Exercise(
        lambda: _in_context("nearer") - _in_context("other_word"),
        {
            "that is above the permutation null, which another word exceeds, too.": lambda: (
                _in_context("nearer") - _in_context("nearer", "null")
            ),
            "that is against the context alone.": lambda: (
                _in_context("nearer") - _in_context("context_only")
            ),
        },
        tolerance=0.002,
    ),
    "synthesis-order": Exercise(
        _in_order, {"two runs with the same dose are no pair.": lambda: 5 / 6}
    ),
    "synthesis-height": Exercise(
        lambda: _height("apart") / _height("parallel-100"),
        {
            "take each model's own null off first.": lambda: float(
                at_end("cka", "rbf", "apart")["value"].mean()
                / at_end("cka", "rbf", "parallel-100")["value"].mean()
            ),
        },
    ),
    "synthesis-null": Exercise(
        lambda: _claimed("null"),
        {"that is without a null.": lambda: _claimed("zero")},
    ),
}
