"""Readings of instruments: one form for all, out of rows whose answer is known."""

import numpy as np
import pandas as pd
import pytest

from meanings.core.errors import MeaningsError
from meanings.statistics import instruments
from meanings.statistics.instruments import INSTRUMENTS, RETRIEVAL


def companion_rows():
    """Two pairs, both directions of one; a layer with higher values than the other."""
    found = []
    for layer in (0, 1):
        for a, b, split, n, value in (
            ("en", "fr", "taught", 30, 0.8), ("en", "fr", "held_out", 10, 0.4),
            ("fr", "en", "taught", 40, 0.6), ("de", "en", "taught", 40, 0.5),
            ("en", "fr", "shared_token", 20, 0.0), ("en", "", "taught", 40, 0.9),
            ("fr", "fr", "taught", 40, 0.9),
        ):  # fmt: skip
            found.append(
                {
                    "variant": "csls", "layer": layer, "language_a": a, "language_b": b,
                    "split": split, "value": value * (1 + layer) / 2, "low": 0.0, "high": 1.0,
                    "null": 0.1, "null_low": 0.0, "null_high": 0.2, "n": n, "training_seed": 0,
                    "step": 5, "tokens": 50,
                }
            )  # fmt: skip
    return pd.DataFrame(found)


def test_sets_of_concepts_count_by_their_size_and_directions_alike():
    found = instruments.readings(companion_rows(), RETRIEVAL).set_index(
        ["language_a", "language_b"]
    )
    assert list(found.index) == [("de", "en"), ("en", "fr")]
    assert found.loc[("en", "fr"), "value"] == pytest.approx((30 * 0.8 + 10 * 0.4 + 40 * 0.6) / 80)
    assert found.loc[("en", "fr"), "n"] == 80


def test_only_the_named_pairs_and_languages_are_read():
    pairs = instruments.readings(companion_rows(), RETRIEVAL, pairs=["en-de"])
    assert pairs[["language_a", "language_b"]].to_numpy().tolist() == [["de", "en"]]
    known = instruments.readings(companion_rows(), RETRIEVAL, ("en", "fr"))
    assert known[["language_a", "language_b"]].to_numpy().tolist() == [["en", "fr"]]
    with pytest.raises(MeaningsError, match="retrieval csls"):
        instruments.readings(companion_rows(), RETRIEVAL, ("ru", "zh"))


def test_language_identity_is_of_one_language():
    identity = INSTRUMENTS[0]
    rows = companion_rows().assign(variant=identity.variant)
    found = instruments.readings(rows, identity)
    assert found[["language_a", "language_b"]].to_numpy().tolist() == [["en", ""]]


def cells(effect, concepts=40):
    """Patched cells of one pair in which the concept is `effect` more probable than the null."""
    rng = np.random.default_rng(0)
    null = rng.uniform(0, 0.1, concepts)
    return pd.DataFrame(
        [
            {
                "training_seed": 0, "step": 5, "tokens": 50, "pair": pair, "prompt_seed": 42,
                "source_concept": str(i), "condition": condition, "first_layer": layer,
                "p_source": null[i] + effect * (condition == "seen"), "model": "x",
            }
            for pair in ("fr-en", "en-fr")
            for i in range(concepts)
            for condition in ("seen", "null_concept")
            for layer in (0, 1)
        ]
    )  # fmt: skip


def test_a_reading_of_patching_lies_above_its_null_by_the_paired_difference():
    found = instruments.patched_readings(cells(0.3)).iloc[0]
    assert (found["language_a"], found["language_b"], found["n"]) == ("en", "fr", 40)
    assert found["value"] - found["null"] == pytest.approx(0.3)
    # The difference is the same for every concept: its interval has no width.
    assert found["low"] - found["null_high"] == pytest.approx(0.3)
    nothing = instruments.patched_readings(cells(0.0)).iloc[0]
    assert nothing["low"] - nothing["null_high"] == pytest.approx(0.0)


def test_each_first_layer_is_a_cell_of_its_own():
    found = instruments.patched_by_layer(cells(0.3))
    assert list(found["layer"]) == [0, 1] and (found["n"] == 40).all()


def test_conditions_that_share_no_cell_are_refused():
    rows = cells(0.3)
    with pytest.raises(MeaningsError, match="share no cell|null_concept"):
        instruments.patched_readings(rows[rows["condition"] == "seen"])


def test_instruments_have_names_of_their_own():
    names = [each.name for each in INSTRUMENTS]
    assert len(set(names)) == len(names)
    assert instruments.named("cka rbf").label == "CKA"
    with pytest.raises(MeaningsError, match="there are"):
        instruments.named("cka")
