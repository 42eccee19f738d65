"""What several solutions read: published tables in part, and means of companion measures."""

from __future__ import annotations

from functools import cache

import pandas as pd

from meanings.measures.results import published

UNSEEN = ("cy", "sw")  # languages of the lexicon that the miniature was never trained on


@cache
def table(name: str, columns: tuple[str, ...] = (), **where: str | int) -> pd.DataFrame:
    """The rows of a published table with these values, kept for the next exercise.

    - `columns`: those to read, all where none are named.
    """
    return published(name, columns or None, {key: [value] for key, value in where.items()})


def at_end(measure: str, variant: str, model: str = "miniature") -> pd.DataFrame:
    """The rows of a companion measure's variant at the last step of a model."""
    rows = table(measure, variant=variant, model=model)
    return rows[rows["step"] == rows["step"].max()]


def above_null(rows: pd.DataFrame) -> float:
    """The mean of the values above their nulls."""
    return float((rows["value"] - rows["null"]).mean())
