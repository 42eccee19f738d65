"""A page's table as a reader has it: one Parquet file beside the notebook, in place of a folder of
measured cells. Reading it needs no model and no torch.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from meanings.book.chapter_parameters import ChapterParameters
from meanings.core.errors import MeaningsError, one_of
from meanings.measures.cell_files import METADATA
from meanings.measures.results import to_frame

SUFFIX = ".parquet"
# Columns that a chapter's parameters choose among, by the parameter's name.
CHOSEN = {
    name: name for name in ("training_seed", "pair", "prompt_seed", "shots", "n_pairs", "template")
}


def is_table(results: str | Path) -> bool:
    """Whether `results` names a downloaded table rather than a folder of cells."""
    return Path(results).suffix == SUFFIX


def cells(parameters: ChapterParameters, path: str | Path) -> pd.DataFrame:
    """The rows of a downloaded table that fit these parameters, in the form of `read_cells`.

    Raises MeaningsError where the table is not there, or holds nothing for a parameter's value.
    """
    table = read(path)
    for name, column in CHOSEN.items():
        if not hasattr(parameters, name) or column not in table:
            continue
        value = getattr(parameters, name)
        wanted = list(value) if isinstance(value, tuple) else [value]
        there = list(table[column].unique())
        if lacking := [each for each in wanted if each not in there]:
            raise MeaningsError(
                f"{path}: nothing measured for {name}={one_of(lacking)}; the table has "
                f"{one_of(there)}. Other values are measured by 'meanings chapter' in the "
                "project's folder"
            )
        if len(wanted) < len(there):
            table = _restricted(table[table[column].isin(wanted)])
    return table


def measure_rows(path: str | Path, measure: str, model: str) -> pd.DataFrame:
    """The rows of one companion measure of a model in a downloaded table.

    Raises MeaningsError where the table is not there or has no such rows.
    """
    table = read(path)
    if not {"measure", "model"} <= set(table):
        raise MeaningsError(f"{path}: no companion measure's table; take {measure}{SUFFIX}")
    found = table[(table["measure"] == measure) & (table["model"] == model)]
    if found.empty:
        there = table[["measure", "model"]].astype(str).drop_duplicates().agg(" of ".join, axis=1)
        raise MeaningsError(f"{path}: no rows of {measure} of {model}; it has {one_of(there)}")
    return _restricted(found)


def read(path: str | Path) -> pd.DataFrame:
    """The whole table. Raises MeaningsError where the file is not there or is no Parquet."""
    try:
        return to_frame(pq.read_table(path).unify_dictionaries())
    except FileNotFoundError:
        raise MeaningsError(
            f"{path}: this table is not here; download it from the chapter's page into the "
            "notebook's folder"
        ) from None
    except (OSError, ValueError) as error:
        raise MeaningsError(f"{path}: cannot be read as Parquet ({error})") from None


def versions(path: str | Path) -> dict[str, Any]:
    """The versions that the rows were measured with, by package; empty where none are written."""
    content = (pq.read_schema(path).metadata or {}).get(METADATA, b"{}")
    return json.loads(content).get("measured_with", {})


def _restricted(rows: pd.DataFrame) -> pd.DataFrame:
    """Fewer rows, as if no others had been read: their index, and categories that occur."""
    rows = rows.reset_index(drop=True)
    for name in rows.select_dtypes("category"):
        rows[name] = rows[name].cat.remove_unused_categories()
    return rows
