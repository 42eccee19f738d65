"""Comparisons between trained worlds, on tables whose truth is planted."""

import numpy as np
import pandas as pd
import pytest

from meanings.core.errors import MeaningsError
from meanings.statistics import world_alignment, worlds

CONCEPTS = [f"c{number}" for number in range(24)]
STEPS = [0, 300, 600, 900, 1200]


def patching(heights: dict[str, float], rises: dict[str, float], seeds=(0, 1)) -> pd.DataFrame:
    """Curves that rise in a straight line from 0 to `height`, there at the step `rises`; the null
    is .01 and the touched half twice as high.
    """
    rng = np.random.default_rng(0)
    rows = []
    for world, height in heights.items():
        for seed in seeds:
            for concept in CONCEPTS:
                own = height * rng.uniform(0.8, 1.2)
                for step in STEPS:
                    seen = own * min(1.0, step / rises[world])
                    for half, times in (("untouched", 1), ("touched", 2)):
                        for condition, p in (("seen", times * seen + 0.01), ("null_concept", 0.01)):
                            rows.append((world, seed, step, half, "en-qaa", condition, concept, p))
    names = "world training_seed step half pair condition source_concept p_source".split()
    return pd.DataFrame(rows, columns=names)


def tasks(accuracies: dict[str, float], seeds=(0, 1)) -> pd.DataFrame:
    """Of each world's held-out concepts, so large a share is right in the copies; told concepts and
    the first language are always right.
    """
    rows = []
    for world, share in accuracies.items():
        for seed in seeds:
            for place, concept in enumerate(CONCEPTS):
                told = place % 2 == 0
                right = told or place < 24 * share
                for language in ("en", "qaa", "qab"):
                    answer = "A" if right or language == "en" else "B"
                    rows.append((world, seed, "class", language, concept, told, False, "A", answer))
    names = "world training_seed task language concept told touched letter answer_letter".split()
    return pd.DataFrame(rows, columns=names)


def test_patching_is_over_the_null_and_of_one_half():
    table = patching({"clone": 0.4}, {"clone": 600})
    end = worlds.at_end(worlds.patched(table))
    assert np.isclose(end["score"].mean(), 0.4, rtol=0.1)
    touched = worlds.at_end(worlds.patched(table, touched=True))
    assert np.allclose(touched["score"].to_numpy(), 2 * end["score"].to_numpy())
    assert worlds.patched(table)["step"].nunique() == 5 and set(end["step"]) == {1200}


def test_transfer_asks_for_held_out_concepts_in_the_other_languages():
    found = worlds.transferred(tasks({"clone": 0.25}), "class")
    assert found[worlds.CONCEPT].nunique() == 12  # the told ones are left out
    assert found["score"].mean() == pytest.approx(3 / 12)
    told = tasks({"clone": 0.25}).assign(task="facts")
    assert worlds.transferred(told, "facts")[worlds.CONCEPT].nunique() == 24
    assert worlds.transferred(tasks({"clone": 0.5}), "class", touched=True).empty


def test_words_apart_have_no_token_in_common_with_touched_ones():
    table = tasks({"clone": 0.25}).assign(task="facts")
    pieces = {concept: (0.0, 0.5, 1.0)[place % 3] for place, concept in enumerate(CONCEPTS)}
    table["pieces"] = table["concept"].map(pieces)
    found = worlds.transferred(table, "facts", apart=True)
    assert set(found[worlds.CONCEPT]) == {c for c in CONCEPTS if pieces[c] == 0}


