"""The long run: which models are compared, and the shipped run's level beside them."""

import numpy as np
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


@pytest.fixture(scope="module")
def long_run():
    return longer.chosen(longer.published_long_run())


PAIRS = ("en-fi", "en-fr", "fr-de", "fr-es", "fr-pl")  # `self` does not exist into English


@pytest.mark.parametrize(("until", "step"), [(np.inf, 7500), (4500, 4300), (3000, 2700)])
def test_the_shipped_cells_are_of_the_same_pairs_and_seed(long_run, until, step):
    found = longer.shipped_cells(longer.shipped_run(long_run), long_run, until=until)
    assert set(found["pair"]) == set(PAIRS) and set(found["training_seed"]) == {0}
    assert set(found["step"]) == {step} and set(found["condition"]) == {"seen"}
    where = {"condition": ["seen"], "training_seed": [0], "step": [step], "first_layer": [1]}
    own = published("miniature", where=where)
    own = own[own["pair"].isin(PAIRS)]
    assert found["p_source"].mean() == pytest.approx(own["p_source"].mean(), abs=0.03)
    with pytest.raises(MeaningsError, match="no cells of the shipped run"):
        longer.shipped_cells(longer.shipped_run(long_run), long_run, until=-1)


def test_shares_of_the_final_height_by_pair_and_from_a_layer(long_run):
    table = longer.published_long_run()
    seen = table[(table["model"] == longer.FINISHED) & (table["condition"] == "seen")]
    shares = longer.shares_by_pair(long_run, 2950)
    assert set(shares.index) == set(PAIRS)
    for layer in (1, 3):
        at = seen[(seen["first_layer"] == layer) & seen["pair"].isin(PAIRS)]
        means = at.pivot_table(index="pair", columns="step", values="p_source", observed=True)
        whole = means[2950].mean() / means[30000].mean()
        assert longer.share_from_layer(table, 2950, layer) == pytest.approx(whole)
        if layer == 1:  # the chosen one, nearly everywhere
            by_pair = means[2950] / means[30000]
            assert (shares - by_pair).abs().max() < 0.05


def test_steps_that_are_compared_and_the_late_ones():
    table = models(finished=(1450, 2950, 30000), trunk=(10, 20, 30, 40, 50))
    assert longer.compared_steps(table) == (2950, 30000)
    assert longer.late_steps(table) == [30, 40, 50]


def test_what_the_pages_say_in_words_of_the_long_run(long_run):
    """A tenth, a half, a quarter and four times; and that a longer decay ends as high."""
    first, last = longer.compared_steps(long_run)
    assert first / last == pytest.approx(0.1, abs=0.005)
    assert longer.finished_steps(long_run)[-2] / last == 0.5
    shipped = longer.shipped_cells(longer.shipped_run(long_run), long_run)
    assert shipped["step"].iloc[0] / last == 0.25
    done = long_run[(long_run["model"] == longer.FINISHED) & (long_run["condition"] == "seen")]
    ends = [rows["p_source"].mean() for rows in (shipped, done[done["step"] == last])]
    assert ends[0] == pytest.approx(ends[1], abs=0.02)
