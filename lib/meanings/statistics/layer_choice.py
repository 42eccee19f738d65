"""The first patched layer of each condition, chosen on one half of the concepts and reported on the
other.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from meanings.core.errors import MeaningsError, one_of
from meanings.patching.conditions import PATCHED
from meanings.statistics.matching import shared_cells
from meanings.statistics.resampling import point_means, to_array


def halves(n_units: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """The units, as indices, of two halves drawn at random."""
    order = np.random.Generator(np.random.PCG64(seed)).permutation(n_units)
    return np.sort(order[: n_units // 2]), np.sort(order[n_units // 2 :])


def split_half_layers(
    values: Float[np.ndarray, "*rest layer seed unit"], seed: int = 0
) -> Int[np.ndarray, "*rest unit"]:
    """For each unit the layer, as an index, with the highest mean over the other half of the units.

    The lowest such layer on ties; -1 where the other half has no values.
    """
    first, second = halves(values.shape[-1], seed)
    found = np.empty((*values.shape[:-3], values.shape[-1]), dtype=int)
    for reported, choosing in ((first, second), (second, first)):
        means = point_means(values[..., choosing])
        best = np.where(np.isnan(means), -np.inf, means).argmax(axis=-1)
        found[..., reported] = np.where(np.isnan(means).all(axis=-1), -1, best)[..., None]
    return found


def take_layers(
    values: Float[np.ndarray, "*rest layer seed unit"], layers: Int[np.ndarray, "*rest unit"]
) -> Float[np.ndarray, "*rest seed unit"]:
    """The values of each unit at its own layer."""
    return np.take_along_axis(values, layers[..., None, None, :], axis=-3).squeeze(-3)


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
    units = pd.Index(sorted(df[unit].unique()), dtype=object)
    if len(units) < 2:
        raise MeaningsError(f"{len(units)} {unit}; choosing a layer on one half needs two or more")
    labels, values = to_array(df, value, [*by, layer], unit)
    chosen = split_half_layers(values, seed)
    where = [
        _places(df[name], names)
        for name, names in zip([*by, unit], [*labels[:-1], units], strict=True)
    ]
    index = chosen[tuple(where)]
    best = np.array(labels[-1])[index]
    at_best = (index >= 0) & (df[layer].to_numpy() == best)
    in_first = np.isin(where[-1], halves(len(units), seed)[0])
    order = np.concatenate([np.flatnonzero(at_best & half) for half in (in_first, ~in_first)])
    return df.iloc[order].assign(best_layer=best[order]).reset_index(drop=True)


def _places(column: pd.Series, names: Sequence | pd.Index) -> Int[np.ndarray, " row"]:
    """Each row's value as its place in `names`, -1 where it is none of them."""
    index = pd.Index(names, dtype=object)
    if not isinstance(column.dtype, pd.CategoricalDtype):
        return index.get_indexer(column.astype(object))
    # By category, not by row: a published table has millions of rows.
    known = np.append(index.get_indexer(column.cat.categories.astype(object)), -1)
    return known[column.cat.codes.to_numpy()]  # a missing value's code is -1


def at_chosen_layer(
    table: pd.DataFrame,
    first_layer: int = -1,
    value: str = "p_source",
    seed: int = 0,
    *,
    conditions: Sequence[str] = (),
) -> pd.DataFrame:
    """One first patched layer for each condition, and the unpatched rows as they are.

    - `conditions`: those that are compared: layers are chosen in, and rows given of, the cells that
      they share. Without them every condition has all of its own cells.
    - `first_layer`: that layer; -1 chooses each condition's best on half of the concepts and
      reports the other half. The nulls and `tgt_tgt` take the layers chosen for `seen`, so that
      they are not given a choice of their own.

    Raises MeaningsError where the layer is not in the table, no condition is patched, or the
    conditions share no cell.
    """
    if conditions:
        table = shared_cells(table, conditions)
    layer, condition = table["first_layer"], table["condition"]
    patched = layer >= 0
    unpatched = table[~patched]
    own = patched & condition.isin(PATCHED)
    if not (own if first_layer < 0 else patched).any():
        raise MeaningsError(
            "no patched condition is in the table, so it has no layer to choose; measure one of "
            f"{one_of(PATCHED)}"
        )
    if first_layer >= 0:
        if not (layer == first_layer).any():
            layers = sorted(layer[patched].unique())
            raise MeaningsError(
                f"first_layer={first_layer}: the model's layers run from {layers[0]} to "
                f"{layers[-1]}; choose one of these"
            )
        return pd.concat([unpatched, table[layer == first_layer]], ignore_index=True)
    parts = {
        name: split_half_best_layer(table[own & (condition == name)], value, seed=seed)
        for name in condition[own].unique()
    }
    best = parts.get("seen", next(iter(parts.values())))
    layer_of = best.drop_duplicates("source_concept").set_index("source_concept")["best_layer"]
    rest = table[patched & ~own]
    follows = rest["source_concept"].astype(object).map(layer_of)
    following = rest[rest["first_layer"] == follows]
    return pd.concat([unpatched, *parts.values(), following], ignore_index=True)


def layer_chosen(chosen: pd.DataFrame, condition: str = "seen") -> str:
    """The layers that were chosen for a condition, as text: `4`, or `4 and 5` where the halves
    differ.
    """
    layers = sorted(chosen.loc[chosen["condition"] == condition, "first_layer"].unique())
    return " and ".join(str(layer) for layer in layers)
