"""What the chapter Gender reads, and the box at its end."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version

import pandas as pd

from meanings.book.pages import READ_WITH
from meanings.measures.results import published
from meanings.statistics.resampling import SEED_COLUMN


def tables() -> dict[str, pd.DataFrame]:
    """The published tables that the chapter reads: `gender` and Gemma's."""
    return {name: published(name) for name in ("gender", "gemma-3-270m-gender")}


def provenance(read: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The box at the chapter's end: `what`, `value`."""
    table = read["gender"].astype({"model": str})
    runs = table.groupby("model")[SEED_COLUMN].nunique()
    told = {
        "tables": ", ".join(f"{name}.parquet" for name in read),
        "training runs": ", ".join(f"{model}: {n}" for model, n in runs.items()),
        "recipes": "data/miniature/worlds.yaml, data/lexicon/gender.csv",
        "lists of Gemma": "data/gender, a corrected copy of MultilingualBias (MIT)",
        "null": f"{table['permutations'].max()} draws, seed {table['seed'].max()}",
        "intervals": "95 %, over occupations; of a mean over layers or training runs the mean ends",
        "read with": ", ".join(f"{name} {version(name)}" for name in READ_WITH),
    }
    return pd.DataFrame({"what": list(told), "value": list(told.values())}).set_index("what")
