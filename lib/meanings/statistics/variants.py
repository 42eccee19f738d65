"""Results of the short miniatures, and of the recovery of patching: from the published tables to
what a page draws and says.
"""

import re
from collections.abc import Mapping

import pandas as pd

from meanings.core.errors import MeaningsError
from meanings.measures.results import published, published_csv
from meanings.statistics import selection
from meanings.statistics.bootstrap import interval, paired_difference
from meanings.statistics.claims import sign
from meanings.statistics.layer_choice import split_half_best_layer
from meanings.statistics.matching import shared_cells
from meanings.statistics.resampling import RESAMPLES

SHOWN = ("src_unpatched", "tgt", "seen", "null_concept")
BY = ["model", "step"]


def published_variants() -> pd.DataFrame:
    """The published cells of the short miniatures, with `dose`."""
    return with_dose(published("worlds"))


def with_dose(table: pd.DataFrame) -> pd.DataFrame:
    """The table with models and conditions as text, and with `dose`.

    `dose`: per cent of the parallel documents that are in two languages; NaN for miniatures that
    differ in something else.
    """
    doses = {
        name: float(found[1])
        for name in table["model"].unique()
        if (found := re.fullmatch(r"parallel-(\d+)", str(name)))
    }
    return table.assign(
        model=table["model"].astype(str),
        condition=table["condition"].astype(str),
        dose=table["model"].astype(str).map(doses),
    )


def at_best_layer(table: pd.DataFrame) -> pd.DataFrame:
    """Every condition at the layer that is best for `seen` in its model and checkpoint: chosen on
    half of the concepts, reported on the other.

    The nulls take the same layers as `seen`, so that they are where the claim is.
    """
    patched = table[table["first_layer"] >= 0]
    seen = patched[patched["condition"] == "seen"]
    chosen = split_half_best_layer(seen, "p_source", BY)[
        [*BY, "source_concept", "best_layer"]
    ].drop_duplicates()
    rows = patched.merge(chosen, on=[*BY, "source_concept"])
    return pd.concat(
        [rows[rows["first_layer"] == rows["best_layer"]], table[table["first_layer"] < 0]],
        ignore_index=True,
    )


def levels(chosen: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """P(source) by `by` and condition, over the cells that the conditions share: mean and interval
    over concepts and training seeds.
    """
    return interval(shared_cells(chosen, SHOWN), "p_source", [*by, "condition"], n=RESAMPLES)


def seed_means(chosen: pd.DataFrame) -> pd.DataFrame:
    """P(source) by dose, condition and training seed: the single runs behind a mean."""
    by = ["dose", "condition", "training_seed"]
    return interval(shared_cells(chosen, SHOWN), "p_source", by, n=2)[[*by, "mean"]]


def rises_with_dose(chosen: pd.DataFrame) -> dict[int, bool]:
    """By training seed: whether `seen` at the end rises from each dose to the next."""
    means = seed_means(chosen[chosen["condition"] == "seen"])
    return {
        int(seed): bool(rows.sort_values("dose")["mean"].is_monotonic_increasing)
        for seed, rows in means.groupby("training_seed")
    }


def claims_where_nothing_is_shared(table: pd.DataFrame) -> pd.DataFrame:
    """The claim of a shared space, `seen` above its null, in the miniature without anything to
    share (`apart`).

    One row per training seed and pair at the end of training: the paired difference with its
    interval; `above zero`: the interval lies there; `claimed`: it lies above the smallest effect,
    so that the book's rule would claim a shared space.
    """
    apart = selection.last_checkpoint(at_best_layer(table[table["model"] == "apart"]))
    found = [
        paired_difference(rows, "p_source", "seen", "null_concept").assign(
            training_seed=int(seed), pair=str(pair)
        )
        for (seed, pair), rows in apart.groupby(["training_seed", "pair"], observed=True)
    ]
    if not found:
        raise MeaningsError(
            "the published table of short miniatures has no model 'apart'; make it again with "
            "'meanings miniature worlds'"
        )
    rows = pd.concat(found, ignore_index=True)
    return rows.assign(**{"above zero": rows["low"] > 0, "claimed": rows.apply(sign, axis=1) == 1})


def published_recovery() -> pd.DataFrame:
    """`data/published/reach.csv`: one row per model, training seed and pair."""
    return published_csv("reach", "meanings miniature worlds")


def recovery_means(rows: pd.DataFrame, names: dict[str, str]) -> pd.DataFrame:
    """Means over training seeds and pairs of the models in `names`, under the names given there, in
    that order.
    """
    columns = ["target", "layers", "embedding", "asked", "seen", "null_concept"]
    table = rows[rows["model"].isin(names)].groupby("model")[columns].mean().loc[list(names)]
    return table.rename(index=names).rename_axis("model").reset_index()


def counted_recovery(rows: pd.DataFrame, names: Mapping[str, str]) -> str:
    """How many language pairs and training seeds the means of each model rest on, in words."""
    own = rows[rows["model"].isin(names)].groupby("model")
    n = own.agg(pairs=("pair", "nunique"), seeds=("training_seed", "nunique"))
    concepts = int(rows["n_pairs"].max())
    return f"{concepts} concepts per pair; pairs and training seeds: " + "; ".join(
        f"{names[name]} {n.pairs[name]} and {n.seeds[name]}" for name in names
    )


def attention(rows: pd.DataFrame, names: dict[str, str]) -> pd.DataFrame:
    """Highest attention of a head from the answer's position to the query word, by model and layer:
    long form.
    """
    columns = [name for name in rows if re.fullmatch(r"attention_\d+", name)]
    means = (
        rows[rows["model"].isin(names)]
        .groupby("model")[columns]
        .mean()
        .loc[list(names)]
        .rename(index=names)
    )
    long = (
        means.rename_axis("model")
        .reset_index()
        .melt("model", var_name="layer", value_name="attention")
        .dropna()
    )
    return long.assign(layer=long["layer"].str.removeprefix("attention_").astype(int))
