"""The published controls and the table of words in common."""

import pandas as pd

from meanings.measures.results import published
from meanings.models.checkpoints import trajectory
from meanings.validity import controls


def test_three_letters_in_a_row_or_a_whole_short_word():
    assert controls.letter_runs(["Nation", "os"]) == {"nat", "ati", "tio", "ion", "os"}
    assert not controls.letter_runs(["nacja"]) & controls.letter_runs(["Nation"])
    assert controls.letter_runs(["racja"]) & controls.letter_runs(["nacja"]) == {"acj", "cja"}


def test_a_word_shares_where_another_language_has_its_token_or_letters(lexicon, tokenizer):
    found = controls.word_overlap(lexicon, tokenizer, ("fr", "es", "fi"), ["cat", "moon"])
    found = found.set_index(["source_concept", "output"])
    assert len(found) == 6
    assert found.loc[("moon", "es"), "shares_letters"]  # lune, luna
    assert not found.loc[("moon", "fi")].any()  # kuu
    alone = controls.word_overlap(lexicon, tokenizer, ("es",), ["moon"])
    assert not alone[["shares_token", "shares_letters"]].to_numpy().any()


def test_the_published_controls_are_of_the_published_run_and_agree_with_it():
    """`seen` and its null were measured twice: as a control, and by the study."""
    table = published("controls")
    where = {"condition": ["seen", "null_concept"], "step": [table["step"].iloc[0]]}
    study = published("miniature", where=where)
    cell = ["training_seed", "pair", "condition", "first_layer", "source_concept"]
    both = table.astype(dict.fromkeys(cell[1:3], str)).merge(
        study.astype({"pair": str, "condition": str, "source_concept": str}), on=cell
    )
    seeds = table["training_seed"].nunique()
    assert len(both) == seeds * 6 * 2 * 8 * 64
    assert (both["p_source_x"] - both["p_source_y"]).abs().max() < 1e-5
    assert set(both["weights_sha256_x"]) == set(both["weights_sha256_y"].astype(str))
    nulls = both[both["condition"] == "null_concept"]
    assert (nulls["own_concept"] == nulls["null_concept"].astype(str)).all()
    assert set(table["step"]) == {trajectory("miniature").last.step}


def test_measuring_a_seed_again_leaves_the_others(tmp_path):
    kept = pd.DataFrame({"training_seed": [1], "pair": ["fr-es"], "p_source": [0.5]})
    path = tmp_path / "controls.parquet"
    controls._write(kept, path)
    again = pd.DataFrame({"training_seed": [0], "pair": ["fr-es"], "p_source": [0.25]})
    assert controls.beside_others(again, path, 0)["training_seed"].tolist() == [1, 0]
    assert controls.beside_others(again.assign(training_seed=1), path, 1)["p_source"].tolist() == [
        0.25
    ]
    assert controls.beside_others(again, tmp_path / "none.parquet", 0).equals(again)
