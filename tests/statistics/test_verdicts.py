"""Claims put to training runs: what holds, what does not, and what cannot be asked."""

import numpy as np
import pandas as pd
import pytest

from meanings.statistics.verdicts import CLAIMS, Claim, by_run, verdict

CONDITIONS = ("seen", "null_concept", "tgt", "en_en", "self", "src_unpatched")
SHARED, LEARNED, MEAN, ENGLISH, SELF_FIRST, DEPENDS, GAINS = (claim.claim for claim in CLAIMS)


def run(conditions=CONDITIONS, steps=(0, 1, 2, 3), pairs=("en-fr", "fr-es")) -> pd.DataFrame:
    """Cells in which `seen` rises from the second checkpoint on and its null does not."""
    random = np.random.default_rng(0)
    rows = [
        {
            "training_seed": 0,
            "step": step,
            "tokens": 1000 * step,
            "pair": pair,
            "condition": name,
            "first_layer": -1 if name == "src_unpatched" else 0,
            "source_concept": f"c{i}",
            "p_source": 0.01 * random.random() + 0.4 * (name != "null_concept") * (step > 1),
            "answer": "word",
            "answer_correct_source": name == "src_unpatched",
        }
        for step in steps
        for pair in pairs
        for name in conditions
        for i in range(12)
    ]
    return pd.DataFrame(rows)


def test_claims_hold_or_not_by_their_rules():
    found = by_run(run())
    assert found[[SHARED, LEARNED, GAINS]].tolist() == [True, True, True]
    assert found[SELF_FIRST] is False
    assert not found.isna().any()


@pytest.mark.parametrize(
    ("table", "unanswerable"),
    [
        (run(conditions=("seen", "null_concept")), [MEAN, ENGLISH, SELF_FIRST, GAINS]),
        (run(steps=(3,)), [LEARNED, SELF_FIRST]),
        (run(pairs=("en-fr",)), [DEPENDS]),
        (run().drop(columns="answer"), [GAINS]),
        (run().assign(answer=None), [GAINS]),
    ],
)
def test_what_a_table_lacks_makes_a_claim_unanswerable_and_not_refuted(table, unanswerable):
    found = by_run(table)
    assert [name for name, holds in found.items() if holds is None] == unanswerable
    assert all(claim.lacking(table) for claim in CLAIMS if claim.claim in unanswerable)


def test_an_error_inside_a_rule_surfaces():
    def broken(last, curves):
        return last["no such column"]

    with pytest.raises(KeyError, match="no such column"):
        by_run(run(), [Claim("a claim", "chapter", "nothing", broken, ("seen",))])


@pytest.mark.parametrize(
    ("seeds", "real", "words"),
    [
        ([True, True], None, "holds in every seed"),
        ([True, True], True, "holds in every seed, and in the real model"),
        ([True, True], False, "holds in every seed, not in the real model"),
        ([True, False], True, "holds in 1 of 2 seeds only"),
        ([False, False], None, "does not hold"),
        ([True, None], None, "holds in 1 of 2 seeds, cannot be asked in the others"),
        ([False, None], None, "does not hold, cannot be asked in the others"),
        ([True, False, None], None, "holds in 1 of 3 seeds only, cannot be asked in the others"),
        ([None, None], True, "cannot be asked"),
    ],
)
def test_what_cannot_be_asked_is_not_counted_as_refuted(seeds, real, words):
    assert verdict(seeds, real) == words
