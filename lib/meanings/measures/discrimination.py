"""How well a score tells true pairs from false ones, under many weightings of the pairs at once.

    auc         share of (true pair, false pair) in which the true one scores higher; ties count .5
    threshold   the score above which pairs are called true, with the most right answers
    accuracy    share of pairs that a threshold calls right

A bootstrap weights each pair by how often its unit was drawn; a permutation exchanges which pairs
count as true. Both are weightings, so a row of weights is one draw.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

Scores = Float[np.ndarray, " pair"]
Weights = Float[np.ndarray, "draw pair"]
Draws = Float[np.ndarray, " draw"]


def auc(scores: Scores, true: Weights, false: Weights) -> Draws:
    """Area under the ROC curve, for each row of weights.

    - `true`, `false`: the weight of each pair as a true and as a false one.
    """
    order = np.argsort(scores)
    ranked = scores[order]
    below, up_to = (np.searchsorted(ranked, ranked, side) for side in ("left", "right"))
    weight = _cumulated(false[:, order])
    wins = (true[:, order] * (weight[:, below] + weight[:, up_to])).sum(axis=1) / 2
    return wins / (true.sum(axis=1) * false.sum(axis=1))


def thresholds(scores: Scores, true: Weights, false: Weights) -> Draws:
    """The threshold with the most weight on the right side, for each row of weights: midway between
    two scores; of several equally good ones the lowest.
    """
    order = np.argsort(scores)
    ranked = scores[order]
    ends = np.concatenate([[-np.inf], ranked, [np.inf]])
    cuts = ends[:-1] / 2 + ends[1:] / 2
    right = _cumulated(false[:, order]) + true.sum(axis=1, keepdims=True)
    right -= _cumulated(true[:, order])
    right[:, 1:-1][:, ranked[1:] == ranked[:-1]] = -1  # equal scores are not cut apart
    return cuts[right.argmax(axis=1)]


def accuracy(scores: Scores, true: Weights, false: Weights, cuts: Draws) -> Draws:
    """Weight of the pairs that a threshold calls right, over the weight of all."""
    above = scores > cuts[:, None]
    right = np.where(above, true, false).sum(axis=1)
    return right / (true.sum(axis=1) + false.sum(axis=1))


def drawn(units: Int[np.ndarray, " pair"], rng: np.random.Generator, draws: int) -> Weights:
    """How often each pair's unit is drawn, of as many units as there are, with replacement."""
    count = int(units.max()) + 1
    chosen = rng.integers(count, size=(draws, count))
    often = np.zeros((draws, count))
    np.add.at(often, (np.arange(draws)[:, None], chosen), 1)
    return often[:, units]


def _cumulated(weights: Weights) -> Float[np.ndarray, "draw cut"]:
    """Weight of the pairs before each cut, from none to all."""
    return np.concatenate([np.zeros((len(weights), 1)), weights.cumsum(axis=1)], axis=1)
