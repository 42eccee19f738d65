"""Results on disk: one Parquet file a cell, written aside and renamed; read back as one tidy table.

One row per (first layer, prompt). Columns: `first_layer` (from 0; -1 = nothing patched), `prompt`
(from 0), `query` (the query word), `source_concept`, `target_concept`, `null_concept`, `p_source`
and `p_target` (probability of either concept in the output language), `p_source_<code>` and
`p_target_<code>` for every other language, `answer` (generated text up to the closing quote, or
null), `answer_correct_source` and `answer_correct_target` (whether it is an accepted word of that
concept in the output language, or null). Optional: `source_shots`, `target_shots` (the concepts of
either prompt's solved lines, joined by `|`), which files of earlier versions lack.
"""

import json
import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from meanings.core import atomic_files
from meanings.core.atomic_files import atomic_file
from meanings.core.errors import MeaningsError
from meanings.core.paths import data_folder
from meanings.measures.cells import CELL_FIELDS, LATER, Cell

METADATA = b"meanings"
COLUMNS = (
    "first_layer", "prompt", "query", "source_concept", "target_concept", "null_concept",
    "p_source", "p_target", "answer", "answer_correct_source", "answer_correct_target",
)  # fmt: skip
SHOTS = ("source_shots", "target_shots")


def cell_path(folder: Path, key: str) -> Path:
    """Where a cell's file lies: `<folder>/<first two hex digits>/<key>.parquet`."""
    return folder / key[:2] / f"{key}.parquet"


def write_cell(folder: Path, cell: Cell, rows: pd.DataFrame, provenance: dict) -> Path:
    """Write one cell's rows aside, then rename: a reader, or a killed run, never meets half a file.

    Two runs on one folder may write the same cell; the last one wins and both are whole.
    Raises MeaningsError where a column is missing, a probability is none, or the disk refuses.
    """
    missing = [column for column in COLUMNS if column not in rows]
    if missing:
        raise MeaningsError(
            f"cell {cell}: columns {', '.join(missing)} are missing; expected {', '.join(COLUMNS)}"
        )
    for column in rows.columns[[name.startswith("p_") for name in rows.columns]]:
        values = rows[column].to_numpy()
        if not np.all((values >= -1e-6) & (values <= 1 + 1e-3)):  # NaN fails too
            raise MeaningsError(
                f"cell {cell}: {column} has a value that is no probability; the model's output is "
                "broken"
            )
    content = {"cell": cell.to_dict(), "key": cell.key, "provenance": provenance}
    table = pa.Table.from_pandas(_typed(rows), preserve_index=False)
    table = table.replace_schema_metadata(
        {**(table.schema.metadata or {}), METADATA: json.dumps(content).encode()}
    )
    path = cell_path(folder, cell.key)
    cure = (
        "make room or choose another folder with --out, and run the study again: what was written "
        "is kept"
    )
    with atomic_file(path, cure, named=f"{folder}: a cell") as aside:
        pq.write_table(table, aside, compression="zstd")
    return path


def remove_leftovers(folder: Path) -> int:
    """Remove what killed runs on this machine left aside; how many files. Running ones keep theirs."""
    return atomic_files.remove_leftovers(folder, "??/*")


def finished(folder: Path) -> set[str]:
    """Keys of the cells that lie in the folder."""
    return {
        file.stem
        for file in folder.glob("??/*.parquet")
        if re.fullmatch(r"[0-9a-f]{64}", file.stem)
    }


def read_metadata(path: Path) -> dict:
    """`cell`, `key` and `provenance` of one cell's file.

    Raises MeaningsError where it is no such file, or its name is not the key of the cell that it
    says it holds.
    """
    try:
        content = json.loads(pq.read_schema(path).metadata[METADATA])
        if (
            not isinstance(content["provenance"], dict)
            or Cell.from_dict(content["cell"]).key != content["key"]
            or content["key"] != path.stem
        ):
            raise ValueError("its name is not the hash of what it holds")
        return content
    except (
        OSError,
        KeyError,
        TypeError,
        AttributeError,
        RecursionError,
        ValueError,
        pa.ArrowException,
    ) as error:
        raise _refused(path, error) from None


def _rows(path: Path) -> pa.Table:
    """A cell's rows, whole and with the columns that they were written with."""
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise _refused(path, error) from None
    wrong = [name for name in COLUMNS if name not in table.column_names]
    wrong += [
        name
        for name in table.column_names
        if name.startswith("p_") and table.schema.field(name).type != pa.float32()
    ]
    if wrong:
        raise MeaningsError(
            f"{path}: lacks column {wrong[0]}, or has it in another type; delete it and run the "
            "study again"
        )
    return table


