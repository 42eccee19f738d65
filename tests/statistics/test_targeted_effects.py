"""Targeted words against their controls: the change of each, their difference, and what it takes to
see one.
"""

import numpy as np
import pandas as pd
import pytest

from meanings.core.errors import MeaningsError
from meanings.statistics.targeted import (
    answered,
    at_one_layer,
    changes,
    compared,
    detectable,
    over_training,
    rates,
)

N = 40


def table(
    right: dict[str, float],
    *,
    seeds: tuple[int, ...] = (0,),
    kind: str = "false_friend",
    layers: tuple[int, ...] = (0, 1),
    copied: float = 0.0,
    step: int = 7,
) -> pd.DataFrame:
    """Items of which given shares are right: of `query` and `control`, `before` and `after`.

    Layer 1 has the higher P(source); answers are right there only.
    """
    rows = []
    for seed in seeds:
        for item in range(N):
            for role in ("query", "control"):
                place = {
                    "model": "m",
                    "training_seed": seed,
                    "step": step,
                    "tokens": 100 * step,
                    "pair": "de-en",
                    "item": item,
                    "role": role,
                    "prompt": 2 * item + (role == "control"),
                    "kind": kind,
                    "word": f"{role}{item}",
                    "source_concept": f"{role} {item}",
                }
                share = (item + 0.5) / N
                wrong = f"{role}{item}" if share < copied else "other"
                good = share > 1 - right[f"{role} before"]
                rows.append(
                    place
                    | {
                        "condition": "src_unpatched",
                        "first_layer": -1,
                        "answer": "word" if good else wrong,
                        "answer_correct_source": good,
                        "p_source": np.nan,
                    }
                )
                for layer in layers:
                    good = layer == 1 and share > 1 - right[f"{role} after"]
                    for name in ("seen", "null_concept"):
                        rows.append(
                            place
                            | {
                                "condition": name,
                                "first_layer": layer,
                                "answer": "word" if good else "other",
                                "answer_correct_source": good and name == "seen",
                                "p_source": 0.5 * layer + 0.01 * (item % 3),
                            }
                        )
    return pd.DataFrame(rows)


SHARES = {"query before": 0.4, "query after": 0.8, "control before": 0.9, "control after": 0.8}


def found(**values) -> pd.DataFrame:
    return changes(at_one_layer(answered(table(SHARES, **values), "m")))


def test_the_difference_takes_off_what_the_controls_do():
    rows = compared(found()).set_index("what")
    assert rows["mean"].to_dict() == pytest.approx(
        {"query": 0.4, "control": -0.1, "difference": 0.5}
    )
    assert (rows["n"] == N).all() and (rows["n_units"] == N).all()
    assert rows.loc["difference", "low"] < 0.5 < rows.loc["difference", "high"]


def test_the_layer_is_chosen_by_probability_and_the_null_has_that_of_seen():
    rows = at_one_layer(answered(table(SHARES), "m"))
    patched = rows[rows["first_layer"] >= 0]
    assert set(patched["first_layer"]) == {1}
    assert set(patched["condition"]) == {"seen", "null_concept"}
    assert len(patched) == 2 * 2 * N


def test_a_query_word_and_its_control_have_the_same_layer():
    shuffled, layers = table(SHARES), set()
    for seed in range(6):
        noise = np.random.default_rng(seed).random(len(shuffled))
        rows = at_one_layer(answered(shuffled.assign(p_source=noise), "m"))
        seen = rows[rows["condition"] == "seen"]
        assert (seen.groupby("item")["first_layer"].nunique() == 1).all()
        layers |= set(seen["first_layer"])
    assert layers == {0, 1}


def test_no_word_chooses_its_own_layer():
    # Layer 0 is better for the words of one half by so much that it would win with them.
    rows = answered(table(SHARES), "m")
    first = at_one_layer(rows)
    halves = first[first["condition"] == "seen"].drop_duplicates("item")
    one = halves["item"].iloc[0]
    raised = rows.assign(
        p_source=rows["p_source"].mask((rows["item"] == one) & (rows["first_layer"] == 0), 1e6)
    )
    again = at_one_layer(raised)
    own = again[(again["item"] == one) & (again["condition"] == "seen")]
    assert set(own["first_layer"]) == {1}
    assert 0 in set(again.loc[again["condition"] == "seen", "first_layer"])


def test_copies_are_of_the_row_s_own_word():
    rows = changes(at_one_layer(answered(table(SHARES, copied=0.25), "m")))
    shares = rates(rows).set_index("role")
    assert shares["copied_before"].to_dict() == pytest.approx({"query": 0.25, "control": 0.1})
    assert (shares["copied_after"] == 0).all()
    change = compared(rows, "copied").set_index("what")["mean"]
    assert change["query"] == pytest.approx(-0.25)


def test_seeds_are_crossed_with_words():
    one, three = (compared(found(seeds=seeds)) for seeds in ((0,), (0, 1, 2)))
    assert (three["n_seeds"] == 3).all() and (one["n_seeds"] == 1).all()
    assert three["mean"].tolist() == pytest.approx(one["mean"].tolist())
    assert (three["n"] == N).all()


def test_an_item_without_its_control_is_left_out():
    rows = answered(table(SHARES), "m")
    lost = rows[~((rows["item"] == 3) & (rows["role"] == "control"))]
    assert set(changes(at_one_layer(lost))["item"]) == set(range(N)) - {3}
    with pytest.raises(MeaningsError, match="under 'tgt' with its control"):
        changes(rows, "tgt")


def test_gains_and_losses_are_what_right_answers_become():
    rows = found()
    net = rows["right_after"] - rows["right_before"]
    assert (rows["gain"] - rows["loss"] == net).all() and (rows["gain"] * rows["loss"] == 0).all()


def test_a_model_that_is_not_there_is_named():
    with pytest.raises(MeaningsError, match="no rows of 'gemma'; it has m"):
        answered(table(SHARES), "gemma")


def test_the_detectable_effect_is_found_with_80_percent_power():
    random = np.random.default_rng(1)
    n, sd = 100, 0.5
    width = pd.DataFrame({"low": [-1.96 * sd / 10], "high": [1.96 * sd / 10], "n_units": [n]})
    (size,) = detectable(width)
    means = size + random.standard_normal(20_000) * sd / np.sqrt(n)
    assert (np.abs(means) > 1.96 * sd / np.sqrt(n)).mean() == pytest.approx(0.8, abs=0.01)
    nothing = pd.DataFrame({"low": [0.0], "high": [0.0], "n_units": [60]})
    assert detectable(nothing)[0] == pytest.approx(3 / 60)


def test_each_checkpoint_chooses_its_own_layer():
    early = {**SHARES, "query after": 0.4}
    rows = pd.concat([table(early, step=3), table(SHARES, step=7)])
    rows = rows.assign(
        p_source=rows["p_source"].where(rows["step"] == 7, 0.5 - rows["first_layer"])
    )
    curve = over_training(rows, "m").set_index(["step", "what"])["mean"]
    assert curve[7, "difference"] == pytest.approx(0.5)
    assert curve[3, "query"] == pytest.approx(-0.4)  # layer 0 says nothing right
