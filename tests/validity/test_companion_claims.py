"""Claims of the chapters on companion measures: with pandas alone, and on changed tables."""

from functools import cache

import numpy as np
import pandas as pd
import pytest

from meanings.core.paths import data_folder
from meanings.validity.claims import (
    abilities,
    catalogue,
    cka,
    language_identity,
    meaning_in_context,
    neuron_overlap,
    retrieval,
    structure,
)
from stand_ins.published_claims import decided

MODULES = (
    cka, retrieval, language_identity, neuron_overlap, structure, abilities, meaning_in_context
)  # fmt: skip
CLAIMS = [claim for module in MODULES for claim in module.CLAIMS]
TRAINED = ["en", "fr", "es", "de", "ru", "pl", "zh", "fi", "et"]


@cache
def published(measure):
    return pd.read_parquet(data_folder() / "published" / f"{measure}.parquet")


def table(measure, variant, model="miniature"):
    """Rows of trained languages with `pair`, every language of other models."""
    rows = published(measure)
    rows = rows[(rows["variant"] == variant) & (rows["model"] == model)]
    text = ["variant", "model", "split", "language_a", "language_b"]
    rows = rows.astype({name: str for name in text})
    if model == "miniature":
        fits = [rows[name].isin([*TRAINED, ""]) for name in ("language_a", "language_b")]
        rows = rows[fits[0] & fits[1]]
    return rows.assign(pair=rows["language_a"] + "-" + rows["language_b"])


def chosen(rows, of=None):
    """Each seed's rows at the layer that is best, at the end, for every second of the sorted pairs,
    those in between, and the other way round.
    """
    names = sorted(rows["pair"].unique())
    side = rows["pair"].map({name: i % 2 for i, name in enumerate(names)})
    parts = []
    for seed in rows["training_seed"].unique():
        mine = rows["training_seed"] == seed
        end = rows[mine]["step"].max()
        for half in (0, 1):
            others = rows[mine & (side != half) & (rows["step"] == end)]
            others = others if len(others) else rows[mine & (rows["step"] == end)]
            best = others.groupby("layer")["value"].mean().idxmax()
            parts.append(rows[mine & (side == half) & (rows["layer"] == best)])
    return pd.concat(parts)


def at_end(measure, variant, model="miniature", split=None, minus=None, same=None):
    """Each seed's mean over pairs at the last step."""
    rows = table(measure, variant, model)
    rows = chosen(rows[rows["step"] == rows.groupby("training_seed")["step"].transform("max")])
    rows = rows[rows["split"] == split] if split else rows[rows["split"] != "shared_token"]
    if same is not None:
        rows = rows[(rows["language_a"] == rows["language_b"]) == same]
    values = rows["value"] - (rows[minus] if minus else 0)
    return values.groupby(rows["training_seed"]).mean()


def within_pairs(measure, first, second):
    """Mean difference of two sides in the pairs that both have; a side is (variant, split)."""
    sides = []
    for variant, split in (first, second):
        rows = table(measure, variant)
        rows = chosen(rows[rows["step"] == rows.groupby("training_seed")["step"].transform("max")])
        rows = rows[rows["split"] == split] if split else rows[rows["split"] != "shared_token"]
        rows = rows.assign(split=rows["split"] if not split else "one")
        sides.append(rows.groupby(["training_seed", "pair", "split"])["value"].mean())
    both = pd.concat(sides, axis=1, join="inner", keys=["a", "b"])
    # Of pairs with several sets of concepts each set counts once.
    means = both.groupby("training_seed").mean()
    return float((means["a"] - means["b"]).mean())


def half_way(curve):
    """The step at which a curve over steps has last come half way to its end from zero; inf where
    it ends below .05.
    """
    y, x = curve.to_numpy(float), np.log1p(curve.index.to_numpy(float))
    if y[-1] < 0.05:
        return np.inf
    below = np.flatnonzero(y < y[-1] / 2)
    if not len(below):
        return float(curve.index[0])
    i = below[-1]
    return np.expm1(x[i] + (y[-1] / 2 - y[i]) / (y[i + 1] - y[i]) * (x[i + 1] - x[i]))


