"""The rows of one cell in the types of its measure's columns, numbers within their ranges."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from meanings.core.errors import MeaningsError
from meanings.measures.base import column_of, required, value_range
from meanings.measures.catalogue import measure_named
from meanings.measures.cells import Cell

# What rounding may add below and above a range; beyond it, the model's output is broken.
ROUNDING = (1e-6, 1e-3)


@lru_cache(maxsize=256)
def wrong_column(columns: pa.Schema, written: pa.Schema) -> str | None:
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


class _Layout(NamedTuple):
    """How rows with certain columns are written."""

    schema: pa.Schema
    bounded: list[str]
    low: np.ndarray
    high: np.ndarray


def typed_rows(cell: Cell, rows: pd.DataFrame) -> pa.Table:
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
            ": measure another checkpoint, or in float32"
        )
    return np.clip(values, low, high)
