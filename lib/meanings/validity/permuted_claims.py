"""The rules of the book's claims applied to permuted labels.

All permutations stand in one array [permutation, ..., training seed, concept], to which
`meanings.statistics.rules` are applied at once. A claim that two labels differ is tested by
exchanging them within a random half of the concepts; one about many labels, by permuting them
within each concept. Rules that the book gave up stand here only.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from meanings.core.errors import MeaningsError
from meanings.patching import conditions
from meanings.statistics import claims, layer_choice, rules, summaries
from meanings.statistics.effects import SMALLEST_EFFECT
from meanings.statistics.resampling import (
    mean_where_present,
    point_means,
    resampled_means,
    to_array,
)
from meanings.validity.permuting import exchanged, exchanges, permuted, permuted_within

Randoms = Sequence[np.random.Generator]

# Of each permutation: whether the claim is made, and the number that it is made of (NaN where it
# has none).
Outcomes = Callable[[Any], tuple[np.ndarray, np.ndarray]]


def one_by_one(rule: Callable[[np.random.Generator], bool]) -> Outcomes:
    """The outcomes of a rule that takes one permutation at a time."""
    return lambda randoms: (
        np.array([rule(random) for random in randoms]),
        np.full(len(randoms), np.nan),
    )


# Two conditions


def conditions_compared(
    table: pd.DataFrame,
    a: str,
    b: str,
    *,
    one_sided: bool = False,
    naive: bool = False,
    value: str = "p_source",
    smallest: float = SMALLEST_EFFECT,
) -> Outcomes:
    """That two conditions differ by more than `smallest`, at layers chosen as
    `layer_choice.at_chosen_layer` does.

    - `one_sided`: that `a` lies above `b`; `naive`: at the layer that is best for `a` on all
      concepts.
    """
    own = [
        to_array(table[table["condition"] == name], value, ["first_layer"])[1] for name in (a, b)
    ]
    if own[0].shape != own[1].shape or np.isnan(own).any():
        raise MeaningsError(
            f"{a} and {b} do not have the same layers, training runs and concepts; compare "
            "conditions of one grid"
        )
    n_units = own[0].shape[-1]

    def layers_of(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if naive:
            return (_best_of_all(first),) * 2
        if len(own[0]) == 1:
            return (np.zeros((len(first), n_units), dtype=int),) * 2
        lead = layer_choice.split_half_layers(first)
        return lead, layer_choice.split_half_layers(second) if b in conditions.PATCHED else lead

    def outcomes(randoms: Randoms) -> tuple[np.ndarray, np.ndarray]:
        swap = exchanges(randoms, n_units)[:, None, None, :]
        pair = np.where(swap, own[1], own[0]), np.where(swap, own[0], own[1])
        first, second = map(layer_choice.take_layers, pair, layers_of(*pair))
        found = rules.difference_sign(first - second, smallest)
        return (found > 0 if one_sided else found != 0), point_means(first - second)

    return outcomes


def best_layer_above_average(table: pd.DataFrame, split: bool) -> Outcomes:
    """That the best layer lies above the average layer, however little: chosen on one half of the
    concepts and reported on the other, or on all at once. No claim of the book.
    """
    _, values = to_array(table, "p_source", ["first_layer"])

    def outcomes(randoms: Randoms) -> tuple[np.ndarray, np.ndarray]:
        shuffled = permuted(values, randoms)
        layers = layer_choice.split_half_layers(shuffled) if split else _best_of_all(shuffled)
        difference = layer_choice.take_layers(shuffled, layers) - shuffled.mean(axis=1)
        return rules.difference_sign(difference, smallest=0.0) > 0, point_means(difference)

    return outcomes


def _best_of_all(values: np.ndarray) -> np.ndarray:
    """The best layer over all units, for each unit: [permutation, unit]."""
    return np.repeat(point_means(values).argmax(axis=-1)[:, None], values.shape[-1], axis=1)


def onsets_ordered(table: pd.DataFrame, a: str, b: str) -> Outcomes:
    """That the onset of one of two conditions comes first."""

    def rule(random: np.random.Generator) -> bool:
        both = pd.concat(
            [exchanged(table, a, b, random), table[table["condition"] == "null_concept"]]
        )
        onsets = summaries.onsets(layer_choice.at_chosen_layer(both), [a, b]).set_index("condition")
        return claims.onset_order(onsets.loc[a], onsets.loc[b]) != 0

    return one_by_one(rule)


def emerges_in_training(table: pd.DataFrame) -> Outcomes:
    """That `seen` has its onset between the first and the last checkpoint."""

    def rule(random: np.random.Generator) -> bool:
        seen = permuted_within(table[table["condition"] == "seen"], "tokens", random)
        both = pd.concat([seen, table[table["condition"] == "null_concept"]])
        onset = summaries.onsets(layer_choice.at_chosen_layer(both), ["seen"]).iloc[0]
        return claims.emerges_in_training(onset, table["tokens"])

    return one_by_one(rule)


# Languages


def languages_differ(patched: pd.DataFrame, *, tested: bool) -> Outcomes:
    """That alignment depends on the output language; without `tested`, by the rule given up: the
    interval of the best language above that of the worst.
    """
    _, values = to_array(patched, "p_source", ["output"])

    def outcomes(randoms: Randoms) -> tuple[np.ndarray, np.ndarray]:
        shuffled = permuted(values, randoms)
        points = point_means(shuffled)
        spread = np.ptp(points, axis=1)
        if tested:
            return rules.languages_differ(shuffled), spread
        low, high = np.quantile(resampled_means(shuffled), rules.ENDS, axis=0)
        at = np.arange(len(shuffled))
        return low[at, points.argmax(axis=1)] > high[at, points.argmin(axis=1)], spread

    return outcomes


def output_languages_differ_more(patched: pd.DataFrame, *, interval: bool) -> Outcomes:
    """That output languages differ more than input languages; without `interval`, by the rule given
    up: the larger spread. For a random half of the concepts every pair x-y becomes y-x.
    """
    _, values = to_array(patched, "p_source", ["input", "output"])

    def outcomes(randoms: Randoms) -> tuple[np.ndarray, np.ndarray]:
        swap = exchanges(randoms, values.shape[-1])[:, None, None, None, :]
        shuffled = np.where(swap, values.transpose(1, 0, 2, 3), values)
        by_output, by_input = (mean_where_present(shuffled, axis) for axis in (-4, -3))
        point = np.ptp(point_means(by_output), axis=1) - np.ptp(point_means(by_input), axis=1)
        made = rules.output_languages_differ_more(shuffled) > 0 if interval else point > 0
        return made, point

    return outcomes


def rule_over_rows(
    table: pd.DataFrame, column: str, rule: Callable[[pd.DataFrame], bool]
) -> Outcomes:
    """A rule on a table, the values of one column permuted over its rows."""
    return one_by_one(
        lambda random: rule(table.assign(**{column: random.permutation(table[column].to_numpy())}))
    )


def best_layers_differ(swept: pd.DataFrame, *, interval: bool) -> Outcomes:
    """That best layers differ between languages; without `interval`, by the rule given up: more
    than one apart.
    """
    _, values = to_array(swept, "p_source", ["output", "first_layer"])

    def outcomes(randoms: Randoms) -> tuple[np.ndarray, np.ndarray]:
        made, distances = [], []
        for start in range(0, len(randoms), 40):  # all resamples at once would fill the memory
            shuffled = permuted(values, randoms[start : start + 40])
            distance = np.ptp(point_means(shuffled).argmax(axis=-1), axis=1)
            distances.append(distance)
            made.append(
                rules.layers_differ(*rules.best_layer_intervals(shuffled))
                if interval
                else distance > 1
            )
        return np.concatenate(made), np.concatenate(distances).astype(float)

    return outcomes


# Answers


def more_gains_than_losses(answers: pd.DataFrame) -> Outcomes:
    """That more answers become right than wrong, as mere counts: a rule given up."""
    change = np.subtract(
        *(
            to_array(answers[answers["condition"] == name], "right", ["pair"])[1]
            for name in ("seen", "src_unpatched")
        )
    )

    def outcomes(randoms: Randoms) -> tuple[np.ndarray, np.ndarray]:
        swap = exchanges(randoms, change.shape[-1])[:, None, None, :]
        shuffled = np.where(swap, -change, change)
        more = (shuffled > 0).sum(axis=(1, 2, 3)) - (shuffled < 0).sum(axis=(1, 2, 3))
        return more > 0, more.astype(float)

    return outcomes
