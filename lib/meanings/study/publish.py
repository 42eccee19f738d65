"""Merge cells into one table that ships with the study, small enough to redistribute, whole enough
to be recomputed.

Where the words may not be redistributed, only means over concepts are written: no word, no prompt,
no answer.
"""

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from meanings.core.atomic_files import atomic_file
from meanings.core.errors import MeaningsError
from meanings.core.paths import data_folder
from meanings.measures.catalogue import measure_named
from meanings.measures.cell_files import METADATA
from meanings.measures.cells import CELL_FIELDS, LATER, Cell
from meanings.measures.patching import PATCHING
from meanings.measures.results import join_cells, provenance_of

MEASURE = "{measure}"  # in a table's name: one table for each measure


def publish(
    folder: Path,
    name: str,
    keys: Iterable[str] | None = None,
    layers: Sequence[int] = (),
    measure: str = "",
    add: bool = False,
) -> Path:
    """Write `data/published/<name>.parquet` from the cells of a folder (those of `keys` only, where
    given).

    One row per cell, first layer and prompt, with the probabilities in the output language as
    float32, answers, and the cell's fields; the probabilities in the other languages stay behind.
    Text is dictionary-coded, numbers are zstd-compressed.

    - `layers`: rows of these first patched layers only, and of unpatched prompts; all, where none
      are named.
    - `measure`: cells of this one only; empty where they are all of one.
    - `add`: rows of the published table stay, but for those of the same cells.

    Raises MeaningsError where there are no cells, where two of them measure the same place (with
    other weights, say, or another number of generated tokens), or the name is no plain file name.
    """
    path = _path(name, "parquet")
    provenance = provenance_of(folder, keys)
    if measure and len(provenance):
        provenance = provenance[_measures(provenance) == measure]
    if provenance.empty:
        raise MeaningsError(
            f"{folder}: no results{f' of {measure}' if measure else ''}; run 'meanings study' first"
        )
    measured = measure_named(_the_measure(folder, provenance))
    place = list(measured.place)
    provenance = provenance.sort_values(place)
    twice = provenance[provenance.duplicated(place)]
    if len(twice):
        values = ", ".join(f"{name} {twice.iloc[0][name]}" for name in place)
        raise MeaningsError(
            f"{folder}: {len(twice)} cells occur twice, perhaps with different weights, such as "
            f"{values}; name the grid to publish, and let no two grids share cells"
        )
    table = join_cells(folder, provenance["key"])
    # The cells' fields come after their rows' columns, beginning with the key.
    fields = table.column_names[table.column_names.index("key") :]
    known = [name for name in measured.columns.names if name in table.column_names]
    table = table.select([*known, *fields])
    if layers:
        table = table.filter(pc.field("first_layer").isin([-1, *layers]))
    versions = provenance[
        [column for column in provenance if column.startswith("versions.")]
    ].drop_duplicates()
    content = {"name": name, "cells": len(provenance), "versions": versions.to_dict("records")}
    if add and path.is_file():
        table, content = _with_published(table, content, path, place)
    return write_table(
        table.replace_schema_metadata({METADATA: json.dumps(content).encode()}), path
    )


def _with_published(
    table: pa.Table, content: dict, path: Path, place: list[str]
) -> tuple[pa.Table, dict]:
    """The rows of a published table but for those of the same places, then the new ones."""
    old = pq.read_table(path)
    new_places = set(_places(table, place).itertuples(index=False, name=None))
    known = _places(old, place, "key")
    again = [
        key
        for key, *where in known.itertuples(index=False, name=None)
        if tuple(where) in new_places
    ]
    kept = old.filter(
        pc.invert(pc.is_in(pc.cast(old["key"], pa.string()), pa.array(again, pa.string())))
    )
    before = json.loads((old.schema.metadata or {}).get(METADATA, b"{}"))
    versions = [*before.get("versions", ()), *content["versions"]]
    later = [name for name in LATER if name in {*kept.column_names, *table.column_names}]
    whole = pa.concat_tables(
        [_with_usual(each, later).replace_schema_metadata() for each in (kept, table)],
        promote_options="permissive",
    ).unify_dictionaries()
    return whole, content | {
        "cells": pc.count_distinct(pc.cast(whole["key"], pa.string())).as_py(),
        "versions": [each for i, each in enumerate(versions) if each not in versions[:i]],
    }


def _places(table: pa.Table, place: list[str], *more: str) -> pd.DataFrame:
    """Where the cells of a table were measured, a row each; all as text.

    A field that a table lacks has its usual value in all of its cells.
    """
    whole = _with_usual(
        table.select([n for n in (*more, *place) if n in table.column_names]), place
    )
    return whole.select([*more, *place]).to_pandas().astype(str).drop_duplicates()


def _with_usual(table: pa.Table, names: Iterable[str]) -> pa.Table:
    """The table with the fields that it lacks, at the value that such cells were measured with."""
    for name in names:
        if name not in table.column_names:
            usual = LATER[name]
            usual = " ".join(usual) if isinstance(usual, tuple) else usual
            column = pa.array([usual] * len(table))
            coded = column.dictionary_encode() if isinstance(usual, str) else column
            table = table.append_column(name, coded)
    return table


def publish_each(
    folder: Path, template: str, keys: Iterable[str] | None = None, add: bool = False
) -> list[Path]:
    """As `publish`, a table for each measure of the cells: `{measure}` in the template is its name.

    Raises MeaningsError as `publish`, and where a name is no plain file name.
    """
    provenance = provenance_of(folder, keys)
    if provenance.empty:
        raise MeaningsError(f"{folder}: no results; run 'meanings study' first")
    named = _measures(provenance)
    paths = []
    for measure in sorted(named.unique()):
        own = provenance["key"][named == measure].tolist()
        paths.append(publish(folder, template.replace(MEASURE, measure), own, add=add))
    return paths


def _measures(provenance: pd.DataFrame) -> pd.Series:
    """Each cell's measure; patching's cells are older than the column."""
    if "measure" not in provenance:
        return pd.Series(PATCHING.name, index=provenance.index)
    return provenance["measure"].fillna(PATCHING.name)


def _the_measure(folder: Path, provenance: pd.DataFrame) -> str:
    """The one measure of these cells."""
    names = sorted(_measures(provenance).unique())
    if len(names) > 1:
        raise MeaningsError(
            f"{folder}: cells of {' and '.join(names)} have different columns; name a grid of one "
            f"measure, or a measure such as --measure {names[0]}, or a table's name with {MEASURE} "
            "in it for one table each"
        )
    return names[0]


def write_table(table: pa.Table, path: Path) -> Path:
    """Write aside, then rename; text dictionary-coded, numbers compressed."""
    floats = [field.name for field in table.schema if pa.types.is_floating(field.type)]
    cure = "make room, or see who may write there"
    with atomic_file(path, cure) as aside:
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
        raise MeaningsError(f"published table {name!r} does not exist; run without --add first")
    names = pq.read_schema(path).names
    fields = [name for name in ("key", *CELL_FIELDS) if name not in LATER or name in names]
    if "measure" in names:  # all that stands behind the rows' own columns
        fields = names[names.index("key") :]
    table = pq.read_table(path, columns=fields)
    first = np.flatnonzero(~table["key"].to_pandas().duplicated())  # a cell has hundreds of rows
    return [_cell(row) for row in table.take(first).to_pandas().to_dict("records")]


def _cell(row: dict) -> Cell:
    values = {
        name: value.split() if name in ("languages", "seen_languages") else value
        for name, value in row.items()
    }
    return Cell.of_columns(values) if "measure" in row else Cell.from_dict(values)
