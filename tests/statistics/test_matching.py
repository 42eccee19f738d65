"""Conditions compared in the cells that they share."""

import numpy as np
import pandas as pd
import pytest

from meanings.core.errors import MeaningsError
from meanings.labels import gains
from meanings.statistics import claims, summaries
from meanings.statistics.bootstrap import interval, paired_difference
from meanings.statistics.depth import depth
from meanings.statistics.layer_choice import at_chosen_layer
from meanings.statistics.matching import shared_cells

STEPS = (0, 1, 2, 3, 4, 5)
# P(source) at the end: into English everything is hard, and `self` does not exist.
ENDS = {
    ("seen", "en-fr"): 0.6,
    ("self", "en-fr"): 0.5,
    ("seen", "de-en"): 0.1,
    ("null_concept", "en-fr"): 0.0,
    ("null_concept", "de-en"): 0.0,
}


def reversing(late: int = 4) -> pd.DataFrame:
    """Cells in which `seen` is above `self` wherever both are, and their means over all cells say
    the opposite; into English `seen` rises at step `late`, elsewhere at the second.
    """
    random = np.random.default_rng(0)
    return pd.DataFrame(
        [
            {
                "training_seed": 0,
                "step": step,
                "tokens": 1000 * step,
                "pair": pair,
                "condition": condition,
                "first_layer": 0,
                "source_concept": f"c{i:02}",
                "p_source": random.normal(0, 0.01)
                + (end if step >= (late if pair == "de-en" else 2) else 0.0),
            }
            for (condition, pair), end in ENDS.items()
            for step in STEPS
            for i in range(20)
        ]
    )


@pytest.fixture
def last():
    table = reversing()
    return table[table["step"] == STEPS[-1]]


def test_the_unmatched_means_of_the_table_give_the_reversed_order(last):
    means = last.groupby("condition")["p_source"].mean()
    assert means["seen"] < means["self"]


def test_curves_and_differences_and_claims_are_of_shared_cells(last):
    curves = summaries.curves(last, ["seen", "self"]).set_index("condition")
    assert curves.loc["seen", "mean"] > curves.loc["self", "mean"] + 0.05
    assert curves["n_language_pairs"].tolist() == [1, 1] and curves["n_units"].tolist() == [20, 20]
    row = paired_difference(last, "p_source", "seen", "self").iloc[0]
    assert row["mean"] == pytest.approx(0.1, abs=0.02)
    assert row["n_language_pairs"] == 1
    assert claims.conditions_differ(last, "seen", "self") == 1


def test_conditions_that_exist_nowhere_are_left_out_and_one_alone_keeps_its_cells(last):
    alone = summaries.curves(last, ["seen", "tgt"])
    assert alone["n_language_pairs"].tolist() == [2]
    assert set(shared_cells(last, ["seen", "self", "tgt"])["pair"]) == {"en-fr"}
    assert set(shared_cells(last, ["seen", "null_concept"])["pair"]) == {"en-fr", "de-en"}


def test_conditions_without_a_shared_cell_are_refused(last):
    apart = last[(last["condition"] != "seen") | (last["pair"] == "de-en")]
    with pytest.raises(MeaningsError, match="seen, self have no language pair, concept, training"):
        summaries.curves(apart, ["seen", "self"])
    with pytest.raises(MeaningsError, match="seen, self have no language pair, concept, training"):
        claims.conditions_differ(apart, "seen", "self")


def test_onsets_are_of_shared_cells():
    """Into English `seen` rises late, so that over all cells its onset is later than that of
    `self`.
    """
    table = reversing(late=4).assign(p_source=lambda t: t["p_source"] * 5)
    found = summaries.onsets(table, ["seen", "self"]).set_index("condition")
    assert found.loc["seen", "onset"] == pytest.approx(found.loc["self", "onset"], rel=0.05)
    assert found["n_language_pairs"].tolist() == [1, 1]
    unmatched = summaries.onsets(table, ["seen"]).iloc[0]
    assert unmatched["onset"] > found.loc["seen", "onset"]
    assert unmatched["n_language_pairs"] == 2


