"""Data cards of the published tables: what a row is, what made it, what each column means.

Titles, commands and licences stand in `data/published/cards.yaml`; rows and columns are described
by `meanings.study.table_kinds`; counts, ranges and checksums are read off the files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from meanings.core import yaml_files
from meanings.core.errors import MeaningsError, one_of
from meanings.core.paths import data_folder
from meanings.study.column_descriptions import description, kind_of
from meanings.study.units import unit

CARDS = "cards.yaml"
SHOWN = 8  # distinct values of a text column that a dictionary lists; of more, their number
COVERED = ("model", "world", "training_seed", "step")


@dataclass(frozen=True)
class Column:
    """A column of a table: its type, its unit (empty for texts), its range or values, and what it
    means.
    """

    name: str
    dtype: str
    unit: str
    range: str
    meaning: str


@dataclass(frozen=True)
class Card:
    """What a published table is.

    - `made`: the commands that measure and write it again; `row`: what a row is, one sentence.
    - `covers`: models or worlds, training seeds and steps that it has; `sha256`: of the file.
    """

    name: str
    file: str
    title: str
    made: tuple[str, ...]
    licence: str
    note: str
    row: str
    rows: int
    covers: Mapping[str, str]
    sha256: str
    columns: tuple[Column, ...]


def table_files() -> dict[str, Path]:
    """The published tables, by name."""
    folder = data_folder() / "published"
    files = sorted(file for kind in ("parquet", "csv") for file in folder.glob(f"*.{kind}"))
    return {file.stem: file for file in files}


def card_of(name: str) -> Card:
    """The card of a published table.

    Raises MeaningsError where there is no such table, or cards.yaml does not say what it is.
    """
    files, source = table_files(), data_folder() / "published" / CARDS
    if name not in files:
        raise MeaningsError(f"published table {name!r} does not exist; there are {one_of(files)}")
    content = yaml_files.read_mapping(source)
    said = content["tables"].get(name)
    if said is None:
        raise MeaningsError(f"{source}: says nothing of the table {name!r}; add its title and made")
    table = read_columns(files[name])
    kind = kind_of(table.column_names)
    return Card(
        name=name,
        file=files[name].name,
        title=said["title"],
        made=tuple(said["made"]),
        licence=content["licences"][said["licence"]],
        note=said.get("note", ""),
        row=kind.row,
        rows=len(table),
        covers={key: _values(table[key]) for key in COVERED if key in table.column_names},
        sha256=hashlib.sha256(files[name].read_bytes()).hexdigest(),
        columns=described(table),
    )


def described(table: pa.Table) -> tuple[Column, ...]:
    """The columns of a table, in its order."""
    kind, found = kind_of(table.column_names), []
    for name in table.column_names:
        column = table[name]
        numeric = pa.types.is_integer(column.type) or pa.types.is_floating(column.type)
        found.append(
            Column(
                name=name,
                dtype=_dtype(column.type),
                unit=unit(name) if numeric else "",
                range=_range(column) if numeric else _values(column),
                meaning=description(name, kind),
            )
        )
    return tuple(found)


def dictionary(tables: Mapping[str, Iterable[Column]]) -> pd.DataFrame:
    """All columns of several tables, one a row: `table` and the fields of `Column`."""
    rows = [{"table": name, **vars(each)} for name, columns in tables.items() for each in columns]
    return pd.DataFrame(rows, columns=["table", *Column.__dataclass_fields__])


def read_columns(file: Path) -> pa.Table:
    """A published table as it lies on disk, without an index that pandas wrote."""
    table = pq.read_table(file) if file.suffix == ".parquet" else pyarrow.csv.read_csv(file)
    kept = [name for name in table.column_names if not name.startswith("__index")]
    return table.select(kept)


def _dtype(kind: pa.DataType) -> str:
    if pa.types.is_dictionary(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind):
        return "string"
    return {"float": "float32", "double": "float64"}.get(str(kind), str(kind))


def _range(column: pa.ChunkedArray) -> str:
    found = pc.min_max(column)
    low, high = found["min"].as_py(), found["max"].as_py()
    if low is None:
        return "empty"
    ends = [f"{end:.4g}" if isinstance(end, float) else str(end) for end in (low, high)]
    return " to ".join(dict.fromkeys(ends))


def _values(column: pa.ChunkedArray) -> str:
    """The values of a column where they are few and short, else how many there are."""
    found = [value for value in pc.unique(column).to_pylist() if value is not None]
    found = ["(empty)" if value == "" else value for value in found]
    if not found:
        return "empty"
    numbers = all(isinstance(value, int) for value in found)
    if numbers and len(found) > SHOWN:
        return f"{len(found)} from {min(found)} to {max(found)}"
    shown = ", ".join(sorted(map(str, found)) if not numbers else map(str, sorted(found)))
    return shown if len(found) <= SHOWN and len(shown) <= 120 else f"{len(found)} values"


def all_cards() -> tuple[Card, ...]:
    """The cards of all published tables, by name. Raises MeaningsError as `card_of` does."""
    return tuple(card_of(name) for name in table_files())
