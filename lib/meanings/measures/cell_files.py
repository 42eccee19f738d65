"""One Parquet file per cell, written whole or not at all, and read back with its provenance.

The rows are those that the cell's measure describes (`Measure.columns`).
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from meanings.core import atomic_files
from meanings.core.errors import MeaningsError
from meanings.measures.catalogue import measure_named
from meanings.measures.cell_rows import typed_rows, wrong_column
from meanings.measures.cells import Cell

METADATA = b"meanings"
MARK, FOOTER = b"PAR1", 4  # at both ends of a file; bytes that say the footer's length
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
    table = typed_rows(cell, rows).replace_schema_metadata({METADATA: json.dumps(content).encode()})
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
    """Those of the keys at whose place something lies that is no damaged file; whether it is a cell
    is for reading to find. The folder is not listed.
    """
    return {
        key
        for key in keys
        if os.path.lexists(path := cell_path(folder, key)) and not _is_damaged(path)
    }


def damaged(folder: str | Path, keys: Iterable[str]) -> set[str]:
    """Those of the keys at whose place a file lies that was cut off or written over: its ends are
    not those of Parquet. Few bytes of each are read, so damage in the middle is left to readers.
    """
    return {key for key in keys if _is_damaged(cell_path(folder, key))}


def _is_damaged(path: Path) -> bool:
    """Whether a file lacks the mark of Parquet at an end, or room for the footer that it announces.

    What cannot be opened, such as a folder or a file of others, is none that was damaged.
    """
    try:
        with path.open("rb", buffering=0) as file:
            size = file.seek(0, os.SEEK_END)
            if size < 2 * len(MARK) + FOOTER:
                return True
            file.seek(-(FOOTER + len(MARK)), os.SEEK_END)
            length, end = int.from_bytes(file.read(FOOTER), "little"), file.read(len(MARK))
            file.seek(0)
            marks = file.read(len(MARK)), end
    except OSError:
        return False
    return marks != (MARK, MARK) or not 0 < length <= size - 2 * len(MARK) - FOOTER


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
        yield read_metadata(path_of_measured(folder, key))


def read_cell(path: str | Path) -> tuple[Cell, pd.DataFrame, dict]:
    """One cell, its rows as written, and its provenance."""
    cell, rows, provenance = read_table(path)
    return cell, rows.to_pandas(types_mapper=_PANDAS.get), provenance


def read_table(path: str | Path) -> tuple[Cell, pa.Table, dict]:
    """As `read_cell`, the rows in Arrow."""
    path = Path(path)
    with _opened(path) as file:
        content = _metadata(path, file)
        cell = Cell.from_dict(content["cell"])
        return cell, _rows(path, file, cell), content["provenance"]


def path_of_measured(folder: str | Path, key: str) -> Path:
    """Where a cell lies. Raises MeaningsError where nothing does."""
    path = cell_path(folder, key)
    if not os.path.lexists(path):
        raise MeaningsError(f"{folder}: cell {key[:12]}... is missing; run the study first")
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
    if wrong := wrong_column(measure_named(cell.measure).columns, table.schema):
        raise MeaningsError(
            f"{path}: lacks column {wrong}, or has it in another type; delete it and run the "
            "study again"
        )
    return table


def _refused(path: Path, error: Exception) -> MeaningsError:
    return MeaningsError(
        f"{path}: not a result file of a cell ({type(error).__name__}: {str(error)[:120]}); "
        f"delete it "
        "and run the study again"
    )
