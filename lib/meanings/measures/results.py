"""Results on disk: one Parquet file per cell, written whole or not at all; read back as one tidy
table.

The rows are those that the cell's measure describes (`Measure.columns`).
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow.dataset import dataset

from meanings.core import atomic_files
from meanings.core.errors import MeaningsError
from meanings.core.paths import data_folder
from meanings.measures.base import column_of, required, value_range
from meanings.measures.catalogue import measure_named
from meanings.measures.cells import LATER, Cell

METADATA = b"meanings"
# What rounding may add below and above a range; beyond it, the model's output is broken.
ROUNDING = (1e-6, 1e-3)


_PANDAS = {pa.bool_(): pd.BooleanDtype(), pa.string(): pd.StringDtype()}


def cell_path(folder: str | Path, key: str) -> Path:
    """Where a cell's file lies: `<folder>/<first two hex digits>/<key>.parquet`."""
    return Path(folder) / key[:2] / f"{key}.parquet"


def write_cell(folder: Path, cell: Cell, rows: pd.DataFrame, provenance: dict) -> Path:
    """Write one cell's rows: a reader, or a killed run, never meets half a file.

    Two runs on one folder may write the same cell; the last one wins and both are whole.
    Raises MeaningsError where a column is missing or unknown, a value is not in its range, or the
    disk refuses.
    """
    content = {"cell": cell.to_dict(), "key": cell.key, "provenance": provenance}
    table = _typed(cell, rows).replace_schema_metadata({METADATA: json.dumps(content).encode()})
    path = cell_path(folder, cell.key)
    cure = (
        "make room or choose another folder with --out, and run the study again: what was written "
        "is kept"
    )
    # A name that a power failure takes is a cell that is measured again.
    with atomic_files.atomic_file(path, cure, f"{folder}: a cell", flush_folder=False) as aside:
        words = [f.name for f in table.schema if pa.types.is_string(f.type)]
        # A dictionary of numbers that hardly recur costs time and space.
        pq.write_table(table, aside, compression="zstd", use_dictionary=words)
    return path


def remove_leftovers(folder: Path) -> int:
    """Number of files that killed runs on this machine left unfinished, now removed."""
    return atomic_files.remove_leftovers(folder, "??/*")


def finished(folder: str | Path) -> set[str]:
    """Keys of the cells that lie in the folder. It is listed whole: ask `there` for a few keys."""
    return {
        file.stem
        for file in Path(folder).glob("??/*.parquet")
        if re.fullmatch(r"[0-9a-f]{64}", file.stem)
    }


def there(folder: str | Path, keys: Iterable[str]) -> set[str]:
    """Those of the keys at whose place something lies, be it a cell or not: reading refuses what is
    none. The folder is not listed.
    """
    return {key for key in keys if os.path.lexists(cell_path(folder, key))}


def read_metadata(path: str | Path) -> dict[str, Any]:
    """`cell`, `key` and `provenance` of one cell's file.

    Raises MeaningsError where it is no such file, or its name is not the key of the cell that it
    says it holds.
    """
    with _opened(Path(path)) as file:
        return _metadata(Path(path), file)


def read_metadatas(folder: str | Path, keys: Iterable[str]) -> Iterator[dict[str, Any]]:
    """As `read_metadata`, of each of these cells."""
    for key in keys:
        yield read_metadata(_path_of(folder, key))


