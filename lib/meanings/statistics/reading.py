"""How a language is read: the concept vector of one input language, beside what the model says when
it is asked directly from that language.

    patched(l)   P(source concept) in pair x-y under `from_l`, at the layer chosen for `seen`
    direct(l)    P(source concept) after the unpatched prompt l-y, for the same concept and output
    null(l)      as patched, with a third concept
"""

from collections.abc import Collection, Iterable, Sequence

import numpy as np
import pandas as pd

from meanings.core.errors import MeaningsError
from meanings.patching.conditions import FROM, NULL_FROM, input_language
from meanings.statistics.layer_choice import split_half_best_layer
from meanings.statistics.resampling import RESAMPLES, point_means, resampled_means, to_array
from meanings.statistics.selection import split_pairs

PATCHED, DIRECT, NULL = "patched", "asked directly", "null"
SINGLE = "single"
MEANS = ("seen", "one_pair", "tgt_mean")  # of as many prompts as a grid says


def at_layer_of_seen(table: pd.DataFrame) -> pd.DataFrame:
    """The rows at one first patched layer: chosen for `seen` on one half of the concepts, reported
    on the other, the same for all conditions; unpatched rows as they are.

    A mean over another number of prompts than the single languages' becomes a condition of its own,
    such as `seen_all` or `seen_12`. Raises MeaningsError where there is no `seen` in the table.
    """
    table = table.assign(condition=table["condition"].astype(str))
    single = table["condition"].map(input_language) != ""
    if single.any() and "source_pairs" in table:
        usual = int(table.loc[single, "source_pairs"].iloc[0])
        table["condition"] = [
            f"{name}_{count or 'all'}" if name in MEANS and count != usual else name
            for name, count in zip(table["condition"], table["source_pairs"], strict=True)
        ]
    seen = table[(table["condition"] == "seen") & (table["first_layer"] >= 0)]
    if seen.empty:
        raise MeaningsError("no rows of 'seen' to choose a first layer by; measure it too")
    best = split_half_best_layer(seen, "p_source").drop_duplicates("source_concept")
    layer = (
        table["source_concept"]
        .astype(object)
        .map(dict(zip(best["source_concept"], best["best_layer"], strict=True)))
    )
    return table[(table["first_layer"] < 0) | (table["first_layer"] == layer)]


def target_pairs(chosen: pd.DataFrame) -> list[str]:
    """The pairs with the other-language mean: neither those of direct scores alone, nor those of
    the control of taught neighbours.
    """
    return sorted(set(chosen.loc[chosen["condition"] == "seen", "pair"].astype(str)))


def reading_rows(chosen: pd.DataFrame) -> pd.DataFrame:
    """Patched, direct and null scores of each input language, matched: `language`, `output`,
    `what`, and the cell's columns.

    A direct score stands once for each target pair in which the language was patched.

    - `chosen`: as `at_layer_of_seen` gives it.
    """
    rows = split_pairs(chosen)
    rows = rows.assign(
        language=rows["condition"].map(input_language), output=rows["output"].astype(str)
    )
    patched = rows[rows["language"] != ""]
    what = np.where(patched["condition"].str.startswith(NULL_FROM), NULL, PATCHED)
    patched = patched.assign(what=what)
    asked = rows[rows["condition"] == "src_unpatched"]
    asked = asked.assign(language=asked["input"].astype(str), what=DIRECT)
    cell = [name for name in ("model", "training_seed", "step", "prompt_seed") if name in rows]
    where = [*cell, "language", "output"]
    plain = {name: str for name in ("model", "pair") if name in rows}
    targets = patched.loc[patched["what"] == PATCHED, [*where, "pair"]].astype(plain)
    direct = asked.drop(columns="pair").astype({k: v for k, v in plain.items() if k != "pair"})
    direct = direct.merge(targets.drop_duplicates(), on=where)
    columns = [*where, "tokens", "pair", "source_concept", "what", "p_source"]
    return pd.concat([patched[columns], direct[columns]], ignore_index=True)


