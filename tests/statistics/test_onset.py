"""Onset: what it is a share of, which curve comes first, and that checkpoints do not decide it."""

import numpy as np
import pandas as pd
import pytest

from meanings.core.errors import MeaningsError
from meanings.measures.results import published
from meanings.statistics import layer_choice, summaries
from meanings.statistics.onset import Rule, crossing, earlier_by, onset
from meanings.study.grid import DEFAULT_PAIRS

TOKENS = np.array([0, *(2.0 ** (i / 2) for i in range(20, 43))])
CONDITIONS = ["src_unpatched", "seen", "self"]
COLUMNS = (
    "model", "training_seed", "step", "tokens", "pair", "condition", "first_layer",
    "source_concept", "p_source",
)  # fmt: skip


def rising(tokens, middle, top, n_concepts=32, seed=0):
    """Curves of concepts that rise in log tokens towards `top`."""
    random = np.random.default_rng(seed)
    own = np.log2(middle) + 0.3 * random.standard_normal(n_concepts)
    time = np.log2(1 + np.asarray(tokens))[:, None]
    values = top / (1 + np.exp(-(time - own) / 1.5))
    return pd.DataFrame(
        {
            "tokens": np.repeat(tokens, n_concepts),
            "source_concept": list(range(n_concepts)) * len(tokens),
            "p": values.ravel(),
        }
    )


@pytest.mark.parametrize("stride", [2, 3, 4])
@pytest.mark.parametrize("fraction", [0.25, 0.5, 0.75])
def test_the_onset_does_not_depend_on_which_checkpoints_were_measured(stride, fraction):
    whole = rising(TOKENS, 2.0**18, 0.9)  # it still rises at the end of training
    rule = Rule(fraction=fraction)
    dense = onset(whole, "p", step="tokens", rule=rule).iloc[0]
    few = sorted({*TOKENS[::stride], TOKENS[-1]})
    thin = onset(whole[whole["tokens"].isin(few)], "p", step="tokens", rule=rule).iloc[0]
    assert abs(np.log2(thin["onset"] / dense["onset"])) < 0.25


@pytest.fixture(scope="module")
def chosen():
    table = published("miniature", COLUMNS, {"pair": DEFAULT_PAIRS})
    return layer_choice.at_chosen_layer(table, conditions=[*CONDITIONS, "null_concept"])


@pytest.mark.parametrize("fraction", [0.25, 0.5, 0.75])
def test_thinning_the_published_checkpoints_leaves_the_onset_in_its_interval(chosen, fraction):
    whole = summaries.onsets(chosen, CONDITIONS, fraction).set_index("condition")
    steps = sorted(chosen["step"].unique())
    for start in (0, 1):
        few = {steps[0], *steps[start::2], steps[-1]}
        thin = summaries.onsets(chosen[chosen["step"].isin(few)], CONDITIONS, fraction)
        for _, row in thin.iterrows():
            assert whole.loc[row["condition"], "low"] <= row["onset"]
            assert row["onset"] <= whole.loc[row["condition"], "high"]


def test_the_height_may_be_that_of_another_curve():
    low, high = rising(TOKENS, 2.0**14, 0.4), rising(TOKENS, 2.0**14, 0.8)
    table = pd.concat([low.assign(condition="low"), high.assign(condition="high")])
    own = onset(table, "p", ["condition"], step="tokens").set_index("condition")["onset"]
    shared = onset(table, "p", ["condition"], step="tokens", rule=Rule(height_of="high"))
    shared = shared.set_index("condition")["onset"]
    assert own["low"] == pytest.approx(own["high"])
    assert shared["high"] == own["high"] and shared["low"] > 2 * own["low"]
    with pytest.raises(MeaningsError, match="height_of 'other'.*they are high, low"):
        onset(table, "p", ["condition"], step="tokens", rule=Rule(height_of="other"))


def test_an_absolute_level_is_a_floor_with_no_way_to_go():
    steps = np.array([0.0, 1, 3, 7])
    curve = np.array([[0.0, 0.1, 0.3, 0.5]])
    assert crossing(curve, steps, Rule(0.2, 0.0, minimum_rise=0.0))[0] == pytest.approx(2**1.5 - 1)
    assert crossing(curve, steps, Rule(0.6, 0.0, minimum_rise=0.0))[0] == np.inf


def test_which_curve_needs_less_training():
    first, second = rising(TOKENS, 2.0**13, 0.8), rising(TOKENS, 2.0**15, 0.8, seed=1)
    table = pd.concat([first.assign(condition="a"), second.assign(condition="b")])
    share, low, high = earlier_by(table, "p", "a", "b")
    moments = onset(table, "p", ["condition"], step="tokens").set_index("condition")["onset"]
    assert share == pytest.approx(1 - moments["a"] / moments["b"]) and low <= share <= high
    assert 0.6 < share < 0.85  # four times the tokens
    late = earlier_by(table, "p", "b", "a")
    assert late[0] < 0 and late[0] == pytest.approx(1 - moments["b"] / moments["a"])
    same = pd.concat([first.assign(condition="a"), first.assign(condition="b")])
    assert earlier_by(same, "p", "a", "b") == (0, 0, 0)  # the same draws
    lower = pd.concat([table, first.assign(condition="c", p=first["p"] / 2)])
    rule = Rule(height_of="a")  # half of what `a` reaches is all that `c` reaches
    assert earlier_by(lower, "p", "a", "c", rule=rule)[0] > 0.5
    assert earlier_by(lower, "p", "a", "c")[0] == pytest.approx(0)
    flat = pd.concat([first.assign(condition="a"), second.assign(condition="b", p=0.01)])
    with pytest.raises(MeaningsError, match="do not both rise"):
        earlier_by(flat, "p", "a", "b")
