"""Matched ratios and their equivalence."""

import numpy as np
import pandas as pd
import pytest

from meanings.core.errors import MeaningsError
from meanings.statistics.effects import decide
from meanings.statistics.equivalence import (
    largest_deviation,
    matched_ratios,
    ratio_contrast,
)

RATIOS = {"fr": 0.9, "ru": 0.9, "zh": 0.9, "fi": 0.9}
DIRECT = {"fr": 0.8, "ru": 0.7, "zh": 0.5, "fi": 0.2}


def cells(ratios=RATIOS, concepts: int = 60, seeds=(0,), noise: float = 0.02) -> pd.DataFrame:
    """Direct and patched scores by output language; `ratios` is the truth."""
    random = np.random.default_rng(0)
    rows = []
    for seed in seeds:
        for i in range(concepts):
            for output, ratio in ratios.items():
                direct = DIRECT[output] * random.uniform(0.8, 1.2)
                for name, p in (("src_unpatched", direct), ("seen", ratio * direct)):
                    rows.append(
                        {
                            "training_seed": seed,
                            "step": 9,
                            "tokens": 9,
                            "pair": f"en-{output}",
                            "output": output,
                            "condition": name,
                            "source_concept": f"c{i}",
                            "p_source": p + random.normal(0, noise) * direct,
                        }
                    )
    return pd.DataFrame(rows)


def test_the_ratio_is_of_means_and_the_deviation_from_the_mean_of_ratios():
    table = cells(noise=0.0)
    found = matched_ratios(table, "seen", "src_unpatched").set_index("output")
    means = table.groupby(["condition", "output"])["p_source"].mean()
    for output in RATIOS:
        row = found.loc[output]
        assert row["patched"] == pytest.approx(means["seen", output])
        assert row["direct"] == pytest.approx(means["src_unpatched", output])
        assert row["ratio"] == pytest.approx(0.9)
        assert (row["n_units"], row["n_seeds"], row["n_language_pairs"]) == (60, 1, 1)
    assert found["deviation"].abs().max() < 1e-9


def test_languages_that_do_as_well_as_each_other_are_equivalent_and_one_that_does_not_refutes_it():
    same = largest_deviation(matched_ratios(cells(), "seen", "src_unpatched"))
    assert decide(same, "within", 0.15) == "holds"
    other = cells(RATIOS | {"fi": 0.4})
    apart = largest_deviation(matched_ratios(other, "seen", "src_unpatched"))
    assert apart.value == pytest.approx(-0.375, abs=0.02)
    assert decide(apart, "within", 0.15) != "holds"


def test_few_concepts_leave_equivalence_undecided():
    few = largest_deviation(matched_ratios(cells(concepts=4, noise=0.6), "seen", "src_unpatched"))
    assert decide(few, "within", 0.15) == "undecided"


def test_the_hull_holds_every_interval_and_counts_all_pairs():
    ratios = matched_ratios(cells(seeds=(0, 1, 2)), "seen", "src_unpatched")
    effect = largest_deviation(ratios)
    assert effect.low == ratios["deviation_low"].min()
    assert effect.high == ratios["deviation_high"].max()
    assert (effect.n_pairs, effect.n_seeds, effect.n_concepts) == (4, 3, 60)


def test_what_all_languages_share_does_not_widen_a_deviation():
    table = cells(concepts=12, noise=0.0)
    shared = dict(
        zip(sorted(table["source_concept"].unique()), np.linspace(0.3, 1, 12), strict=True)
    )
    patched = table["condition"] == "seen"
    table.loc[patched, "p_source"] *= table.loc[patched, "source_concept"].map(shared)
    found = matched_ratios(table, "seen", "src_unpatched")
    widths = {n: (found[f"{n}_high"] - found[f"{n}_low"]).min() for n in ("ratio", "deviation")}
    assert widths["ratio"] > 0.15 and widths["deviation"] < widths["ratio"] / 3


def test_a_cell_that_only_one_of_the_two_has_does_not_count():
    table = cells(noise=0.0)
    extra = table[(table["output"] == "fr") & (table["condition"] == "seen")]
    extra = extra.assign(pair="xx-fr", p_source=0.0)
    found = matched_ratios(pd.concat([table, extra]), "seen", "src_unpatched")
    assert found.set_index("output").loc["fr", "ratio"] == pytest.approx(0.9)


def test_the_contrast_is_the_difference_of_mean_ratios():
    table = cells({"fr": 0.9, "ru": 0.8, "zh": 0.5, "fi": 0.3}, noise=0.01)
    effect = ratio_contrast(table, "seen", "src_unpatched", (("fr", "ru"), ("zh", "fi")))
    ratios = matched_ratios(table, "seen", "src_unpatched").set_index("output")["ratio"]
    expected = ratios[["fr", "ru"]].mean() - ratios[["zh", "fi"]].mean()
    assert effect.value == pytest.approx(expected)
    assert effect.low < 0.45 < effect.high


def test_a_condition_that_was_not_measured_is_named():
    with pytest.raises(MeaningsError, match="condition 'tgt' is not in the table"):
        matched_ratios(cells(), "tgt", "src_unpatched")
