"""Sensitivity of the study's numbers to its own settings, from the published table of settings.

One thing changes at a time around `BASE`; every row is a concept's mean over the language pairs.
"""

from collections.abc import Sequence

import pandas as pd

from meanings.core.errors import MeaningsError
from meanings.statistics.bootstrap import interval, paired_difference
from meanings.statistics.claims import sign
from meanings.statistics.layer_choice import at_chosen_layer, split_half_best_layer
from meanings.statistics.matching import shared_cells
from meanings.statistics.resampling import RESAMPLES

BASE = {"shots": 5, "template": "quoted", "score": "first_token"}
BASE |= {"layers": "from", "source_pairs": 0}
VALUES = {
    "shots": {1: "1", 3: "3", 5: "5", 8: "8"},
    "template": {
        "quoted": 'X: "…" - Y: "',
        "arrow": 'X: "…" → Y: "',
        "equals": 'X "…" = Y "',
        "slash": 'X: "…" / Y: "',
        "comma": 'X: "…", Y: "',
        "space": 'X: "…" Y: "',
        "no_quotes": "X: … - Y:",
        "no_names": '"…" - "',
        "brackets": "X: […] - Y: [",
    },
    "source_pairs": {1: "1", 2: "2", 4: "4", 8: "8", 0: "all"},
    "score": {"first_token": "first token", "word": "whole word"},
    "layers": {"from": "layer j and all later ones", "only": "layer j alone"},
}
# The miniature's training text has lines of the first three templates. The next three differ from
# these in the separator only, the others in what all of them have in common.
TRAINED_TEMPLATES = ("quoted", "arrow", "equals")
SEPARATORS = ("slash", "comma", "space")
NO_QUOTES = "no_quotes"
OTHER_LINES = ("no_names", "brackets")
GROUPS = {
    "in the training text": TRAINED_TEMPLATES,
    "another separator": SEPARATORS,
    "another line": (NO_QUOTES, *OTHER_LINES),
}
COMPARED = tuple(("seen", other) for other in ("null_concept", "tgt", "en_en", "src_unpatched"))


def around(table: pd.DataFrame, factor: str, model: str = "miniature") -> pd.DataFrame:
    """The rows of one model that differ from `BASE` in `factor` at most, with `factor` in the order
    of `VALUES`.

    Raises MeaningsError on an unknown factor, or where the table has none of its values.
    """
    if factor not in VALUES:
        raise MeaningsError(f"factor {factor!r}: allowed are {', '.join(VALUES)}")
    rows = table[table["model"] == model]
    for name, value in BASE.items():
        if name != factor:
            rows = rows[rows[name] == value]
    rows = rows[rows[factor].isin(VALUES[factor])]
    if rows.empty:
        raise MeaningsError(
            f"the table has no rows of {model} for {factor}; publish the grids of "
            "book/parameters/sensitivity"
        )
    return rows.assign(
        **{factor: pd.Categorical(rows[factor], categories=list(VALUES[factor]), ordered=True)}
    )


def counted(table: pd.DataFrame, model: str = "miniature") -> str:
    """Numbers of concepts, language pairs and training runs of a model's rows, in words."""
    rows = table[table["model"] == model]
    n_pairs = max(len(str(pairs).split()) for pairs in rows["pairs"].unique())
    n_runs = rows["training_seed"].nunique()
    return (
        f"{rows['source_concept'].nunique()} concepts, {n_pairs} language pairs, {n_runs} training "
        f"run{'s' if n_runs > 1 else ''}"
    )


