"""Merge cells into one table that ships with the study, small enough to redistribute, whole enough
to be recomputed.

Where the words may not be redistributed, only means over concepts are written: no word, no prompt,
no answer.
"""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from meanings.core.atomic_files import atomic_file
from meanings.core.errors import MeaningsError
from meanings.core.paths import data_folder
from meanings.measures.cells import CELL_FIELDS, LATER, Cell
from meanings.measures.results import COLUMNS, METADATA, SHOTS, join_cells, provenance_of
from meanings.prompts.concept_pair import ConceptPair

ORDER = ("model", "training_seed", "step", "prompt_seed", "pair", "condition")
PLACE = (
    *ORDER,
    "lexicon",
    "template",
    "shots",
    "n_pairs",
    "score",
    *LATER,
)  # what tells the rows of one cell from those of any other


def publish(folder: Path, name: str, keys: Iterable[str] | None = None) -> Path:
    """Write `data/published/<name>.parquet` from the cells of a folder (those of `keys` only, where
    given).

    One row per cell, first layer and prompt, with the probabilities in the output language as
    float32, answers, and the cell's fields; the probabilities in the other languages stay behind.
    Text is dictionary-coded, numbers are zstd-compressed.

    Raises MeaningsError where there are no cells, where two of them measure the same place (with
    other weights, say, or another number of generated tokens), or the name is no plain file name.
    """
    path = _path(name, "parquet")
    provenance = provenance_of(folder, keys)
    if provenance.empty:
        raise MeaningsError(f"{folder}: no results; run 'meanings study' first")
    provenance = provenance.sort_values(list(ORDER))
    twice = provenance[provenance.duplicated(list(PLACE))]
    if len(twice):
        cell = twice.iloc[0]
        raise MeaningsError(
            f"{folder}: {len(twice)} cells are there twice with other weights or another "
            f"`generate`, such as pair {cell['pair']} under "
            f"{cell['condition']} at step {cell['step']}; name the grid that is meant, and let no "
            "two grids share a pair and a step"
        )
    table = join_cells(folder, provenance["key"])
    table = table.select(
        [
            *COLUMNS,
            *(column for column in SHOTS if column in table.column_names),
            "key",
            *(name for name in CELL_FIELDS if name not in LATER or name in provenance),
        ]
    )
    versions = provenance[
        [column for column in provenance if column.startswith("versions.")]
    ].drop_duplicates()
    content = {"name": name, "cells": len(provenance), "versions": versions.to_dict("records")}
    return _write(table.replace_schema_metadata({METADATA: json.dumps(content).encode()}), path)


def add_shots(name: str, drawn: Callable[[Cell], Sequence[ConceptPair]]) -> Path:
    """Add `source_shots` and `target_shots` to a published table that lacks them; its other content
    stays.

    - `drawn(cell)`: the cell's concept pairs, as they are drawn from lexicon, tokenizer and prompt
      seed.

    Raises MeaningsError where the table has the columns, or where a pair drawn is not the one that
    a row was measured with.
    """
    path = _path(name, "parquet")
    cells = {cell.key: cell for cell in published_cells(name)}
    table = pq.read_table(path)
    if set(SHOTS) & set(table.column_names):
        raise MeaningsError(
            f"published table {name!r} has the concepts of its solved lines already"
        )
    rows = table.select(
        ["key", "prompt", "source_concept", "target_concept", "null_concept"]
    ).to_pandas()
    pairs = {key: list(drawn(cell)) for key, cell in cells.items()}
    lookup = {
        key: [
            [p.source, p.target, p.null, "|".join(p.source_shots), "|".join(p.target_shots)]
            for p in each
        ]
        for key, each in pairs.items()
    }
    places = rows[["key", "prompt"]].astype({"key": str}).drop_duplicates()
    table_of = places.assign(
        drawn=[lookup[key][prompt] for key, prompt in places.itertuples(index=False)]
    )
    wide = pd.DataFrame(
        table_of["drawn"].tolist(), index=table_of.index, columns=["s", "t", "n", *SHOTS]
    )
    merged = rows.astype({"key": str}).merge(
        pd.concat([places, wide], axis=1), on=["key", "prompt"], how="left", validate="many_to_one"
    )
    for short, column in (("s", "source_concept"), ("t", "target_concept"), ("n", "null_concept")):
        differ = merged[merged[short] != merged[column].astype(str)]
        if len(differ):
            row = differ.iloc[0]
            raise MeaningsError(
                f"published table {name!r}, cell {row['key'][:12]}, prompt {row['prompt']}: "
                f"{column} is {row[column]!r}, drawn was {row[short]!r}; "
                "its lexicon, tokenizer or prompt seed is another one"
            )
    at = table.column_names.index("key")
    for i, column in enumerate(SHOTS):
        table = table.add_column(
            at + i, column, pa.array(merged[column], pa.string()).dictionary_encode()
        )
    return _write(table, path)


def _write(table: pa.Table, path: Path) -> Path:
    """Write aside, then rename; text dictionary-coded, numbers compressed."""
    floats = [field.name for field in table.schema if pa.types.is_floating(field.type)]
    with atomic_file(path, CURE) as aside:
        pq.write_table(
            table,
            aside,
            compression="zstd",
            compression_level=15,
            use_dictionary=[column for column in table.column_names if column not in floats],
            use_byte_stream_split=floats,
            row_group_size=1_000_000,
        )
    return path


CURE = "make room, or see who may write there"


def check_name(name: str) -> None:
    """Raises MeaningsError where it is no plain file name."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,63}", name):
        raise MeaningsError(
            f"table name {name[:80]!r}: expected lower case letters, digits, '-' and '_', at most "
            "64"
        )


def _path(name: str, suffix: str) -> Path:
    check_name(name)
    return data_folder() / "published" / f"{name}.{suffix}"


def published_cells(name: str) -> list[Cell]:
    """The cells of a published table, in its order: what a recomputation asks for."""
    path = data_folder() / "published" / f"{name}.parquet"
    if not path.is_file():
        raise MeaningsError(f"published table {name!r} is not there")
    there = [
        name
        for name in ("key", *CELL_FIELDS)
        if name not in LATER or name in pq.read_schema(path).names
    ]
    fields = pq.read_table(path, columns=there).to_pandas().drop_duplicates("key")
    return [_cell(row) for row in fields.to_dict("records")]


def _cell(row: dict) -> Cell:
    return Cell.from_dict(
        {
            name: value.split() if name in ("languages", "seen_languages") else value
            for name, value in row.items()
        }
    )