def test_a_layer_is_chosen_in_the_cells_that_compared_conditions_share(last):
    """Into English layer 1 is far better, elsewhere layer 0: `self`, and what is compared with it,
    has layer 0.
    """
    better = {("en-fr", 0): 0.2, ("de-en", 1): 0.9}
    layers = pd.concat([last.assign(first_layer=layer) for layer in (0, 1)])
    gain = [better.get(key, 0.0) for key in zip(layers["pair"], layers["first_layer"], strict=True)]
    layers["p_source"] += gain
    assert set(at_chosen_layer(layers).query("condition == 'seen'")["first_layer"]) == {1}
    compared = at_chosen_layer(layers, conditions=["seen", "self"])
    assert set(compared["first_layer"]) == {0} and set(compared["condition"]) == {"seen", "self"}


@pytest.mark.parametrize("first_layer", [-1, 0])
def test_without_a_patched_condition_no_layer_is_chosen(last, first_layer):
    unpatched = last.assign(condition="src_unpatched", first_layer=-1)
    nulls = last[last["condition"] == "null_concept"].assign(first_layer=0)
    with pytest.raises(MeaningsError, match="no patched condition is in the table.*seen"):
        at_chosen_layer(unpatched, first_layer)
    if first_layer < 0:
        with pytest.raises(MeaningsError, match="no patched condition is in the table.*seen"):
            at_chosen_layer(nulls, first_layer)
    else:
        assert len(at_chosen_layer(pd.concat([unpatched, nulls]), 0)) == len(unpatched) + len(nulls)


def test_a_depth_is_of_cells_that_a_condition_shares_with_its_null(last):
    layers = pd.concat([last.assign(first_layer=layer) for layer in (0, 1)])
    only = layers[(layers["condition"] != "null_concept") | (layers["pair"] == "en-fr")]
    seen_there = layers[layers["pair"] == "en-fr"]
    pd.testing.assert_frame_equal(depth(only), depth(seen_there))


def test_published_means_over_all_pairs_are_of_conditions_that_have_all_pairs(last):
    """`self` lacks a pair: it takes none from the others, and stands beside no other mean."""
    cells = last.assign(p_target=0.0, answer_correct_source=None)
    found = summaries.means(cells)
    over_all = found[found["pair"] == "all"].set_index("what")
    assert "self" not in over_all.index
    assert over_all.loc["seen", "n_language_pairs"] == 2
    assert over_all.loc["seen - null_concept", "n_language_pairs"] == 2
    assert over_all.loc["self - seen", "n_language_pairs"] == 1
    assert "self" in set(found[found["pair"] == "en-fr"]["what"])
    assert set(found[found["what"] == "seen"]["pair"]) == {"en-fr", "de-en", "all"}


def test_gains_of_several_conditions_are_of_the_concept_pairs_that_all_have():
    def answers(pairs, gained):
        return pd.DataFrame(
            [
                {
                    "model": "m",
                    "training_seed": 0,
                    "pair": pair,
                    "source_concept": f"c{i}",
                    "before": "other",
                    "after": "correct" if gained[pair] else "other",
                    "direction": int(gained[pair]),
                    "kind": "translation" if gained[pair] else "wrong",
                }
                for pair in pairs
                for i in range(6)
            ]
        )

    both = {
        "seen": answers(("en-fr", "de-en"), {"en-fr": True, "de-en": False}),
        "self": answers(("en-fr",), {"en-fr": True}),
    }
    net = gains.decomposed_by_group(both).query("change == 'net'").set_index("group")["mean"]
    assert net.to_dict() == {"seen": 1.0, "self": 1.0}
    assert interval(both["seen"], "direction")["mean"].tolist() == [0.5]
