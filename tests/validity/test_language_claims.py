"""The claims of *Language dependence*: recomputed by hand from the published tables, and undone by
tables in which they are not true.
"""

import numpy as np
import pandas as pd
import pytest

from meanings.core.errors import MeaningsError
from meanings.measures.results import published
from meanings.validity.claims import language_dependence as own

CLAIMS = {claim.id.removeprefix("language-"): claim for claim in own.CLAIMS}
LAYER = 0  # of the miniature: the layer that is chosen for `seen`, nearly always
COLUMNS = (
    "model", "training_seed", "step", "tokens", "pair", "prompt_seed", "condition", "first_layer",
    "source_concept", "p_source", "source_pairs", "seen_languages",
)  # fmt: skip


def table(name: str) -> pd.DataFrame:
    try:
        where = {"condition": ["seen", "tgt", "src_unpatched"]} if name == "miniature" else None
        found = published(name, COLUMNS, where)
    except MeaningsError as error:
        pytest.skip(str(error))
    found = found[found["step"] == found["step"].max()]
    return found.assign(condition=found["condition"].astype(str), pair=found["pair"].astype(str))


@pytest.fixture(scope="module")
def miniature() -> pd.DataFrame:
    return table("miniature")


@pytest.fixture(scope="module")
def read() -> pd.DataFrame:
    return table("reading")


def scores(rows: pd.DataFrame) -> pd.DataFrame:
    """Means over concepts by condition and pair, at one layer; the mean of equal prompts only."""
    rows = rows[rows["first_layer"].isin([-1, LAYER])]
    rows = rows[(rows["condition"] != "seen") | (rows["source_pairs"] == 3)]
    return rows.pivot_table(index="pair", columns="condition", values="p_source", observed=True)


TARGETS = ["fr-es", "en-fr", "fr-de", "de-es"]


def read_by_hand(read: pd.DataFrame) -> pd.DataFrame:
    """Patched and direct score of each language, over its target pairs."""
    means = scores(read)
    rows = []
    for code in own.TRAINED:
        pairs = [pair for pair in TARGETS if code not in pair.split("-")]
        patched = np.mean([means.loc[pair, f"from_{code}"] for pair in pairs])
        direct = np.mean([means.loc[f"{code}-{p.split('-')[1]}", "src_unpatched"] for p in pairs])
        rows.append({"language": code, "patched": patched, "direct": direct, "n": len(pairs)})
    return pd.DataFrame(rows).set_index("language")


def test_writing_is_recomputed(miniature):
    at = miniature[miniature["first_layer"].isin([-1, LAYER])]
    split = at["pair"].str.split("-", expand=True)
    rows = at[split[0].isin(["en", "fr", "de", "es"]) & split[1].isin(own.TRAINED)]
    means = rows.groupby([rows["pair"].str[-2:], "condition"])["p_source"].mean().unstack()
    ratio = means["seen"] / means["src_unpatched"]
    deviation = ratio - ratio.mean()
    effect, verdict = CLAIMS["writing"].decide({"miniature": miniature})
    assert effect.value == pytest.approx(deviation[deviation.abs().idxmax()], abs=0.02)
    assert effect.n_concepts == rows["source_concept"].nunique()
    assert verdict == "holds"


def test_reading_is_recomputed(read):
    by_hand = read_by_hand(read)
    ratio = by_hand["patched"] / by_hand["direct"]
    expected = ratio[["en", "fr", "es", "de"]].mean() - ratio[["fi", "et"]].mean()
    effect, _ = CLAIMS["reading"].decide({"reading": read})
    assert effect.value == pytest.approx(expected, abs=0.02)
    loss, _ = CLAIMS["reading-loss"].decide({"reading": read})
    three = by_hand.loc[["zh", "fi", "et"]]
    assert loss.value == pytest.approx((three["patched"] - three["direct"]).mean(), abs=0.02)
    order, _ = CLAIMS["reading-order"].decide({"reading": read})
    expected = by_hand["patched"].corr(by_hand["direct"], method="spearman")
    assert order.value == pytest.approx(expected, abs=0.05)


def test_averaging_is_recomputed(read):
    means = scores(read).loc[TARGETS]
    singles = means[[f"from_{code}" for code in own.TRAINED]].mean(axis=1)
    for name, other in {
        "averaging-single": singles,
        "averaging-english": means["from_en"],
        "averaging-own-pair": means["tgt_mean"],
        "averaging-control": means["one_pair"],
    }.items():
        effect, _ = CLAIMS[name].decide({"reading": read})
        assert effect.value == pytest.approx((means["seen"] - other).mean(), abs=0.02), name


def test_averaging_on_gemma_is_recomputed():
    table_ = table(own.GEMMA_READING)
    rows = table_[table_["pair"] == "de-en"]
    means = rows.groupby(["first_layer", "condition"])["p_source"].mean().unstack()
    best = means.loc[means["seen"].idxmax()]
    expected = best["seen"] - np.mean([best[f"from_{code}"] for code in ("fr", "ru", "zh")])
    effect, verdict = CLAIMS["averaging-gemma"].decide({own.GEMMA_READING: table_})
    assert effect.value == pytest.approx(expected, abs=0.03)
    assert effect.n_concepts == rows["source_concept"].nunique() and effect.n_pairs == 1
    assert verdict == "refuted"


def test_with_languages_shuffled_within_cells_no_claim_of_reading_holds(read):
    random = np.random.default_rng(0)
    own_rows = read["condition"].str.startswith("from_")
    shuffled = read.copy()
    cell = ["pair", "source_concept", "first_layer"]
    shuffled.loc[own_rows, "p_source"] = (
        read[own_rows].groupby(cell, observed=True)["p_source"].transform(random.permutation)
    )
    for name in ("reading", "reading-order"):
        assert CLAIMS[name].decide({"reading": shuffled})[1] != "holds", name


def test_a_language_that_is_written_badly_undoes_equivalence(miniature):
    worse = miniature.copy()
    finnish = worse["pair"].str.endswith("-fi") & (worse["condition"] == "seen")
    worse.loc[finnish, "p_source"] *= 0.5
    assert CLAIMS["writing"].decide({"miniature": worse})[1] != "holds"


def test_few_concepts_decide_nothing_and_a_missing_condition_is_undecided(read, miniature):
    few = sorted(miniature["source_concept"].astype(str).unique())[:4]
    small = miniature[miniature["source_concept"].astype(str).isin(few)]
    assert CLAIMS["writing"].decide({"miniature": small})[1] == "undecided"
    without = read[read["condition"] != "one_pair"]
    assert CLAIMS["averaging-control"].decide({"reading": without}) == (None, "undecided")


def test_every_claim_of_one_table_is_decided_run_by_run_where_there_are_several(miniature):
    found = CLAIMS["writing"].by_seed({"miniature": miniature})
    assert set(found) == set(miniature["training_seed"].unique())
    assert all(effect.n_seeds == 1 for effect, _ in found.values())
