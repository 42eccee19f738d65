"""Results as tidy tables: the measured cells of a folder, and the tables of the study itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow.dataset import dataset

from meanings.core.errors import MeaningsError
from meanings.core.paths import data_folder
from meanings.measures.cell_files import (
    finished,
    path_of_measured,
    read_metadatas,
    read_table,
)
from meanings.measures.cells import LATER, Cell


def read_cells(folder: str | Path, keys: Iterable[str] | None = None) -> pd.DataFrame:
    """The cells of a folder (those of `keys` only, where given) as one table, the cell's fields as
    columns beside `key`.

    Text is categorical; `seen_languages` and `languages` are joined by spaces. A column that some
    cells lack is NaN there.

    Raises MeaningsError where the folder has none of them, or they are of several measures.
    """
    return to_frame(join_cells(folder, keys))


def join_cells(folder: str | Path, keys: Iterable[str] | None = None) -> pa.Table:
    """As `read_cells`, in Arrow, text dictionary-coded: a published grid has millions of rows."""
    tables, cells, measures = [], [], set()
    for key in sorted(finished(folder)) if keys is None else keys:
        cell, rows, _ = read_table(path_of_measured(folder, key))
        tables.append(rows.replace_schema_metadata())
        cells.append(cell.columns())
        measures.add(cell.measure)
        if len(measures) > 1:
            raise MeaningsError(
                f"{folder}: cells of {' and '.join(sorted(measures))} have different columns; name "
                "a grid of one measure"
            )
    if not tables:
        raise MeaningsError(f"{folder}: no results; run 'meanings study' first")
    rows = pa.concat_tables(tables, promote_options="default").combine_chunks()
    columns = {name: _coded(rows[name]) for name in rows.column_names}
    cell_of_row = np.repeat(range(len(tables)), [len(table) for table in tables])
    for name in dict.fromkeys(field for cell in cells for field in cell):
        values = pa.array([cell.get(name) for cell in cells])
        columns[name] = _coded(pa.chunked_array([values])).take(cell_of_row)
    return pa.table(columns).unify_dictionaries().combine_chunks()


def to_frame(table: pa.Table) -> pd.DataFrame:
    """In pandas: dictionaries as categories, booleans that may be missing as `boolean`."""
    return table.to_pandas(types_mapper={pa.bool_(): pd.BooleanDtype()}.get)


def provenance_of(folder: str | Path, keys: Iterable[str] | None = None) -> pd.DataFrame:
    """One row per cell: its fields and its provenance, flat; reads no numbers."""
    wanted = sorted(finished(folder)) if keys is None else keys
    return pd.json_normalize(
        [
            Cell.from_dict(content["cell"]).columns() | content["provenance"]
            for content in read_metadatas(folder, wanted)
        ]
    )


def published(
    name: str,
    columns: Sequence[str] | None = None,
    where: Mapping[str, Sequence] | None = None,
) -> pd.DataFrame:
    """A table that ships with the study, `data/published/<name>.parquet`, in the form of
    `read_cells`.

    A table older than a field of the cell has the value there that it was measured with
    (`cells.LATER`).

    - `columns`: those to read, in this order, all where none are named; `where`: the values that a
      column may have, of the rows to read. A large table opens several times as fast in part.

    Raises MeaningsError naming the tables, or the columns, that there are.
    """
    path = _published_path(name)
    there, later = _columns(path)
    wanted = [*there, *later] if columns is None else list(columns)
    if unknown := [
        column for column in (*wanted, *(where or {})) if column not in (*there, *later)
    ]:
        raise MeaningsError(
            f"published table {name!r} has no column {', '.join(unknown)}; it has "
            f"{', '.join((*there, *later))}; make it again with 'meanings publish'"
        )
    rows = None
    for column, values in (where or {}).items():
        if column in there:
            fits = pc.field(column).isin(list(values))
        else:
            fits = pc.scalar(later[column] in values)
        rows = fits if rows is None else rows & fits
    read = [column for column in wanted if column in there]
    table = dataset(path).to_table(columns=read, filter=rows)
    added = {column: _repeated(later[column], len(table)) for column in wanted if column in later}
    found = {column: added[column] if column in added else table[column] for column in wanted}
    return to_frame(pa.table(found).unify_dictionaries())


def published_columns(name: str) -> list[str]:
    """The columns that `published` reads of a table where none are named. Raises as it does."""
    there, later = _columns(_published_path(name))
    return [*there, *later]


def _columns(path: Path) -> tuple[list[str], dict[str, Any]]:
    """The columns of a published table, and the values of those that came later and it lacks."""
    there = pq.read_schema(path).names
    if "measure" in there:  # not of patching, whose older tables lack later fields
        return there, {}
    return there, {field: value for field, value in LATER.items() if field not in there}


def _published_path(name: str) -> Path:
    folder = data_folder() / "published"
    path = folder / f"{name}.parquet"
    if not path.is_file():
        names = sorted(file.stem for file in folder.glob("*.parquet"))
        raise MeaningsError(
            f"published table {name!r} does not exist; there are {', '.join(names) or 'none yet'}"
            "; name one of these, or make it with 'meanings publish'"
        )
    return path


def published_csv(name: str, command: str) -> pd.DataFrame:
    """A table of text that ships with the study, `data/published/<name>.csv`.

    - `command`: what makes it again, for the message.

    Raises MeaningsError where it cannot be read.
    """
    path = data_folder() / "published" / f"{name}.csv"
    try:
        return pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise MeaningsError(
            f"{path}: cannot be read ({type(error).__name__}); make it again with '{command}'"
        ) from None


def _repeated(value: str | int | float | bool | None, n: int) -> pa.Array:
    """One value in `n` rows, text dictionary-coded."""
    if not isinstance(value, str):
        return pa.repeat(pa.scalar(value), n)
    return pa.DictionaryArray.from_arrays(np.zeros(n, dtype=np.int32), pa.array([value]))


def _coded(column: pa.ChunkedArray) -> pa.ChunkedArray:
    text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
    return column.cast(pa.string()).dictionary_encode() if text else column
