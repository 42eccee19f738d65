"""Labels permuted within concepts, in tables and in arrays."""

import numpy as np
import pandas as pd

from meanings.statistics import languages as language_statistics
from meanings.statistics.resampling import to_array
from meanings.validity.permuting import exchanged, permuted, permuted_within, unit_means
from stand_ins.score_tables import CONCEPTS, cells, matrix


def draws(n):
    return [np.random.Generator(np.random.PCG64([7, i])) for i in range(n)]


def test_exchanging_keeps_every_number_and_moves_whole_concepts():
    table = cells(0.3)
    shuffled = exchanged(table, "seen", "null_concept", np.random.default_rng(0))
    assert sorted(shuffled["p_source"]) == sorted(table["p_source"])
    moved = shuffled["condition"].to_numpy() != table["condition"].to_numpy()
    share = pd.Series(moved).groupby(table["source_concept"]).agg(["min", "max"])
    assert (share["min"] == share["max"]).all() and 0.2 < moved.mean() < 0.8
    assert set(shuffled.groupby(["condition", "first_layer", "source_concept"]).size()) == {1}


def test_shuffling_within_concepts_is_one_permutation_a_concept():
    table = matrix(0.1)
    shuffled = permuted_within(table, "output", np.random.default_rng(0))
    pairs = pd.DataFrame(
        {"concept": table["source_concept"], "before": table["output"], "after": shuffled["output"]}
    ).drop_duplicates()
    assert len(pairs) == CONCEPTS * 5  # a function of concept and label
    assert (pairs.groupby("concept")["after"].nunique() == 5).all()  # and one to one
    assert (pairs["before"] != pairs["after"]).mean() > 0.5


def test_labels_permuted_in_arrays_are_those_permuted_in_tables():
    table = unit_means(matrix(0.1), ["output"])
    shuffled = permuted(to_array(table, "p_source", ["output"])[1], draws(3))
    for array, random in zip(shuffled, draws(3), strict=True):
        np.testing.assert_array_equal(
            array, to_array(permuted_within(table, "output", random), "p_source", ["output"])[1]
        )


def test_means_are_what_the_statistics_begin_with():
    table = matrix(0.1)
    small = unit_means(table, ["output"])
    a, b = (language_statistics.alignment(each) for each in (table, small))
    np.testing.assert_allclose(a[["mean", "low", "high"]], b[["mean", "low", "high"]])
