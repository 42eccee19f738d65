"""Depth: between which layers a patch has its effect, with an interval.

    gain(l) = mean over concepts of  P(source | condition, l) - P(source | null, l)
    first, last = the lowest and the highest l with  gain(l) >= 1/2 max over l of gain

Of the sweep that overwrites all layers from l on, only `last` says something about the model: the
layer after it is where most of the query word has been read. Of patches at one layer alone
(`layers: only`), `first` under `seen` is the layer at which languages meet: the
lowest whose output serves where the languages differ. Why: `meanings.validity.ground_truth`.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from meanings.core.errors import MeaningsError
from meanings.statistics.matching import shared_cells
from meanings.statistics.resampling import point_means, resampled_means, to_array


def depth(
    table: pd.DataFrame,
    condition: str = "seen",
    null: str = "null_concept",
    *,
    value: str = "p_source",
    fraction: float = 0.5,
    minimum_gain: float = 0.05,
    unit: str = "source_concept",
    n: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """First and last layer of a condition's effect over its null: two rows, `what` (first, last),
    `layer`, `low`, `high`.

    - `minimum_gain`: where no layer gains this much over the null there is no effect, and no layer:
      -1.

    The interval is a percentile bootstrap over concepts and training seeds, among the resamples
    that have an effect.

    Raises MeaningsError where one of the conditions is not in the table, or they share no cell.
    """
    patched = table[table["first_layer"] >= 0]
    rows = shared_cells(patched, [condition, null])
    there = set(rows["condition"].astype(str))
    if there != {condition, null}:
        raise MeaningsError(
            f"a depth needs patched rows of {condition!r} and {null!r}; the table has "
            f"{', '.join(sorted(there)) or 'neither'}; measure both"
        )
    (_, layers), values = to_array(
        rows.astype({"condition": object}), value, ["condition", "first_layer"], unit
    )
    of_condition, of_null = values if condition < null else values[::-1]
    if (np.isnan(of_condition) != np.isnan(of_null)).any():
        raise MeaningsError(
            f"{condition!r} and {null!r} do not have the same layers; compare conditions of one "
            "grid"
        )
    gain = of_condition - of_null
    point = ends(point_means(gain)[None], layers, fraction, minimum_gain)
    drawn = ends(resampled_means(gain, n, seed), layers, fraction, minimum_gain)
    found = []
    for name, at, draws in zip(("first", "last"), point, drawn, strict=True):
        some = draws[draws >= 0]
        low, high = (
            np.quantile(some, [(1 - level) / 2, (1 + level) / 2], method="nearest")
            if len(some)
            else (-1, -1)
        )
        found.append({"what": name, "layer": int(at[0]), "low": int(low), "high": int(high)})
    return pd.DataFrame(found)


def ends(
    gains: np.ndarray, layers: Sequence[int] | np.ndarray, fraction: float, minimum_gain: float
) -> tuple[np.ndarray, np.ndarray]:
    """First and last layer of each row of `gains` [curve, layer] that has at least `fraction` of
    the row's largest; -1 where there is no gain.
    """
    best = gains.max(axis=1, keepdims=True)
    enough = (gains >= fraction * best) & (best >= minimum_gain)
    order = np.asarray(layers)
    first = np.where(enough.any(axis=1), order[enough.argmax(axis=1)], -1)
    last = np.where(enough.any(axis=1), order[len(order) - 1 - enough[:, ::-1].argmax(axis=1)], -1)
    return first, last
