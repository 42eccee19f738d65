"""Rows and columns picked out of a table of cells."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from meanings.core.errors import MeaningsError
from meanings.statistics.resampling import SEED_COLUMN


def followed(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of the pairs that were measured at every checkpoint: means over training are of
    these, the same pairs throughout.
    """
    checkpoints = table.groupby("pair", observed=True)["step"].nunique()
    return table[table["pair"].isin(checkpoints.index[checkpoints == table["step"].nunique()])]


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


def last_checkpoint(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of the last checkpoint."""
    return table[table["tokens"] == table["tokens"].max()]


def split_pairs(table: pd.DataFrame) -> pd.DataFrame:
    """The table with columns `input` and `output` from `pair`."""
    halves = table["pair"].astype(str).str.split("-", n=1)
    return table.assign(input=halves.str[0], output=halves.str[1])


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