def test_a_gain_is_of_the_same_concepts_and_seeds():
    rng = np.random.default_rng(1)
    base = pd.DataFrame(
        [("clone", seed, c, rng.uniform()) for seed in (0, 1) for c in CONCEPTS],
        columns=["world", "training_seed", worlds.CONCEPT, "score"],
    )
    more = base.assign(world="more", score=base["score"] + 0.3)
    other = base.assign(world="more", training_seed=base["training_seed"] + 2, score=5.0)
    row = worlds.gains(pd.concat([base, more, other]), ["more"], "clone").iloc[0]
    assert row["mean"] == pytest.approx(0.3) and row["low"] == pytest.approx(row["high"])
    assert (row["n_units"], row["n_seeds"]) == (24, 2)
    with pytest.raises(MeaningsError, match="absent"):
        worlds.gains(base, ["absent"], "clone")


def test_an_interaction_is_the_difference_of_two_gains():
    rng = np.random.default_rng(2)
    plain = pd.DataFrame(
        [("a", seed, c, rng.uniform()) for seed in (0, 1) for c in CONCEPTS],
        columns=["world", "training_seed", worlds.CONCEPT, "score"],
    )
    moved = [
        plain.assign(world=name, score=plain["score"] + by)
        for name, by in (("b", 0.1), ("c", 0.2), ("d", 0.5))
    ]
    row = worlds.interaction(pd.concat([plain, *moved]), ("d", "c"), ("b", "a"))
    assert row["mean"] == pytest.approx(0.5 - 0.2 - 0.1)
    assert row["low"] == pytest.approx(row["high"])


def training(seconds: dict[str, float]) -> pd.DataFrame:
    """Three runs of each world, of which one was nine times slower."""
    rows = [
        (world, seed, step, step * 1024, step * each * slower)
        for world, each in seconds.items()
        for seed, slower in ((0, 1), (1, 9), (2, 1))
        for step in STEPS
    ]
    return pd.DataFrame(rows, columns=["world", "training_seed", "step", "tokens", "seconds"])


def test_an_earlier_rise_is_told_in_steps_tokens_and_seconds():
    heights, rises = {"clone-20": 0.4, "aligned": 0.4}, {"clone-20": 1200, "aligned": 600}
    scores = worlds.patched(patching(heights, rises))
    table = training({"clone-20": 1.0, "aligned": 3.0})
    found = worlds.shifts(scores, table, ["aligned"], "clone-20").set_index("of")
    base, onset = found["base"], found["onset"]
    assert base["steps"] == pytest.approx(600, abs=25) and onset["steps"] == pytest.approx(
        300, abs=25
    )
    assert found.loc["steps", "earlier"] == pytest.approx(base["steps"] - onset["steps"])
    assert found.loc["tokens", "earlier"] == pytest.approx(1024 * found.loc["steps", "earlier"])
    assert found.loc["seconds", "earlier"] == pytest.approx(base["steps"] - 3 * onset["steps"])
    assert (found["low"] <= found["earlier"]).all() and (found["earlier"] <= found["high"]).all()


def test_a_curve_that_never_rises_has_no_shift():
    heights, rises = {"clone-20": 0.4, "flat": 0.001}, {"clone-20": 600, "flat": 600}
    scores = worlds.patched(patching(heights, rises))
    table = training({"clone-20": 1.0, "flat": 1.0})
    found = worlds.shifts(scores, table, ["flat"], "clone-20")
    assert found[["earlier", "low", "high"]].isna().all(axis=None)
    with pytest.raises(MeaningsError, match="no world 'clone-20'"):
        worlds.shifts(scores, table[table["world"] == "flat"], ["flat"], "clone-20")


GROUPS = world_alignment.Groups(("a", "b", "c", "d"), ("e", "f", "g", "h"))