def later_across():
    """Median over pairs and seeds of the delay of the probe across languages, as a share."""
    rows = {name: table("abilities", name) for name in ("category", "category_across")}
    across = rows["category_across"]
    last = across[across["step"] == across["step"].max()]
    layer = last.groupby("layer")["value"].mean().idxmax()
    onsets = {}
    for name, table_ in rows.items():
        mine = table_[table_["layer"] == layer]
        mine = mine.assign(above=mine["value"] - mine["null"])
        by = ["training_seed", "language_a", "language_b"]
        means = mine.groupby([*by, "step"])["above"].mean()
        onsets[name] = {
            place: half_way(part.droplevel(by)) for place, part in means.groupby(level=by)
        }
    delays = sorted(
        across_at - onsets["category"][seed, b, ""]
        for (seed, a, b), across_at in onsets["category_across"].items()
        if np.isfinite(onsets["category"][seed, b, ""])
    )
    middle = delays[int(np.ceil(len(delays) / 2)) - 1]
    return middle / across["step"].max()


def beside_nearer(variant):
    """Each seed's mean of a variant at the layers that are chosen for `nearer`."""
    place = ["training_seed", "pair", "layer"]
    nearer = table("meaning_in_context", "nearer")
    last = nearer["step"].max()
    layers = chosen(nearer[nearer["step"] == last])[place]
    rows = table("meaning_in_context", variant)
    rows = rows[rows["step"] == last].merge(layers, on=place)
    return (rows["value"] - rows["null"]).groupby(rows["training_seed"]).mean().mean()


def without_text():
    """`nearer` minus null of pairs with Welsh or Swahili, at the layer of most trained pairs."""
    nearer = table("meaning_in_context", "nearer")
    layer = chosen(nearer[nearer["step"] == nearer["step"].max()])["layer"].mode()[0]
    rows = pd.read_parquet(data_folder() / "published" / "meaning_in_context.parquet")
    rows = rows[(rows["model"] == "miniature") & (rows["variant"] == "nearer")]
    rows = rows[(rows["step"] == rows["step"].max()) & (rows["layer"] == layer)]
    either = rows["language_a"].isin(["cy", "sw"]) | rows["language_b"].isin(["cy", "sw"])
    rows = rows[either]
    return (rows["value"] - rows["null"]).groupby(rows["training_seed"]).mean().mean()


def am2ico(variant):
    """Mean over languages on test, at each language's best layer on dev."""
    rows = pd.read_parquet(data_folder() / "published" / "gemma-3-270m-am2ico.parquet")
    rows = rows.astype({"language_a": str, "variant": str, "split": str})
    values = []
    for _, own in rows.groupby("language_a"):
        dev = own[(own["variant"] == "auc") & (own["split"] == "dev")]
        layer = dev.loc[dev["value"].idxmax(), "layer"]
        test = own[(own["variant"] == variant) & (own["split"] == "test")]
        values.append((test["value"] - test["null"])[test["layer"] == layer].item())
    return np.mean(values)


def apart(measure, variant, minus="null", same=None):
    return at_end(measure, variant, "apart", minus=minus, same=same).mean()


