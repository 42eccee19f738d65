"""Companion measures over training: means over language pairs, the layer, floors and onsets.

Rows are those of `meanings.measures.companion`, with the cell's model, training seed, step and
tokens. An interval in a row is over concepts. A mean over language pairs has the mean of their
interval ends: the pairs share their concepts, so their errors do not average out, and this is
conservative. A mean over training seeds has the lowest and the highest end of the seeds' intervals.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd

from meanings.core.errors import MeaningsError
from meanings.statistics.onset import HALF, Rule, crossing
from meanings.statistics.resampling import SEED_COLUMN

PAIR = ["language_a", "language_b"]
SHARED = "shared_token"  # concepts that are also in another split
ENDS = ["low", "high", "null", "null_low", "null_high"]
STEP = ["step", "tokens"]


def of_variant(
    rows: pd.DataFrame, variant: str, languages: Collection[str] = (), split: str = ""
) -> pd.DataFrame:
    """The rows of one variant, between these languages, in one split; all, where none are named.

    Raises MeaningsError where there are none.
    """
    chosen = rows[rows["variant"] == variant]
    if languages:
        known = {*languages, ""}
        chosen = chosen[chosen["language_a"].isin(known) & chosen["language_b"].isin(known)]
    if split:
        chosen = chosen[chosen["split"] == split]
    if chosen.empty:
        there = ", ".join(sorted(set(rows["variant"].astype(str))))
        raise MeaningsError(
            f"no rows of variant {variant!r} {split} in these languages; the table has {there}"
            "; choose one of these"
        )
    return chosen


def at_layer(rows: pd.DataFrame, layer: int = -1) -> pd.DataFrame:
    """The rows at one layer; with -1, at the layer where the *other* half of the language pairs has
    its highest mean at the last checkpoint, in each training seed.

    Choosing a layer on the rows that are then reported would favour high values. A table of one
    pair has no other half, and chooses on itself.
    """
    if layer >= 0:
        chosen = rows[rows["layer"] == layer]
        if chosen.empty:
            raise MeaningsError(
                f"layer {layer} is not there; the table has {rows['layer'].min()} to "
                f"{rows['layer'].max()}; choose one of these"
            )
        return chosen
    names = rows["language_a"].astype(str) + "-" + rows["language_b"].astype(str)
    places = {name: place for place, name in enumerate(sorted(set(names)))}
    half = names.map(places).astype(int) % 2
    last = rows["step"] == rows.groupby(SEED_COLUMN)["step"].transform("max")
    parts = []
    for _, run in rows.groupby(SEED_COLUMN):
        for side in (0, 1):
            elsewhere = run[last[run.index] & (half[run.index] != side)]
            used = elsewhere if len(elsewhere) else run[last[run.index]]
            best = used.groupby("layer")["value"].mean().idxmax()
            parts.append(run[(half[run.index] == side) & (run["layer"] == best)])
    return pd.concat(parts)


def at_layers_of(rows: pd.DataFrame, chosen: pd.DataFrame) -> pd.DataFrame:
    """The rows at the layers at which other rows stand, by training seed and language pair."""
    layers = chosen[[SEED_COLUMN, *PAIR, "layer"]].drop_duplicates()
    return rows.merge(layers, on=list(layers))


def at_best(
    rows: pd.DataFrame, variant: str, languages: Collection[str] = (), layer: int = -1
) -> pd.DataFrame:
    """The rows of a variant between these languages, at a layer: `of_variant`, then `at_layer`."""
    return at_layer(of_variant(rows, variant, languages), layer)


def across(rows: pd.DataFrame, same: bool = False) -> pd.DataFrame:
    """The rows between two languages; with `same`, those of one language with itself."""
    alike = rows["language_a"].astype(str) == rows["language_b"].astype(str)
    return rows[alike == same]


def over_pairs(rows: pd.DataFrame, by: Sequence[str] = ()) -> pd.DataFrame:
    """Means over language pairs by `by` and training seed.

    Where `by` does not tell sets of concepts apart, `shared_token` is left out: its concepts are in
    another set, too.

    Columns: `by`, `training_seed`, `value` and what there is of `low`, `high`, `null`, `null_low`,
    `null_high`; `n` concepts, the mean over pairs; `n_pairs`.
    """
    if "split" not in by and "split" in rows:
        rows = rows[rows["split"] != SHARED]
    ends = [name for name in ENDS if name in rows and rows[name].notna().any()]
    names = rows["language_a"].astype(str) + "-" + rows["language_b"].astype(str)
    groups = rows.assign(_pair=names).groupby([*by, SEED_COLUMN], observed=True, sort=True)
    table = groups[["value", *ends, "n"]].mean()
    table["n_pairs"] = groups["_pair"].nunique()
    return table.reset_index()


def over_seeds(rows: pd.DataFrame, by: Sequence[str] = ()) -> pd.DataFrame:
    """Means over language pairs, then over training seeds, by `by`.

    Columns as `over_pairs`, and `n_seeds`; `lowest` and `highest` seed.
    """
    runs = over_pairs(rows, by)
    ends = [name for name in ENDS if name in runs]
    how = {name: "mean" for name in ("value", *ends, "n", "n_pairs")}
    how |= {name: "min" for name in ends if name.endswith("low")}
    how |= {name: "max" for name in ends if name.endswith("high")}
    if not by:
        table = runs.agg(how).to_frame().T
        return table.assign(
            lowest=runs["value"].min(), highest=runs["value"].max(), n_seeds=len(runs)
        )
    groups = runs.groupby(list(by), observed=True, sort=True)
    table = groups.agg(how)
    table["lowest"], table["highest"] = groups["value"].min(), groups["value"].max()
    table["n_seeds"] = groups[SEED_COLUMN].nunique()
    return table.reset_index()


def floor_at(steps: Collection[int], world: pd.DataFrame) -> pd.DataFrame:
    """The value of a world that has nothing to share, at these steps.

    Between two measured steps it is a straight line in log(1 + step); beyond the world's last step
    it is that of the last step, and `beyond` says so.

    - `world`: `step`, `value`, one row per step.
    """
    known = world.sort_values("step")
    at = np.interp(np.log1p(list(steps)), np.log1p(known["step"]), known["value"])
    return pd.DataFrame(
        {"step": list(steps), "floor": at, "beyond": np.array(list(steps)) > known["step"].max()}
    )


def onsets(
    rows: pd.DataFrame, floor: float = 0.0, fraction: float = 0.5, by: Sequence[str] = ()
) -> pd.DataFrame:
    """Onset in tokens of the mean over language pairs, the mean of the training seeds.

    Its interval runs from the earliest crossing of the upper ends of the seeds' intervals to the
    latest crossing of the lower ends, of the same level.

    - `floor`, `fraction`: see `meanings.statistics.onset.Rule`.

    Columns: `by`, `onset`, `low`, `high` (inf: not within this training), `n_seeds`.
    """
    runs = over_pairs(rows, [*by, "tokens"])
    found = []
    for name, part in runs.groupby(list(by), observed=True) if by else [((), runs)]:
        seeds = [run for _, run in part.groupby(SEED_COLUMN)]
        moments = [crossed(run, floor, fraction) for run in seeds]
        found.append(
            dict(zip(by, name, strict=True))
            | {
                "onset": float(np.mean(moments)),
                "low": min(crossed(run, floor, fraction, "high") for run in seeds),
                "high": max(crossed(run, floor, fraction, "low") for run in seeds),
                "n_seeds": len(moments),
            }
        )
    return pd.DataFrame(found)


def crossed(curve: pd.DataFrame, floor: float, fraction: float, end: str = "value") -> float:
    """The moment in tokens from which on one curve stays above a share of the way from the floor to
    the last `value`.

    - `end`: the curve that has to stay above it: `value`, or an end of its interval; `value` where
      it was measured without.
    """
    curve = curve.sort_values("tokens")
    rule = Rule(floor, fraction, minimum_rise=HALF.minimum_rise)
    value = curve["value"].to_numpy(float)
    values = curve[end].fillna(curve["value"]).to_numpy(float) if end in curve else value
    tokens = curve["tokens"].to_numpy(float)
    return float(crossing(values[None], tokens, rule, value[None, -1])[0])


def share_above_null(rows: pd.DataFrame) -> float:
    """Share of the rows whose interval lies above the range of their null."""
    return float((rows["low"] > rows["null_high"]).mean())
