"""Tables as files that readers take along: Parquet as it is, and CSV that a spreadsheet opens.

A CSV has all rows of a table of up to WHOLE rows. Of a longer one it has means over what makes it
long (concepts, words, pairs of languages), one row per setting, with their number in `n_rows`;
columns of one value are left out.
"""

from __future__ import annotations

import gzip
from pathlib import Path

import pandas as pd
import pyarrow as pa

from meanings.core.atomic_files import atomic_file
from meanings.core.spreadsheets import harmless_column

WHOLE = 30_000  # rows
MEANS = "means, one row per setting"
# What long tables have many of in one setting.
ITEMS = {
    "answer", "concept", "item", "key", "language_a", "language_b", "letter", "answer_letter",
    "null_concept", "own_concept", "prompt", "query", "source_concept", "source_shots",
    "target_concept", "target_shots", "word", "weights_sha256", "lexicon_sha256",
}  # fmt: skip
ENDS = ("low", "high", "null_low", "null_high")  # of intervals, of which there are no means
AVERAGED = ("n",)


def write_csv(table: pa.Table, path: Path) -> bool:
    """Write a table as CSV, gzipped, the same bytes each time; whether it has all rows."""
    whole = len(table) <= WHOLE
    rows = _guarded(table) if whole else means(table)
    text = rows.to_csv(index=False, lineterminator="\n", float_format="%.6g")
    with atomic_file(path, "make room") as aside, aside.open("wb") as file:
        # Neither a name nor a time in the file.
        with gzip.GzipFile("", "wb", 9, file, mtime=0) as zipped:
            zipped.write(text.encode("utf-8"))
    return whole


def means(table: pa.Table) -> pd.DataFrame:
    """Means over the items of each setting: settings, the means, and `n_rows`."""
    frame = table.drop_columns([c for c in table.column_names if c in ITEMS]).to_pandas()
    values = [
        name
        for name, kind in frame.dtypes.items()
        if pd.api.types.is_float_dtype(kind)
        or pd.api.types.is_bool_dtype(kind)
        or name.startswith("answer_correct")
        or name in AVERAGED
    ]
    settings = [c for c in frame if c not in values and frame[c].nunique(dropna=False) > 1]
    values = [name for name in values if name not in ENDS and frame[name].notna().any()]
    numbers = frame[values].astype("float64")
    groups = numbers.groupby(
        [frame[name] for name in settings], observed=True, sort=False, dropna=False
    )
    return groups.mean().assign(n_rows=groups.size()).reset_index()


def _guarded(table: pa.Table) -> pd.DataFrame:
    """The table with texts that no spreadsheet runs."""
    texts = (pa.types.is_dictionary, pa.types.is_string, pa.types.is_large_string)
    columns = {
        field.name: harmless_column(table[field.name].cast(pa.string()))
        if any(is_text(field.type) for is_text in texts)
        else table[field.name]
        for field in table.schema
    }
    return pa.table(columns).to_pandas()
