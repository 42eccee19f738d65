"""The decision rules of the book's claims, on arrays.

    values[..., training seed, concept]        P(source) or any other score, NaN where not measured

A difference is claimed where its whole interval lies beyond `effects.SMALLEST_EFFECT`: with enough
concepts an interval tells any difference from zero, however small.

Axes before the last two are languages or layers, as each rule says; whatever stands before these
(such as permutations of labels) is carried along, so that many permutations are decided at once.
`meanings.statistics.claims` applies the same rules to tables. What a rule lets through where there
is nothing to find is in data/published/false_positives.csv (`meanings.validity.false_positives`).
"""

import numpy as np
import scipy
from jaxtyping import Bool, Float, Int, Shaped

from meanings.statistics.effects import SMALLEST_EFFECT
from meanings.statistics.resampling import mean_where_present, point_means, resampled_means

LEVEL = 0.05
ENDS = (LEVEL / 2, 1 - LEVEL / 2)


def interval_sign(
    ends: Shaped[np.ndarray, " 2 *rest"], smallest: float = SMALLEST_EFFECT
) -> Int[np.ndarray, " *rest"]:
    """What intervals of a difference, from low to high, say: 1 above `smallest`, -1 below
    `-smallest`, 0 neither.
    """
    low, high = ends
    return np.where(low > smallest, 1, np.where(high < -smallest, -1, 0))


def difference_sign(
    differences: Float[np.ndarray, "*rest seed concept"], smallest: float = SMALLEST_EFFECT
) -> Int[np.ndarray, " *rest"]:
    """Whether a difference within concepts lies above `smallest` (1), below `-smallest` (-1), or
    neither.
    """
    return interval_sign(np.nanquantile(resampled_means(differences), ENDS, axis=0), smallest)


def languages_differ(
    values: Float[np.ndarray, "*rest language seed concept"],
) -> Bool[np.ndarray, " *rest"]:
    """Whether languages differ, by Friedman's test and by more than the smallest effect.

    In the test each concept ranks the languages; the effect is the largest mean minus the smallest.
    """
    means = mean_where_present(values, axis=-2)
    flat = means.reshape(-1, *means.shape[-2:])
    found = np.array([friedman_p(each) < LEVEL for each in flat]).reshape(means.shape[:-2])
    return np.asarray(found & (np.ptp(point_means(values), axis=-1) > SMALLEST_EFFECT))


def friedman_p(means: Float[np.ndarray, "language concept"]) -> float:
    """p of no difference between languages, by Friedman's test (of two languages, Wilcoxon's).

    1 where nothing differs or there is too little. A concept that lacks a language is left out.
    Intervals of the best and of the worst of many languages are no test: chosen after the fact,
    they part too often. Source: Friedman 1937.
    """
    complete = means[:, ~np.isnan(means).any(axis=0)]
    if len(complete) < 2 or complete.shape[1] < 2 or not np.ptp(complete, axis=0).any():
        return 1.0
    test = scipy.stats.friedmanchisquare if len(complete) > 2 else scipy.stats.wilcoxon
    return float(test(*complete).pvalue)


def output_languages_differ_more(
    values: Float[np.ndarray, "*rest input output seed concept"],
) -> Int[np.ndarray, " *rest"]:
    """Whether output languages differ more than input languages (1), less (-1), or neither, by more
    than the smallest effect.

    spread = max - min over languages of the mean;   the interval of  spread(output) - spread(input)
    over concepts
    """
    by_output, by_input = (mean_where_present(values, axis) for axis in (-4, -3))
    outputs, inputs = (np.ptp(resampled_means(each), axis=-1) for each in (by_output, by_input))
    return interval_sign(np.quantile(outputs - inputs, ENDS, axis=0))


def best_layer_intervals(
    values: Float[np.ndarray, "*rest language layer seed concept"],
) -> tuple[Int[np.ndarray, "*rest language"], Int[np.ndarray, "*rest language"]]:
    """Ends of the interval of each language's best layer, as indices of layers."""
    best = resampled_means(values).argmax(axis=-1)
    low, high = np.quantile(best, ENDS, axis=0, method="nearest")
    return low, high


def layers_differ(
    low: Int[np.ndarray, "*rest language"], high: Int[np.ndarray, "*rest language"]
) -> Bool[np.ndarray, " *rest"]:
    """Whether the best layers of two languages lie more than one apart, beyond their intervals."""
    return np.asarray(low.max(axis=-1) > high.min(axis=-1) + 1)
