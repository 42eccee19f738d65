"""Rows and columns picked out of a table of cells."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from meanings.core.errors import MeaningsError
from meanings.statistics.resampling import SEED_COLUMN


def followed(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of the pairs that were measured at every checkpoint: means over training are of
    these, the same pairs throughout.
    """
    pairs, names = pd.factorize(table["pair"])
    steps, checkpoints = pd.factorize(table["step"])
    measured = np.zeros((len(names), len(checkpoints)), dtype=bool)
    measured[pairs, steps] = True
    return table[measured.all(axis=1)[pairs]]


def stack(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Tables one under the other."""
    return pd.concat(tables, ignore_index=True)


def one(table: pd.DataFrame, **where: Any) -> pd.Series:
    """The one row with these values. Raises MeaningsError where there is none, or more."""
    rows = table
    for name, value in where.items():
        rows = rows[rows[name].astype(type(value)) == value]
    if len(rows) != 1:
        raise MeaningsError(f"{len(rows)} rows with {where}; expected one")
    return rows.iloc[0]


def lead(table: pd.DataFrame) -> str:
    """The condition that stands for the shared space: the other-language mean `seen`, or, of a
    model whose languages leave no other pair, the first of `tgt`, `self`, `en_en` that the table
    has.

    Raises MeaningsError where it has none of them.
    """
    present = set(table["condition"].unique())
    for name in ("seen", "tgt", "self", "en_en"):
        if name in present:
            return name
    raise MeaningsError("no patched condition in the table; measure seen, tgt, self or en_en")


def last_checkpoint(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of the last checkpoint."""
    return table[table["tokens"] == table["tokens"].max()]


def split_pairs(table: pd.DataFrame) -> pd.DataFrame:
    """The table with columns `input` and `output`, categorical, from `pair`."""
    pairs = table["pair"].astype("category")
    # By name of a pair, not by row: a published table has millions of rows.
    halves = [str(pair).partition("-") for pair in pairs.cat.categories]
    sides = {"input": [half[0] for half in halves], "output": [half[2] for half in halves]}
    return table.assign(**{side: _renamed(pairs, names) for side, names in sides.items()})


def _renamed(column: pd.Series, names: Sequence[str]) -> pd.Series:
    """A categorical column with other names of its categories; several may get the same."""
    names = pd.Categorical(names)
    codes = np.where(column.cat.codes < 0, -1, names.codes[column.cat.codes])
    return pd.Series(
        pd.Categorical.from_codes(codes, dtype=names.dtype), index=column.index, name=column.name
    )


def described(table: pd.DataFrame) -> dict[str, Any]:
    """What a table covers, for prose: counts of checkpoints, pairs, concepts, training seeds, and
    layers.
    """
    return {
        "checkpoints": table["step"].nunique(),
        "pairs": table["pair"].nunique(),
        "concepts": table["source_concept"].nunique(),
        "seeds": table[SEED_COLUMN].nunique(),
        "layers": int(table["first_layer"].max()) + 1,
        "conditions": table["condition"].nunique(),
    }
