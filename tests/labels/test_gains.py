"""Gains taken apart: the kinds add up, a gain is what the wrong answer says it is, and nothing is
gained where nothing changed.
"""

import numpy as np
import pandas as pd
import pytest

from meanings.book.figures import gains as gain_figures
from meanings.core.errors import MeaningsError
from meanings.labels.gains import (
    KINDS,
    RIGHT,
    changed_answers,
    decomposed,
    probability_change,
    share_of,
)
from meanings.labels.labeller import LABELS


def answers(
    before: list[str], after: list[str], p_before=0.2, p_after=0.6, condition="seen", tokens=100
) -> pd.DataFrame:
    """Labelled rows of as many concept pairs as labels: source prompts without a patch, then
    patched target prompts.
    """
    n = len(before)
    place = {
        "model": "m",
        "training_seed": 0,
        "step": 1,
        "tokens": tokens,
        "pair": "fr-es",
        "prompt_seed": 42,
        "prompt": range(n),
    }
    concepts = {
        "source_concept": [f"s{i}" for i in range(n)],
        "target_concept": [f"t{i}" for i in range(n)],
    }
    sides = [("src_unpatched", before, p_before), (condition, after, p_after)]
    return pd.concat(
        [
            pd.DataFrame(place | concepts).assign(condition=name, label=labels, p_source=p)
            for name, labels, p in sides
        ],
        ignore_index=True,
    )


def test_every_label_is_right_or_of_one_kind():
    kinds = [label for labels in KINDS.values() for label in labels]
    assert sorted([*kinds, *RIGHT]) == sorted(LABELS)


@pytest.mark.parametrize(
    "label, kind", [(label, kind) for kind, labels in KINDS.items() for label in labels]
)
def test_the_wrong_answer_says_what_kind_of_change_it_was(label, kind):
    gain, loss, neither = changed_answers(
        answers([label, "correct", label], ["synonym", label, "other"]), "seen"
    ).itertuples()
    assert (gain.direction, gain.kind) == (1, kind)
    assert (loss.direction, loss.kind) == (-1, kind)
    assert (neither.direction, neither.kind) == (0, "wrong")


def test_kinds_add_up_to_all_gains_and_losses_and_these_to_the_net_change():
    random = np.random.default_rng(1)
    rows = changed_answers(
        answers(list(random.choice(list(LABELS), 200)), list(random.choice(list(LABELS), 200))),
        "seen",
    )
    table = decomposed(rows, n=50).set_index(["change", "kind"])["mean"]
    for change in ("gain", "loss"):
        assert sum(table[change, kind] for kind in KINDS) == pytest.approx(table[change, "all"])
    assert table["gain", "all"] - table["loss", "all"] == pytest.approx(table["net", "all"])
    right = [rows[side].isin(RIGHT).mean() for side in ("before", "after")]
    assert table["net", "all"] == pytest.approx(right[1] - right[0])


def test_the_same_answers_before_and_after_gain_nothing():
    labels = list(LABELS)
    rows = changed_answers(answers(labels, labels, 0.3, 0.3), "seen")
    assert (decomposed(rows, n=20)["mean"] == 0).all() and (
        probability_change(rows, n=20)["mean"] == 0
    ).all()
    assert np.isnan(share_of(rows, ["translation"])[0])


def test_the_change_of_probability_is_split_by_what_was_said_before():
    rows = changed_answers(
        answers(
            ["correct", "copy", "other", "not_a_word"],
            ["other"] * 4,
            [0.9, 0.1, 0.0, 0.2],
            [0.5, 0.4, 0.2, 0.2],
        ),
        "seen",
    )
    table = probability_change(rows, n=20).set_index("kind")["mean"]
    assert (
        table["right"] == pytest.approx(-0.4 / 4)
        and table["copying"] == pytest.approx(0.3 / 4)
        and table["translation"] == pytest.approx(0.2 / 4)
    )
    assert (
        table.drop("all").sum()
        == pytest.approx(table["all"])
        == pytest.approx((rows["p_after"] - rows["p_before"]).mean())
    )


def test_a_share_of_gains_has_an_interval_over_concepts():
    rows = changed_answers(answers(["other"] * 30 + ["copy"] * 10, ["correct"] * 40), "seen")
    share, low, high = share_of(rows, ["translation"])
    assert share == 0.75 and 0.55 < low < 0.75 < high < 0.92
    assert share_of(rows, list(KINDS))[0] == 1.0


def test_prompts_answered_only_once_are_left_out_and_several_layers_are_refused():
    rows = answers(["other", "copy"], ["correct", "correct"])
    assert len(changed_answers(rows[rows.index != 3], "seen")) == 1
    with pytest.raises(MeaningsError, match="no concept pair was answered both"):
        changed_answers(rows, "tgt")
    with pytest.raises(MeaningsError, match="several first layers"):
        changed_answers(pd.concat([rows, rows[rows["condition"] == "seen"]]), "seen")


def test_figures_show_every_group_and_checkpoint():
    tables = [
        decomposed(
            changed_answers(
                answers(["copy", "other", "correct"], ["correct", "correct", "other"], tokens=t),
                "seen",
            ),
            n=20,
        ).assign(tokens=t, group=str(t))
        for t in (0, 100)
    ]
    table = pd.concat(tables)
    bars = gain_figures.gains_and_losses(table, ["0", "100"])
    assert (
        bars.png().startswith(b"\x89PNG")
        and "copying 33%" in bars.alt
        and "translation 33%" in bars.alt
    )
    assert "losses 33.3%" in gain_figures.gains_over_training(table).alt