def measured_throughout(rows: pd.DataFrame) -> pd.DataFrame:
    """The patched rows of the target pairs and languages that were measured at every checkpoint, so
    that means over training are of the same pairs and languages throughout.

    - `rows`: as `reading_rows` gives them.
    """
    found = rows[rows["what"] == PATCHED]
    for column in ("pair", "language"):
        steps = found.groupby(column, observed=True)["step"].nunique()
        everywhere = steps.index[steps == found["step"].nunique()]
        found = found[found[column].isin(everywhere)]
    return found


def with_single(chosen: pd.DataFrame, languages: Collection[str]) -> pd.DataFrame:
    """The rows with a condition `single` added: the mean over the single-language conditions of
    these languages, cell by cell.

    Only where each of them was measured (but those of every target pair): a mean over the best of
    them would be no average.
    """
    pairs = [set(pair.split("-")) for pair in target_pairs(chosen)]
    codes = [code for code in languages if not all(code in pair for pair in pairs)]
    names = [FROM + code for code in codes]
    if not set(chosen["condition"]).issuperset(names):
        return chosen
    rows = chosen[chosen["condition"].isin(names)]
    keys = ["training_seed", "step", "tokens", "pair", "prompt_seed", "source_concept"]
    keys = [name for name in ("model", *keys) if name in rows]
    means = rows.groupby(keys, observed=True)["p_source"].mean().reset_index()
    return pd.concat([chosen, means.assign(condition=SINGLE)], ignore_index=True)


def taught_beside(
    rows: pd.DataFrame, taught: Iterable[frozenset[str]], n: int = RESAMPLES
) -> pd.Series:
    """How much higher a language is read into an output that it was taught beside: `mean`, `low`,
    `high`, `n_units`, `n_cells`.

        patched[l, y] = a[l] + b[y] + effect * (l and y stand side by side in the text)

    by least squares over all measured l and y, so that languages that are read well throughout, and
    outputs that are easy to say, do not count.

    - `rows`: as `reading_rows` gives them.
    """
    (languages, outputs), values = to_array(
        rows[rows["what"] == PATCHED], "p_source", ["language", "output"]
    )
    known = ~np.isnan(point_means(values))
    beside = np.array([[frozenset((a, b)) in set(taught) for b in outputs] for a in languages])
    place = np.argwhere(known)
    design = np.column_stack(
        [
            beside[known].astype(float),
            place[:, :1] == np.arange(len(languages)),
            place[:, 1:] == np.arange(1, len(outputs)),
        ]
    )
    weights = np.linalg.pinv(design.astype(float))[0]
    drawn = resampled_means(values, n)[:, known] @ weights
    low, high = np.quantile(drawn, [0.025, 0.975])
    return pd.Series(
        {
            "mean": float(point_means(values)[known] @ weights),
            "low": low,
            "high": high,
            "n_units": values.shape[-1],
            "n_cells": int(known.sum()),
        }
    )


def order_agreement(
    rows: pd.DataFrame, languages: Sequence[str], n: int = RESAMPLES
) -> tuple[float, float, float]:
    """Rank correlation over languages of patched and direct scores, with its interval over concepts
    and training seeds: value, low, high. The languages are fixed, not sampled.
    """
    rows = rows[rows["what"].isin([PATCHED, DIRECT]) & rows["language"].isin(list(languages))]
    (names, _), values = to_array(rows, "p_source", ["what", "language"])
    order = [names.index(PATCHED), names.index(DIRECT)]
    ranks = resampled_means(values, n)[:, order].argsort(axis=-1).argsort(axis=-1)
    point = point_means(values)[order].argsort(axis=-1).argsort(axis=-1)[None]
    low, high = np.quantile(_correlation(ranks), [0.025, 0.975])
    return float(_correlation(point)[0]), float(low), float(high)


def _correlation(ranks: np.ndarray) -> np.ndarray:
    """Spearman's correlation of the two rows of ranks of each resample."""
    centred = ranks - (ranks.shape[-1] - 1) / 2
    return (centred[:, 0] * centred[:, 1]).sum(-1) / (centred[:, 0] ** 2).sum(-1)
