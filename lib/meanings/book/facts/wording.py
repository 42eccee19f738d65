"""Words for numbers that several pages share."""

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from meanings.core.formatting import span
from meanings.statistics import selection


def interval(row: pd.Series) -> str:
    """A row's `mean` with its interval, `0.61 [0.55, 0.67]`."""
    return span(row["mean"], row["low"], row["high"])


def either(condition: bool | np.bool_, yes: str, no: str) -> str:
    """One of two readings, whichever the numbers say."""
    return yes if condition else no


def share_of_training(moment: Real, table: pd.DataFrame) -> str:
    """An onset in tokens as a clause about the training that `table` covers."""
    if not np.isfinite(moment):
        return "within this training it has no onset"
    share = moment / table["tokens"].max()
    return (
        "half of its late height (mean of the last three checkpoints) is there after "
        f"{share:.0%} of the training"
    )


def plain_names(names: pd.Index | list[str]) -> str:
    """Labels joined by commas, underscores as spaces; `none` where there are none."""
    return ", ".join(str(name).replace("_", " ") for name in names) or "none"


def statements(rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The statements of claims, each under its id with underscores; one that does not hold says so.

    - `rows`: of `meanings.validity.claims.catalogue`.
    """
    return {
        row["id"].replace("-", "_"): row["statement"]
        + ("" if row["verdict"] == "holds" else f" This claim is {row['verdict']}.")
        for row in rows
    }


def claim(rows: Sequence[Mapping[str, Any]], name: str) -> str:
    """The statement of the claim with this id, as `statements` gives it."""
    return statements(rows)[name.replace("-", "_")]


def counted(table: pd.DataFrame) -> str:
    """What a figure rests on, `64 concepts, 5 language pairs, 3 training seeds`."""
    n = selection.described(table)
    return ", ".join(
        f"{n[name]} {word if n[name] == 1 else word + 's'}"
        for name, word in (
            ("concepts", "concept"),
            ("pairs", "language pair"),
            ("seeds", "training seed"),
        )
    )
