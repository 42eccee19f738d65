"""When a chapter may claim what: the rules of `meanings.statistics.rules`, applied to tables.

A rule takes a table as the chapters have it and answers with a plain value; the words are the
chapters'. What a rule lets through where there is nothing to find is in
data/published/false_positives.csv (`meanings validity false-positives`).
"""

from typing import Literal

import numpy as np
import pandas as pd

from meanings.statistics import rules
from meanings.statistics.bootstrap import differences
from meanings.statistics.correlation import property_correlations
from meanings.statistics.resampling import point_means, to_array
from meanings.statistics.selection import split_pairs

LEVEL = rules.LEVEL
Sign = Literal[-1, 0, 1]


def sign(row: pd.Series) -> Sign:
    """What the interval `low`, `high` of a difference says: above the smallest effect, below its
    negative, or neither.
    """
    return int(rules.interval_sign(np.array([row["low"], row["high"]])))


def conditions_differ(table: pd.DataFrame, a: str, b: str, value: str = "p_source") -> Sign:
    """Whether `value` under condition `a` lies above (1) or below (-1) that under `b`, within
    concepts and by more than the smallest effect, or neither (0).

    Raises MeaningsError where one of them is not in the table or no concept has both.
    """
    rows = differences(table, value, a, b)
    _, values = to_array(rows, "difference", [])
    return int(rules.difference_sign(values))


def patching_gains(
    answers: pd.DataFrame, patched: str = "seen", unpatched: str = "src_unpatched"
) -> Sign:
    """Whether a patch makes more answers right than wrong: the interval, over concepts, of the
    difference in the share of right ones, against the smallest effect.

    - `answers`: a row per answer, with `condition`, `pair`, `source_concept` and `right` (0 or 1).
    """
    return conditions_differ(answers, patched, unpatched, "right")


def onset_order(a: pd.Series | None, b: pd.Series | None) -> Sign:
    """Which of two onsets comes first, -1 for `a`: only where their intervals do not meet and both
    are there.
    """
    if a is None or b is None or (a["low"] <= b["high"] and b["low"] <= a["high"]):
        return 0
    return -1 if a["high"] < b["low"] else 1


def emerges_in_training(onset: pd.Series, tokens: pd.Series) -> bool:
    """Whether an onset's whole interval lies between the first and the last checkpoint.

    - `onset`: a row of `summaries.onsets`; `tokens`: training tokens of the checkpoints.
    """
    return bool(tokens.min() < onset["low"] and onset["high"] < tokens.max())


def depends_on_language(patched: pd.DataFrame, value: str = "p_source") -> bool:
    """Whether alignment depends on the output language, by Friedman's test: each concept ranks the
    languages.

    - `patched`: rows with `output`; a concept that lacks a language is left out.
    """
    _, values = to_array(patched, value, ["output"])
    return bool(rules.languages_differ(values))


def output_languages_differ_more(patched: pd.DataFrame, value: str = "p_source") -> Sign:
    """Whether output languages differ more than input languages (1), less (-1), or neither can be
    told.

    - `patched`: rows with `input` and `output`.
    """
    _, values = to_array(patched, value, ["input", "output"])
    return int(rules.output_languages_differ_more(values))


def more_text_joins_earlier(languages: pd.DataFrame) -> bool:
    """Whether languages with more text join earlier: a negative rank correlation of `share` and
    `onset` that permutations rarely reach.
    """
    if len(languages) < 4:
        return False
    row = property_correlations(languages, ["share"], "onset").iloc[0]
    return bool(row["rank"] < 0 and row["p"] < LEVEL)


def best_layers(swept: pd.DataFrame, value: str = "p_source") -> pd.DataFrame:
    """The first patched layer with the highest mean for each output language, with an interval:
    `output`, `layer`, `low`, `high`.
    """
    (codes, numbers), values = to_array(swept, value, ["output", "first_layer"])
    layers = np.array(numbers)
    low, high = rules.best_layer_intervals(values)
    best = point_means(values).argmax(axis=-1)
    return pd.DataFrame(
        {"output": codes, "layer": layers[best], "low": layers[low], "high": layers[high]}
    )


def best_layers_differ(best: pd.DataFrame) -> bool:
    """Whether the best layers of two languages lie more than one apart, beyond their intervals.

    - `best`: `low` and `high` of each language, as `best_layers` gives them.
    """
    return bool(rules.layers_differ(best["low"].to_numpy(), best["high"].to_numpy()))


def alignment_rows(chosen: pd.DataFrame, condition: str = "seen") -> pd.DataFrame:
    """The rows of a condition, with `input` and `output`."""
    return split_pairs(chosen[chosen["condition"] == condition])
