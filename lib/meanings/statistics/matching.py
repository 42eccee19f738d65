"""Cells that several conditions have in common, so that a comparison is of like with like.

A condition may be defined for fewer language pairs than those beside it: copying in the output
language (`self`) does not exist where the output is English. Means over whatever each condition has
would compare other pairs as well as other conditions.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from meanings.core.errors import MeaningsError

# What makes a cell, of the columns that a table has; `pairs` is of tables of means over pairs.
CELL = (
    "model",
    "training_seed",
    "step",
    "tokens",
    "pair",
    "pairs",
    "prompt_seed",
    "source_concept",
)


def shared_cells(
    table: pd.DataFrame,
    conditions: Sequence[str],
    *,
    column: str = "condition",
    by: Sequence[str] = (),
) -> pd.DataFrame:
    """The rows of `conditions` in the cells that all of them have, in the order of the table.

    A cell is a language pair, concept, training seed and checkpoint (the columns `CELL` that the
    table has). Conditions that the table has nowhere are left out.

    - `column`: where the conditions stand; `by`: further columns that must agree, such as the first
      patched layer.

    Raises MeaningsError where the conditions have no cell in common.
    """
    chosen = np.flatnonzero(table[column].isin(list(conditions)))
    keys = [name for name in dict.fromkeys((*CELL, *by)) if name in table and name != column]
    # Of what is compared alone: a table may have millions of rows and thirty columns.
    rows = table[[column, *keys]].iloc[chosen]
    codes, names = pd.factorize(rows[column])
    if len(names) < 2 or not keys:
        return table.iloc[chosen]
    cells = rows.groupby(keys, observed=True, sort=False, dropna=False).ngroup().to_numpy()
    occurring = np.unique(cells * len(names) + codes)
    shared = np.bincount(occurring // len(names)) == len(names)
    found = chosen[shared[cells]]
    if not len(found):
        present = ", ".join(name for name in conditions if name in set(names))
        raise MeaningsError(
            f"{present} have no language pair, concept, training seed and "
            "checkpoint in common; compare conditions of one grid"
        )
    return table.iloc[found]