RECOMPUTED = {
    "cka-apart": lambda: apart("cka", "rbf", None),
    "cka-apart-regressed": lambda: apart("cka", "rbf_regressed"),
    "cka-above-floor": lambda: (
        at_end("cka", "rbf_regressed", split="never").mean() - apart("cka", "rbf_regressed", None)
    ),
    "cka-never-side-by-side": lambda: at_end(
        "cka", "rbf_regressed", split="never", minus="null"
    ).mean(),
    "retrieval-held-out": lambda: within_pairs(
        "retrieval", ("csls", "held_out"), ("csls", "taught")
    ),
    "retrieval-never": lambda: at_end("retrieval", "csls", split="never", minus="null").mean(),
    "retrieval-apart": lambda: apart("retrieval", "csls"),
    "retrieval-raw": lambda: within_pairs("retrieval", ("raw", None), ("centred", None)),
    "identity-stays": lambda: at_end("language_id", "accuracy", minus="null").mean(),
    "identity-removed": lambda: within_pairs("language_id", ("without", None), ("with", None)),
    "identity-experts": lambda: within_pairs(
        "expert_units", ("overlap", None), ("same_shuffle", None)
    ),
    "identity-shuffle": lambda: at_end("expert_units", "same_shuffle").mean() - 0.1,
    "overlap-above-chance": lambda: at_end("neuron_overlap", "overlap", minus="null").mean(),
    "overlap-transfer": lambda: at_end("neuron_overlap", "transfer", minus="null").mean(),
    "overlap-apart": lambda: apart("neuron_overlap", "transfer"),
    "structure-above": lambda: at_end("structure", "rsa", minus="null", same=False).mean(),
    "structure-upper": lambda: (
        at_end("structure", "rsa", same=False).mean() - at_end("structure", "rsa", same=True).mean()
    ),
    "structure-apart": lambda: apart("structure", "rsa", same=False),
    "abilities-held-out": lambda: within_pairs(
        "abilities", ("translation", "held_out"), ("translation", "taught")
    ),
    "abilities-in-first": later_across,
    "abilities-apart": lambda: apart("abilities", "category_across"),
    "meaning-above": lambda: at_end("meaning_in_context", "nearer", minus="null").mean(),
    "meaning-no-gain": lambda: beside_nearer("gain"),
    "meaning-unseen": without_text,
    "meaning-apart": lambda: apart("meaning_in_context", "nearer"),
    "meaning-am2ico": lambda: am2ico("auc"),
    "meaning-am2ico-gain": lambda: am2ico("gain"),
}


def test_every_claim_is_recomputed():
    assert set(RECOMPUTED) == {claim.id for claim in CLAIMS}


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_a_value_comes_out_of_the_published_files_again(claim):
    effect, _ = decided(claim)
    assert effect.value == pytest.approx(RECOMPUTED[claim.id](), rel=1e-4, abs=1e-5)


@pytest.mark.parametrize(
    "claim", [c for c in CLAIMS if c.side == "above"], ids=lambda claim: claim.id
)
def test_a_claim_of_a_difference_does_not_hold_without_one(claim):
    """Where values are those of the null, or all the same, nothing is above anything."""
    (name,) = claim.tables
    rows = catalogue.table(name)
    flat = np.full(len(rows), 0.0 if claim.id == "cka-apart" else 0.1)
    ends = {end: flat for end in ("value", "low", "high", "null", "null_low", "null_high")}
    assert claim.decide({name: rows.assign(**ends)})[1] != "holds"


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_without_its_rows_a_claim_is_undecided(claim):
    (name,) = claim.tables
    rows = catalogue.table(name)
    of_another = rows.assign(model="another")
    assert claim.decide({name: of_another}) == (None, "undecided")


# What the prose of the chapters takes for granted: where one no longer holds, read it again.
RELIED_ON = (
    "cka-above-floor",
    "cka-apart",
    "cka-never-side-by-side",
    "identity-experts",
    "identity-shuffle",
    "identity-stays",
    "meaning-above",
    "meaning-no-gain",
    "retrieval-apart",
    "retrieval-held-out",
    "retrieval-never",
    "structure-above",
)


@pytest.mark.parametrize("name", RELIED_ON)
def test_what_the_prose_takes_for_granted_holds(name):
    claim = {claim.id: claim for claim in CLAIMS}[name]
    assert decided(claim)[1] == "holds"