def _refused(path: Path, error: Exception) -> MeaningsError:
    return MeaningsError(
        f"{path}: no result file of a cell ({type(error).__name__}: {str(error)[:120]}); delete it "
        "and run the study again"
    )


def read_cell(path: Path) -> tuple[Cell, pd.DataFrame, dict]:
    """One cell, its rows as written, and its provenance."""
    content = read_metadata(path)
    return Cell.from_dict(content["cell"]), _rows(path).to_pandas(), content["provenance"]


def read_cells(folder: Path, keys: Iterable[str] | None = None) -> pd.DataFrame:
    """The cells of a folder (those of `keys` only, where given) as one table, the cell's fields as
    columns beside `key`.

    Text is categorical; `seen_languages` and `languages` are joined by spaces. A column that some
    cells lack is NaN there.

    Raises MeaningsError where the folder has none of them.
    """
    return to_frame(join_cells(folder, keys))


def join_cells(folder: Path, keys: Iterable[str] | None = None) -> pa.Table:
    """As `read_cells`, in Arrow, text dictionary-coded: a published grid has millions of rows."""
    tables = []
    for key in sorted(finished(folder)) if keys is None else keys:
        path = cell_path(folder, key)
        if not path.is_file():
            raise MeaningsError(f"{folder}: cell {key[:12]}... is not there; run the study first")
        cell = Cell.from_dict(read_metadata(path)["cell"])
        table = _rows(path).replace_schema_metadata(None)
        for name, value in cell_columns(cell).items():
            table = table.append_column(name, pa.repeat(pa.scalar(value), len(table)))
        tables.append(pa.table({name: _coded(table[name]) for name in table.column_names}))
    if not tables:
        raise MeaningsError(f"{folder}: no results; run 'meanings study' first")
    return pa.concat_tables(tables, promote_options="default").unify_dictionaries().combine_chunks()


def to_frame(table: pa.Table) -> pd.DataFrame:
    """In pandas: dictionaries as categories, booleans that may be missing as `boolean`."""
    return table.to_pandas(types_mapper={pa.bool_(): pd.BooleanDtype()}.get)


def provenance_of(folder: Path, keys: Iterable[str] | None = None) -> pd.DataFrame:
    """One row a cell: its fields and its provenance, flat; reads no numbers."""
    wanted = sorted(finished(folder)) if keys is None else keys
    contents = [read_metadata(cell_path(folder, key)) for key in wanted]
    return pd.json_normalize(
        [
            {"key": content["key"], **LATER, **content["cell"], **content["provenance"]}
            for content in contents
        ]
    )


def cell_columns(cell: Cell) -> dict[str, object]:
    """A cell's fields as values of columns: tuples joined by spaces."""
    fields = {name: getattr(cell, name) for name in CELL_FIELDS}
    return {"key": cell.key} | {
        name: " ".join(v) if isinstance(v, tuple) else v for name, v in fields.items()
    }


def published(name: str) -> pd.DataFrame:
    """A table that ships with the study, `data/published/<name>.parquet`, in the form of
    `read_cells`.

    A table older than a field of the cell has the value there that it was measured with
    (`cells.LATER`).

    Raises MeaningsError naming the tables that there are.
    """
    folder = data_folder() / "published"
    path = folder / f"{name}.parquet"
    if not path.is_file():
        names = sorted(file.stem for file in folder.glob("*.parquet"))
        raise MeaningsError(
            f"published table {name!r} is not there; there are {', '.join(names) or 'none yet'}"
        )
    table = to_frame(pq.read_table(path))
    return table.assign(**{field: value for field, value in LATER.items() if field not in table})


def _typed(rows: pd.DataFrame) -> pd.DataFrame:
    rows = rows.copy()
    for column in rows:
        if column.startswith("p_"):
            rows[column] = rows[column].clip(0, 1).astype("float32")
        elif column in ("first_layer", "prompt"):
            rows[column] = rows[column].astype("int16" if column == "first_layer" else "int32")
        elif column.startswith("answer_correct"):
            rows[column] = rows[column].astype("boolean")
        else:
            rows[column] = rows[column].astype("string")
    return rows


def _coded(column: pa.ChunkedArray) -> pa.ChunkedArray:
    text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
    return column.cast(pa.string()).dictionary_encode() if text else column
