"""Words in common: which cells they concern, and what they add within an output language."""

import numpy as np
import pandas as pd
import pytest

from meanings.core.errors import MeaningsError
from meanings.statistics import cognates

OVERLAP = pd.DataFrame(
    [
        ("cat", "fr", True, False),
        ("dog", "fr", False, True),
        ("sun", "fr", False, False),
        *((concept, "es", False, False) for concept in ("cat", "dog", "sun")),
    ],
    columns=["source_concept", "output", "shares_token", "shares_letters"],
)


def cells(values, pair="es-fr"):
    return pd.DataFrame(
        {
            "source_concept": list(values),
            "p_source": list(values.values()),
            "pair": pair,
            "training_seed": 0,
        }
    )


def test_a_word_is_apart_where_neither_token_nor_letters_are_shared():
    rows = cognates.marked(cells({"cat": 0.1, "dog": 0.2, "sun": 0.3}), OVERLAP)
    assert dict(zip(rows["source_concept"], rows["apart"], strict=True)) == {
        "cat": False,
        "dog": False,
        "sun": True,
    }
    untrained = [cells({"cat": 0.1}, pair) for pair in ("es-cy", "cy-es")]
    assert cognates.marked(pd.concat(untrained), OVERLAP).empty


def test_what_resemblance_adds_is_taken_within_output_languages():
    french = cells({"cat": 0.9, "dog": 0.9, "sun": 0.3})  # mean .7, apart .3
    spanish = cells({"cat": 0.1, "dog": 0.1, "sun": 0.1}, "fr-es")  # all apart: not compared
    rows = cognates.marked(pd.concat([french, spanish]), OVERLAP)
    value, low, high = cognates.added_by_resemblance(rows)
    assert value == pytest.approx(0.4) and low <= value <= high
    by_output = cognates.by_output(rows).set_index(["words", "output"])
    assert by_output.loc[("apart", "fr"), "mean"] == pytest.approx(0.3)
    assert by_output.loc[("all", "es"), "n_units"] == by_output.loc[("apart", "es"), "n_units"] == 3
    with pytest.raises(MeaningsError, match="no output language has words in common"):
        cognates.added_by_resemblance(cognates.marked(spanish, OVERLAP))


def test_the_interval_covers_what_words_in_common_add():
    random = np.random.default_rng(0)
    hits = 0
    for _ in range(40):
        concepts = [f"c{i}" for i in range(60)]
        overlap = pd.DataFrame(
            {
                "source_concept": concepts * 2,
                "output": ["fr"] * 60 + ["es"] * 60,
                "shares_token": [i % 2 == 0 for i in range(60)] * 2,
                "shares_letters": False,
            }
        )
        noise = random.normal(0, 0.1, 60)
        values = {c: 0.5 + 0.2 * (i % 2 == 0) + noise[i] for i, c in enumerate(concepts)}
        _, low, high = cognates.added_by_resemblance(cognates.marked(cells(values), overlap))
        hits += low <= 0.1 <= high
    assert hits >= 34