def read_cell(path: str | Path) -> tuple[Cell, pd.DataFrame, dict]:
    """One cell, its rows as written, and its provenance."""
    path = Path(path)
    with _opened(path) as file:
        content = _metadata(path, file)
        cell = Cell.from_dict(content["cell"])
        rows = _rows(path, file, cell).to_pandas(types_mapper=_PANDAS.get)
        return cell, rows, content["provenance"]


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
        path = _path_of(folder, key)
        with _opened(path) as file:
            cell = Cell.from_dict(_metadata(path, file)["cell"])
            tables.append(_rows(path, file, cell).replace_schema_metadata())
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
    there = pq.read_schema(path).names
    later = {field: value for field, value in LATER.items() if field not in there}
    if "measure" in there:  # not of patching, whose older tables lack later fields
        later = {}
    wanted = [*there, *later] if columns is None else list(columns)
    if unknown := [
        column for column in (*wanted, *(where or {})) if column not in (*there, *later)
    ]:
        raise MeaningsError(
            f"published table {name!r} has no column {', '.join(unknown)}; it has "
            f"{', '.join((*there, *later))}"
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


def _published_path(name: str) -> Path:
    folder = data_folder() / "published"
    path = folder / f"{name}.parquet"
    if not path.is_file():
        names = sorted(file.stem for file in folder.glob("*.parquet"))
        raise MeaningsError(
            f"published table {name!r} is not there; there are {', '.join(names) or 'none yet'}"
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


def _path_of(folder: str | Path, key: str) -> Path:
    path = cell_path(folder, key)
    if not os.path.lexists(path):
        raise MeaningsError(f"{folder}: cell {key[:12]}... is not there; run the study first")
    return path


def _opened(path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path, pre_buffer=False)  # a buffer for networks
    except (OSError, pa.ArrowException) as error:
        raise _refused(path, error) from None


def _metadata(path: Path, file: pq.ParquetFile) -> dict[str, Any]:
    try:
        content = json.loads(file.schema_arrow.metadata[METADATA])
        if (
            not isinstance(content["provenance"], dict)
            or Cell.from_dict(content["cell"]).key != content["key"]
            or content["key"] != path.stem
        ):
            raise ValueError("its name is not the hash of what it holds")
        return content
    except (
        KeyError,
        TypeError,
        AttributeError,
        RecursionError,
        ValueError,
        pa.ArrowException,
    ) as error:
        raise _refused(path, error) from None


def _rows(path: Path, file: pq.ParquetFile, cell: Cell) -> pa.Table:
    """A cell's rows, whole and with the columns that they were written with."""
    try:
        table = file.read(use_threads=False)  # a cell is small: threads cost more than they save
    except (OSError, pa.ArrowException) as error:
        raise _refused(path, error) from None
    if wrong := _wrong_column(measure_named(cell.measure).columns, table.schema):
        raise MeaningsError(
            f"{path}: lacks column {wrong}, or has it in another type; delete it and run the "
            "study again"
        )
    return table


@lru_cache(maxsize=256)
def _wrong_column(columns: pa.Schema, written: pa.Schema) -> str | None:
    """A column that a measure's rows need and that is not there, or is of another type."""
    missing = [name for name in required(columns) if name not in written.names]
    retyped = [
        field.name
        for field in written
        if (known := column_of(columns, field.name)) is not None
        and pa.types.is_floating(known.type)
        and field.type != known.type
    ]
    return next(iter(missing + retyped), None)


def _refused(path: Path, error: Exception) -> MeaningsError:
    return MeaningsError(
        f"{path}: no result file of a cell ({type(error).__name__}: {str(error)[:120]}); delete it "
        "and run the study again"
    )


class _Layout(NamedTuple):
    """How rows with certain columns are written."""

    schema: pa.Schema
    bounded: list[str]
    low: np.ndarray
    high: np.ndarray


def _typed(cell: Cell, rows: pd.DataFrame) -> pa.Table:
    """The rows in the types of the measure's columns, numbers within their range."""
    columns = measure_named(cell.measure).columns
    try:
        schema, bounded, low, high = _layout(columns, tuple(rows))
    except MeaningsError as error:
        raise MeaningsError(f"cell {cell}: {error}") from None
    # A frame is asked for all its numbers at once: column by column costs ten times as much.
    numbers = _within(cell, bounded, rows[bounded].to_numpy(dtype=float), low, high)
    typed = dict(zip(bounded, np.asfortranarray(numbers).T, strict=True))
    for name, values in rows.drop(columns=bounded).items():
        nothing = values.dtype.kind == "f" and values.isna().all()
        typed[name] = [None] * len(rows) if nothing else values
    arrays = [pa.array(typed[field.name], field.type, from_pandas=True) for field in schema]
    return pa.Table.from_arrays(arrays, schema=schema)


@lru_cache(maxsize=256)
def _layout(columns: pa.Schema, names: tuple[str, ...]) -> _Layout:
    missing = [name for name in required(columns) if name not in names]
    unknown = [name for name in names if column_of(columns, name) is None]
    if missing or unknown:
        what = "are missing" if missing else "are unknown"
        raise MeaningsError(
            f"columns {', '.join(missing or unknown)} {what}; expected {', '.join(columns.names)}"
        )
    fields = {name: column_of(columns, name) for name in names}
    ranges = {name: value_range(field) for name, field in fields.items() if value_range(field)}
    low, high = np.array(list(ranges.values()), dtype=float).reshape(-1, 2).T
    schema = pa.schema([pa.field(name, field.type) for name, field in fields.items()])
    return _Layout(schema, list(ranges), low, high)


def _within(
    cell: Cell, names: list[str], values: np.ndarray, low: np.ndarray, high: np.ndarray
) -> np.ndarray:
    """Values, rows × columns, without what rounding adds to a range."""
    below, above = ROUNDING
    fits = ((values >= low - below) & (values <= high + above)).all(axis=0)  # NaN fails too
    if not fits.all():
        wrong = int(np.argmin(fits))
        raise MeaningsError(
            f"cell {cell}: {names[wrong]} has a value that is not within {low[wrong]:g} and "
            f"{high[wrong]:g}; the model's output is broken"
        )
    return np.clip(values, low, high)


def _repeated(value: str | int | float | bool | None, n: int) -> pa.Array:
    """One value in `n` rows, text dictionary-coded."""
    if not isinstance(value, str):
        return pa.repeat(pa.scalar(value), n)
    return pa.DictionaryArray.from_arrays(np.zeros(n, dtype=np.int32), pa.array([value]))


def _coded(column: pa.ChunkedArray) -> pa.ChunkedArray:
    text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
    return column.cast(pa.string()).dictionary_encode() if text else column
