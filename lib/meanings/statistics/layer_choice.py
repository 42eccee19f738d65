"""The first patched layer of each condition, chosen on one half of the concepts and reported on the
other.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from meanings.core.errors import MeaningsError
from meanings.patching.conditions import PATCHED
from meanings.statistics.bootstrap import point_means, to_grid


def split_half_best_layer(
    df: pd.DataFrame,
    value: str,
    by: Sequence[str] = (),
    *,
    layer: str = "first_layer",
    unit: str = "source_concept",
    seed: int = 0,
) -> pd.DataFrame:
    """Rows of the best layer of each group of `by`, chosen on one half of the units and reported on
    the other.

    Units are halved at random; each half's rows are those of the layer whose mean over the other
    half is highest, so that no row helped to choose its own layer: the maximum over layers of the
    same data would be too high. Feed the rows to `interval`. Columns of `df`, and `best_layer`.

    Raises MeaningsError where there are fewer than two units.
    """
    units = np.array(sorted(df[unit].unique()), dtype=object)
    if len(units) < 2:
        raise MeaningsError(f"{len(units)} {unit}; choosing a layer on one half needs two or more")
    order = np.random.Generator(np.random.PCG64(seed)).permutation(len(units))
    first = set(units[order[: len(units) // 2]])
    in_first = df[unit].isin(first).to_numpy()
    parts = []
    for reported in (in_first, ~in_first):
        chosen = best_layer(df[~reported], value, by, layer=layer, unit=unit)
        rows = df[reported]
        if by:
            parts.append(
                rows.merge(chosen[[*by, "best_layer"]], on=list(by), how="inner").query(
                    f"`{layer}` == best_layer"
                )
            )
        else:
            parts.append(
                rows[rows[layer] == chosen["best_layer"].iloc[0]].assign(
                    best_layer=chosen["best_layer"].iloc[0]
                )
            )
    return pd.concat(parts, ignore_index=True)


def best_layer(
    df: pd.DataFrame,
    value: str,
    by: Sequence[str] = (),
    *,
    layer: str = "first_layer",
    unit: str = "source_concept",
) -> pd.DataFrame:
    """The layer with the highest mean in each group of `by` (the lowest such layer on ties): `by`,
    `best_layer`, `mean`.
    """
    grid = to_grid(df, value, [*by, layer], unit)
    means = grid.groups.assign(mean=point_means(grid.values)).sort_values(
        [*by, layer], kind="stable"
    )
    if by:
        best = means.loc[means.groupby(list(by), observed=True)["mean"].idxmax()]
    else:
        best = means.loc[[means["mean"].idxmax()]]
    return best.rename(columns={layer: "best_layer"}).reset_index(drop=True)


def at_chosen_layer(
    table: pd.DataFrame, first_layer: int = -1, value: str = "p_source", seed: int = 0
) -> pd.DataFrame:
    """One first patched layer for each condition, and the unpatched rows as they are.

    - `first_layer`: that layer; -1 chooses each condition's best on half of the concepts and
      reports the other half. The nulls and `tgt_tgt` take the layers chosen for `seen`, so that
      they are not given a choice of their own.
    """
    patched = table[table["first_layer"] >= 0]
    parts = [table[table["first_layer"] < 0]]
    if first_layer >= 0:
        layers = sorted(patched["first_layer"].unique())
        if first_layer not in layers:
            raise MeaningsError(
                f"first_layer={first_layer}: the model's layers run from {layers[0]} to "
                f"{layers[-1]}"
            )
        return pd.concat(
            [*parts, patched[patched["first_layer"] == first_layer]], ignore_index=True
        )
    own = patched[patched["condition"].isin(PATCHED)]
    for name in own["condition"].unique():
        parts.append(split_half_best_layer(own[own["condition"] == name], value, seed=seed))
    lead = "seen" if "seen" in set(own["condition"]) else str(own["condition"].iloc[0])
    best = next(part for part in parts[1:] if (part["condition"] == lead).all())
    layer_of = best.drop_duplicates("source_concept").set_index("source_concept")["best_layer"]
    rest = patched[~patched["condition"].isin(PATCHED)]
    follows = rest["source_concept"].astype(object).map(layer_of)
    parts.append(rest[rest["first_layer"] == follows])
    return pd.concat(parts, ignore_index=True)


def layer_chosen(chosen: pd.DataFrame, condition: str = "seen") -> str:
    """The layers that were chosen for a condition, as text: `4`, or `4 and 5` where the halves
    differ.
    """
    layers = sorted(chosen.loc[chosen["condition"] == condition, "first_layer"].unique())
    return " and ".join(str(layer) for layer in layers)
