"""Estimates of claims on companion measures, from their published tables.

All are means over language pairs of trained languages and over training seeds at the last
checkpoint, see `meanings.statistics.companions` for what their intervals cover.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

import numpy as np
import pandas as pd

from meanings.core.errors import MeaningsError
from meanings.statistics import ability_onsets, companions
from meanings.statistics.effects import Effect
from meanings.validity.claims.claim import Tables

MINIATURE, APART = "miniature", "apart"
TRAINED = ("en", "fr", "es", "de", "ru", "pl", "zh", "fi", "et")
RESAMPLES = 2000
Rows = Callable[[Tables], pd.DataFrame]


def at_end(
    measure: str,
    variant: str,
    *,
    model: str = MINIATURE,
    split: str = "",
    layer: int = -1,
    languages: Collection[str] = (),
) -> Rows:
    """Rows of a variant at the last checkpoint, at a layer (-1: chosen on other language pairs).

    - `languages`: between these; of the miniature the trained ones where none are named.
    """

    def rows(tables: Tables) -> pd.DataFrame:
        table = tables[measure]
        table = table[table["model"] == model]
        wanted = languages or (TRAINED if model == MINIATURE else ())
        chosen = companions.of_variant(table, variant, wanted)
        last = chosen.groupby("training_seed")["step"].transform("max")
        chosen = companions.at_layer(chosen[chosen["step"] == last], layer)
        return companions.of_variant(chosen, variant, split=split)

    return rows


def across(rows: Rows, same: bool = False) -> Rows:
    """Of these, the rows between two languages; with `same`, of one language with itself."""

    def chosen(tables: Tables) -> pd.DataFrame:
        table = rows(tables)
        alike = table["language_a"].astype(str) == table["language_b"].astype(str)
        return table[alike == same]

    return chosen


def mean(rows: Rows) -> Callable[[Tables], Effect]:
    """The value itself."""

    def estimate(tables: Tables) -> Effect:
        chosen = rows(tables)
        return _effect(_runs(chosen), chosen)

    return estimate


def over_null(rows: Rows, of: str = "null") -> Callable[[Tables], Effect]:
    """How far the value lies above its null: the null's mean, or with `null_high` the upper end of
    its 95 % range. Values that were
    measured without intervals get one that resamples languages.
    """

    def estimate(tables: Tables) -> Effect:
        chosen = rows(tables)
        moved = chosen.assign(**{n: chosen[n] - chosen[of] for n in ("value", "low", "high")})
        return _effect(_runs(moved), chosen)

    return estimate


def over_chance(rows: Rows, chance: float = 0.1) -> Callable[[Tables], Effect]:
    """How far a value that was measured without a null lies above a constant."""

    def estimate(tables: Tables) -> Effect:
        chosen = rows(tables)
        return _effect(_runs(chosen.assign(value=chosen["value"] - chance)), chosen)

    return estimate


def later_across(measure: str, names: ability_onsets.Names) -> Callable[[Tables], Effect]:
    """How much later in training an ability comes across languages than inside one: the median over
    language pairs, as a share of the training, at the layer that is best across languages.

    Intervals resample languages and training seeds.
    """

    def estimate(tables: Tables) -> Effect:
        table = tables[measure]
        table = table[table["model"] == MINIATURE]
        across = companions.of_variant(table, names.across, TRAINED)
        last = across[across["step"] == across["step"].max()]
        layer = last.groupby("layer")["value"].mean().idxmax()
        both = [companions.of_variant(table, name, TRAINED) for name in names]
        rows = pd.concat(both)
        paired = ability_onsets.paired_onsets(rows[rows["layer"] == layer], names)
        found = ability_onsets.delays(paired).iloc[0]
        shares = [found[name] / rows["step"].max() for name in ("later", "low", "high")]
        if not np.isfinite(shares).all():
            raise MeaningsError(
                f"{names.across} has no onset within this training in some pairs"
                "; measure more of the training"
            )
        return Effect(*map(float, shares), round(float(across["n"].mean())), *_counts(found))

    return estimate


def _counts(found: pd.Series) -> tuple[int, int]:
    return int(found["n_pairs"]), int(found["n_seeds"])


def gap_over_pairs(first: Rows, second: Rows) -> Callable[[Tables], Effect]:
    """How much higher the first is than the second in the same language pairs.

    For sides that are measured on different concepts, and on other concepts in each pair: the
    interval resamples language pairs, whose values are means over training seeds.
    """

    def estimate(tables: Tables) -> Effect:
        on = [*companions.PAIR, "training_seed"]
        joint = first(tables).merge(second(tables), on=on, suffixes=("", "_other"))
        if joint.empty:
            raise MeaningsError("no language pair has both sides; measure both in the same pairs")
        joint = joint.assign(value=joint["value"] - joint["value_other"])
        values = joint.groupby(companions.PAIR, observed=True)["value"].mean().to_numpy()
        rng = np.random.default_rng(0)
        drawn = values[rng.integers(len(values), size=(RESAMPLES, len(values)))].mean(axis=1)
        low, high = np.quantile(drawn, [0.025, 0.975])
        value = float(values.mean())
        return Effect(
            value,
            min(value, float(low)),
            max(value, float(high)),
            round(float((joint["n"] + joint["n_other"]).mean())),
            len(values),
            joint["training_seed"].nunique(),
        )

    return estimate


def gap(first: Rows, second: Rows, matched: bool = True) -> Callable[[Tables], Effect]:
    """How much higher the first is than the second, over the language pairs that both have
    (`matched`), or between two models.

    The half widths of the two intervals are combined as those of independent estimates. Where
    neither side was measured with intervals, the interval resamples languages.
    """

    def estimate(tables: Tables) -> Effect:
        one, other = first(tables), second(tables)
        if matched:
            on = [*companions.PAIR, "training_seed"]
            both = one[on].merge(other[on]).drop_duplicates()
            one, other = one.merge(both), other.merge(both)
            if not _has_ends(one) and not _has_ends(other):
                return _difference_over_languages(one, other, [*on, "split"])
        a, b = companions.over_pairs(one), companions.over_pairs(other)
        if a.empty or b.empty:
            raise MeaningsError("the table lacks one of the two sides; measure and publish both")
        if not matched:
            b = pd.concat([b.drop(columns="training_seed").mean().to_frame().T] * len(a))
        a, b = (_with_ends(side.reset_index(drop=True)) for side in (a, b))
        value = a["value"] - b["value"]
        down, up = (
            np.hypot(a["value"] - a["low"], b["high"] - b["value"]),
            np.hypot(a["high"] - a["value"], b["value"] - b["low"]),
        )
        return _effect(a.assign(value=value, low=value - down, high=value + up), one)

    return estimate


def _runs(rows: pd.DataFrame) -> pd.DataFrame:
    """Means over language pairs by training seed; where values were measured without intervals,
    with intervals that resample languages.
    """
    return companions.over_pairs(rows) if _has_ends(rows) else _over_languages(rows)


def _has_ends(rows: pd.DataFrame) -> bool:
    return bool(rows["low"].notna().any())


def _difference_over_languages(one: pd.DataFrame, other: pd.DataFrame, on: list[str]) -> Effect:
    joint = one.merge(other, on=on, suffixes=("", "_other"))
    joint = joint.assign(value=joint["value"] - joint["value_other"])
    return _effect(_over_languages(joint), joint)


def _over_languages(rows: pd.DataFrame) -> pd.DataFrame:
    """The mean over language pairs by training seed with an interval that resamples languages: a
    pair counts as often as its two languages were drawn, multiplied.
    """
    if "split" in rows:
        rows = rows[rows["split"] != companions.SHARED]
    sides = rows[companions.PAIR].astype(str)
    languages = sorted(set(sides.to_numpy().ravel()) - {""})
    times = np.random.default_rng(0).multinomial(
        len(languages), np.full(len(languages), 1 / len(languages)), size=RESAMPLES
    )
    place = {code: i for i, code in enumerate(languages)}
    weight = np.ones((RESAMPLES, len(rows)))
    for side in companions.PAIR:
        there = sides[side].map(place)
        weight[:, there.notna()] *= times[:, there.dropna().astype(int)]
    found = []
    for seed, part in rows.assign(_row=range(len(rows))).groupby("training_seed"):
        own = weight[:, part["_row"]]
        drawn = own.sum(axis=1) > 0
        means = own[drawn] @ part["value"].to_numpy(float) / own[drawn].sum(axis=1)
        low, high = np.quantile(means, [0.025, 0.975])
        value = float(part["value"].mean())
        found.append({"training_seed": seed, "value": value, "low": low, "high": high})
    return pd.DataFrame(found)


def _with_ends(runs: pd.DataFrame) -> pd.DataFrame:
    """Values that were measured without an interval have one of width zero."""
    there = {end: runs[end] if end in runs else runs["value"] for end in ("low", "high")}
    return runs.assign(**{end: there[end].fillna(runs["value"]) for end in there})


def _effect(runs: pd.DataFrame, rows: pd.DataFrame) -> Effect:
    """The mean over training seeds with the outermost interval ends of the seeds."""
    if runs.empty or runs[["value", "low", "high"]].isna().any(axis=None):
        raise MeaningsError("no values with intervals; measure and publish them")
    value = float(runs["value"].mean())
    return Effect(
        value,
        min(value, float(runs["low"].min())),
        max(value, float(runs["high"].max())),
        round(float(rows["n"].mean())),
        len(rows[companions.PAIR].drop_duplicates()),
        runs["training_seed"].nunique(),
    )
