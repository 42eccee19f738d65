"""The long run: which models are compared, and the shipped run's level beside them."""

import pandas as pd
import pytest

from meanings.core.errors import MeaningsError
from meanings.measures.results import published
from meanings.statistics import longer


def models(**steps):
    return pd.DataFrame(
        {"model": f"long-run-{name}", "step": step} for name, own in steps.items() for step in own
    )


def test_finished_models_are_those_that_decayed():
    table = models(finished=(30, 10), trunk=(20, 40))
    assert longer.finished_steps(table) == [10, 30]
    with pytest.raises(MeaningsError, match="fewer than two finished models"):
        longer.finished_steps(models(finished=(30,), trunk=(20,)))


def test_a_finished_model_branches_off_the_last_trunk_checkpoint_before_it():
    assert longer.branched_off(models(finished=(10, 30), trunk=(20, 25, 40))) == (25, 30)
    with pytest.raises(MeaningsError, match="no trunk checkpoint before a finished model"):
        longer.branched_off(models(finished=(10, 30), trunk=(40,)))


def test_the_shipped_level_is_of_the_same_pairs_and_seed():
    found = longer.shipped_level(longer.chosen(longer.published_long_run()))
    where = {"condition": ["seen"], "training_seed": [0], "step": [7500], "first_layer": [1]}
    rows = published("miniature", where=where)
    pairs = ("en-fr", "fr-es", "fr-de", "fr-pl", "en-fi")  # `self` does not exist into English
    own = rows[rows["pair"].isin(pairs)]
    assert own["pair"].nunique() == len(pairs)
    assert found["low"] < found["mean"] < found["high"]
    assert found["mean"] == pytest.approx(own["p_source"].mean(), abs=0.03)  # layers are chosen