def test_a_correlation_between_groups_is_none_within_them():
    x = [0.1, 0.2, 0.3, 0.4, 0.7, 0.8, 0.9, 1.0]
    y = [0.4, 0.3, 0.2, 0.1, 1.0, 0.9, 0.8, 0.7]
    points = pd.DataFrame(
        {"world": [*"abcdefgh"], "embeddings": x, "states": y, "transfer": y, "english": 0.5,
         "transfers": True}
    )  # fmt: skip
    found = world_alignment.rank_correlations(points, GROUPS).set_index(["alignment", "scope"])
    for scope in ("without", "transferring", "with"):
        assert found.loc[("embeddings", scope), "rho"] == pytest.approx(-1)
        assert found.loc[("embeddings", scope), "n_worlds"] == 4
    whole, group = found.loc[("embeddings", "all")], found.loc[("group", "all")]
    assert 0.4 < whole["rho"] < 0.7 and group["rho"] > 0.8 and group["over_group"] == 0
    assert whole["over_group"] == pytest.approx(whole["rho"] - group["rho"])
    assert found.loc[("states", "all"), "rho"] == pytest.approx(1)
    assert ("english", "all") not in found.index  # it does not vary
    there = found.dropna(subset=["rho"])
    assert (there["low"] <= there["rho"]).all() and (there["rho"] <= there["high"]).all()


def test_answers_dealt_out_anew_are_right_as_often_as_letters_meet():
    table = tasks({"clone": 0.25})
    held = ~table["told"] & (table["language"] != "en")
    table.loc[held, "letter"] = ["A", "A", "B", "C"] * (int(held.sum()) // 4)
    table.loc[held, "answer_letter"] = "A"
    assert worlds.by_chance(table, "class")["clone"] == pytest.approx(0.5)
    table.loc[held, "answer_letter"] = "Z"
    assert worlds.by_chance(table, "class")["clone"] == 0


def test_worlds_are_compared_in_the_runs_that_all_have():
    rows = pd.concat([tasks({"clone": 0.5}, (0, 1, 2)), tasks({"more": 0.5}, (1, 2, 3))])
    assert set(worlds.in_common(rows)["training_seed"]) == {1, 2}
    scores = worlds.transferred(rows, "class")
    assert set(worlds.levels(scores, ["clone", "more"])["n_seeds"]) == {2}
    assert worlds.levels(scores, ["clone"])["n_seeds"].tolist() == [3]


def test_a_gain_beyond_another_score_is_the_difference_of_the_gains():
    rng = np.random.default_rng(3)
    base = pd.DataFrame(
        [("a", seed, c, rng.uniform()) for seed in (0, 1) for c in CONCEPTS],
        columns=["world", "training_seed", worlds.CONCEPT, "score"],
    )
    one, other = (
        pd.concat([base, base.assign(world="b", score=base["score"] + by)]) for by in (0.4, 0.1)
    )
    row = worlds.gain_beyond(one, other, "b", "a")
    assert row["mean"] == pytest.approx(0.3) and row["low"] == pytest.approx(row["high"])


def test_alignments_are_of_the_end_the_middle_layer_and_one_variant():
    embeddings = pd.DataFrame(
        {"world": "clone", "training_seed": [0, 1, 0], "variant": ["raw", "raw", "rotated"],
         "value": [0.2, 0.4, 0.9]}
    )  # fmt: skip
    retrieval = pd.DataFrame(
        [("clone", 0, step, variant, layer, value)
         for step, variant, layer, value in (
             (600, "csls", 2, 0.1), (1200, "csls", 2, 0.5), (1200, "csls", 1, 0.9),
             (1200, "raw", 2, 0.8))],
        columns=["world", "training_seed", "step", "variant", "layer", "value"],
    )  # fmt: skip
    tables = {"clones-embeddings": embeddings, "clones-retrieval": retrieval,
              "clones-tasks": tasks({"clone": 0.25})}  # fmt: skip
    (row,) = world_alignment.alignments(tables, ["clone"]).to_dict("records")
    assert row["embeddings"] == pytest.approx(0.3) and row["states"] == 0.5
    assert row["transfer"] == pytest.approx(0.25) and row["english"] == 1
    assert not row["transfers"] and row["chance"] == pytest.approx(0.25)
    with pytest.raises(MeaningsError, match="no world 'full'"):
        world_alignment.alignments(tables, ["clone", "full"])
