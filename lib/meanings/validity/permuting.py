"""Labels permuted within concepts: two exchanged, or many drawn again, in tables and in arrays.

One random generator per permutation; a table and an array are permuted alike by the same one.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

UNIT = "source_concept"


def exchanged(
    table: pd.DataFrame, a: str, b: str, random: np.random.Generator, column: str = "condition"
) -> pd.DataFrame:
    """The rows of `a` and `b`, the two labels exchanged for every concept with probability one
    half.
    """
    rows = table[table[column].isin([a, b])]
    codes, concepts = pd.factorize(rows[UNIT], sort=True)
    swap = (random.random(len(concepts)) < 0.5)[codes]
    names = rows[column].astype(str).to_numpy()
    return rows.assign(**{column: np.where(swap, np.where(names == a, b, a), names)})


def permuted_within(table: pd.DataFrame, column: str, random: np.random.Generator) -> pd.DataFrame:
    """The labels of `column` permuted within each concept, one permutation per concept for all its
    rows.
    """
    codes, labels = pd.factorize(table[column], sort=True)
    units, concepts = pd.factorize(table[UNIT], sort=True)
    places = np.argsort(random.random((len(concepts), len(labels))), axis=1)
    return table.assign(**{column: np.asarray(labels)[places[units, codes]]})


def exchanges(
    randoms: Sequence[np.random.Generator], n_units: int
) -> Bool[np.ndarray, "permutation unit"]:
    """For which units the two labels are exchanged; the same as `exchanged` draws."""
    return np.stack([random.random(n_units) < 0.5 for random in randoms])


def permuted(
    values: Float[np.ndarray, "label *rest unit"], randoms: Sequence[np.random.Generator]
) -> Float[np.ndarray, "permutation label *rest unit"]:
    """Values whose labels are permuted within each unit; the same as `permuted_within` draws."""
    labels, units = values.shape[0], values.shape[-1]
    found = np.empty((len(randoms), *values.shape))
    for row, random in zip(found, randoms, strict=True):
        places = np.argsort(random.random((units, labels)), axis=1)
        for unit in range(units):
            row[places[unit], ..., unit] = values[..., unit]
    return found


def unit_means(table: pd.DataFrame, by: list[str], value: str = "p_source") -> pd.DataFrame:
    """Means over everything but `by`, training seed and concept: a small table with the same
    statistics.
    """
    keys = [*by, "training_seed", UNIT]
    found = table.groupby(keys, observed=True)[value].mean().reset_index()
    categories = [name for name in keys if isinstance(found[name].dtype, pd.CategoricalDtype)]
    return found.astype(dict.fromkeys(categories, str))