def settings(
    table: pd.DataFrame, factor: str, conditions: Sequence[str], model: str = "miniature"
) -> pd.DataFrame:
    """P(source concept) by the factor's value and condition, with intervals, each value at the
    first layer that suits it.

    The layer is chosen on one half of the concepts and reported on the other; nulls take the layer
    of `seen`. A condition that the factor cannot change has the value of `BASE` only. Columns:
    `factor`, `condition`, `mean`, `low`, `high`.
    """
    rows = around(table, factor, model)
    parts = [
        at_chosen_layer(part, conditions=conditions).assign(**{factor: value})
        for value, part in rows.groupby(factor, observed=True)
    ]
    chosen = pd.concat(parts, ignore_index=True)
    found = interval(
        chosen.astype({factor: "object", "condition": "object"}),
        "p_source",
        [factor, "condition"],
        n=RESAMPLES,
    )
    order = {value: place for place, value in enumerate(VALUES[factor])}
    return found.sort_values(
        [factor, "condition"], key=lambda c: c.map(order) if c.name == factor else c
    ).reset_index(drop=True)


def by_layer(
    table: pd.DataFrame, factor: str, conditions: Sequence[str], model: str = "miniature"
) -> pd.DataFrame:
    """P(source concept) by the factor's value, condition and first layer, with intervals; unpatched
    prompts have `first_layer` -1.
    """
    rows = around(table, factor, model)
    rows = pd.concat(
        [shared_cells(part, conditions) for _, part in rows.groupby(factor, observed=True)]
    ).astype({factor: "object", "condition": "object"})
    return interval(rows, "p_source", [factor, "condition", "first_layer"], n=RESAMPLES)


def comparisons(table: pd.DataFrame, factor: str, model: str = "miniature") -> pd.DataFrame:
    """Differences between conditions concept by concept, at each of the factor's values.

    Columns: `factor`, `what` (`a - b`), `mean`, `low`, `high`, `verdict`: above, below or open, as
    the interval says.
    """
    parts = []
    for value, part in around(table, factor, model).groupby(factor, observed=True):
        for a, b in COMPARED:
            if {a, b} <= set(part["condition"]):
                chosen = at_chosen_layer(part, conditions=(a, b))
                parts.append(
                    paired_difference(chosen, "p_source", a, b, n=RESAMPLES).assign(
                        **{factor: value, "what": f"{a} - {b}"}
                    )
                )
    found = pd.concat(parts, ignore_index=True)
    verdict = found.apply(sign, axis=1).map({1: "above", 0: "open", -1: "below"})
    return found.assign(verdict=verdict)[
        [factor, "what", "mean", "low", "high", "n_units", "verdict"]
    ]


def beats_null(found: pd.DataFrame) -> bool:
    """Whether the concept is more likely than under the null, by more than the smallest effect, at
    every value of the factor. `found`: from `comparisons`.
    """
    return bool((found.loc[found["what"] == "seen - null_concept", "verdict"] == "above").all())


def same_order(found: pd.DataFrame) -> bool:
    """Whether no two values of the factor order two conditions in opposite ways, as far as their
    intervals decide. `found`: from `comparisons`.
    """
    verdicts = found.groupby("what")["verdict"].agg(set)
    return not any({"above", "below"} <= found for found in verdicts)


def reversals(found: pd.DataFrame, factor: str) -> dict[str, list]:
    """By condition that `seen` lies above at some values of the factor and below at others, as
    their intervals decide: the values at which it lies above. `found`: from `comparisons`.
    """
    above = {}
    for what, rows in found.groupby("what", sort=False):
        if {"above", "below"} <= set(rows["verdict"]):
            values = rows.loc[rows["verdict"] == "above", factor]
            above[str(what).partition(" - ")[2]] = list(values)
    return above


def best_layers(table: pd.DataFrame, factor: str, model: str = "miniature") -> pd.Series:
    """The first layer with the highest mean of `seen`, at each of the factor's values."""
    rows = by_layer(table, factor, ["seen"], model)
    return (
        rows.loc[rows.groupby(factor)["mean"].idxmax()]
        .set_index(factor)["first_layer"]
        .reindex(rows[factor].unique())
    )


def word_and_token(
    table: pd.DataFrame, model: str = "miniature", condition: str = "seen"
) -> pd.DataFrame:
    """Each concept under both scores, at the layer chosen for each: columns `source_concept`,
    `first_token`, `word`.
    """
    rows = around(table, "score", model)
    parts = [
        at_chosen_layer(part[part["condition"].isin([condition, "seen"])]).assign(score=str(value))
        for value, part in rows.groupby("score", observed=True)
    ]
    chosen = pd.concat(parts, ignore_index=True)
    chosen = chosen[chosen["condition"] == condition].astype({"source_concept": "object"})
    return (
        chosen.pivot_table(index="source_concept", columns="score", values="p_source")
        .reset_index()
        .dropna()
    )


def averaging(table: pd.DataFrame, model: str = "miniature") -> pd.DataFrame:
    """Gains of a mean of k source prompts, by what is averaged: differences of P(source concept),
    concept by concept.

    - `over languages`: k prompts in k language pairs against one;
    - `over examples`: k prompts with other few-shot examples in one language pair against one
      prompt, which can only take noise out;
    - `languages, same number`: the former against the latter, k prompts each: what the languages
      add;
    - `over examples, same pair`: the same in the target pair itself.

    All at one first layer, chosen for the largest mean of `seen` on the other half of the concepts.
    k = 0 is all. Columns: `k`, `what`, `mean`, `low`, `high`, `n_units`, `share_above`.
    """
    rows, counts = _at_one_layer(table, model)

    def of(condition: str, k: int) -> pd.DataFrame:
        return rows[(rows["condition"] == condition) & (rows["source_pairs"] == k)]

    parts = []
    for k in counts:
        compared = {
            "over languages": (of("seen", k), of("seen", 1)),
            # One prompt of `one_pair` is that of `seen`.
            "over examples": (of("one_pair", k), of("seen", 1)),
            "languages, same number": (of("seen", k), of("one_pair", k)),
            "over examples, same pair": (of("tgt_mean", k), of("tgt", 0)),
        }
        for what, (first, second) in compared.items():
            both = pd.concat([first.assign(which="a"), second.assign(which="b")])
            found = paired_difference(both, "p_source", "a", "b", between="which", n=RESAMPLES)
            parts.append(found.assign(k=k, what=what))
    return pd.concat(parts, ignore_index=True)[
        ["k", "what", "mean", "low", "high", "n_units", "share_above"]
    ]


def _at_one_layer(table: pd.DataFrame, model: str) -> tuple[pd.DataFrame, list[int]]:
    """Patched rows at the layer of the largest mean of `seen`, each concept at the one chosen
    without it; and the k that the controls have.
    """
    rows = table[(table["model"] == model) & (table["first_layer"] >= 0)]
    for name, value in BASE.items():
        if name != "source_pairs":
            rows = rows[rows[name] == value]
    counts = sorted(
        set(rows.loc[rows["condition"] == "one_pair", "source_pairs"]), key=lambda k: (k == 0, k)
    )
    if not counts:
        raise MeaningsError(
            f"the table has no means over few-shot examples of {model}; publish the grids of "
            "book/parameters/sensitivity"
        )
    lead = rows[(rows["condition"] == "seen") & (rows["source_pairs"] == counts[-1])]
    layer = (
        split_half_best_layer(lead, "p_source")
        .drop_duplicates("source_concept")
        .set_index("source_concept")["best_layer"]
    )
    return rows[rows["first_layer"] == rows["source_concept"].astype(object).map(layer)].astype(
        {"condition": "object"}
    ), counts


def gain_is(table: pd.DataFrame, model: str = "miniature") -> str:
    """Where the gain of the mean over languages comes from, at the largest k: `none`, `averaging`,
    `languages`, `both`, or `languages cost`.

    - `averaging`: k prompts in one pair gain over one, by more than the smallest effect;
      `languages`: the languages add to that.
    """
    found = averaging(table, model)
    last = found[found["k"] == found["k"].iloc[-1]].set_index("what")
    noise, languages = (
        sign(last.loc[name]) > 0 for name in ("over examples", "languages, same number")
    )
    if sign(last.loc["languages, same number"]) < 0:
        return "languages cost"
    return (
        "both"
        if noise and languages
        else "averaging"
        if noise
        else "languages"
        if languages
        else "none"
    )
