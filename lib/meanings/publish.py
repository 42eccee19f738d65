"""Merge cells into one table that ships with the study, small enough to redistribute, whole enough to be recomputed.

Where the words may not be redistributed, only means over concepts are written: no word, no prompt, no answer.
"""

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from meanings.cells import CELL_FIELDS, LATER, Cell
from meanings.concept_pairs import ConceptPair
from meanings.errors import MeaningsError
from meanings.folders import data_folder
from meanings.results import COLUMNS, METADATA, SHOTS, join_cells, provenance_of, read_cells
from meanings.statistics import interval, paired_difference

ORDER = ("model", "training_seed", "step", "prompt_seed", "pair", "condition")
# What is compared concept by concept: is it the concept, does the mean hurt, is it English, is it the output language?
COMPARED = (("seen", "null_concept"), ("seen", "tgt"), ("en_en", "seen"), ("self", "seen"))
# What a number is a mean over language pairs at: all of a cell but the pair, what was generated, and names of the same.
SETTING = (
    "model", "training_seed", "step", "tokens", "weights_sha256", "lexicon", "lexicon_sha256", "prompt_seed", "n_pairs", "shots", "template",
    "score", *LATER,
)  # fmt: skip
PLACE = (*ORDER, "lexicon", "template", "shots", "n_pairs", "score", *LATER)  # what tells the rows of one cell from those of any other


def publish(folder: Path, name: str, keys: Iterable[str] | None = None) -> Path:
    """Write `data/published/<name>.parquet` from the cells of a folder (those of `keys` only, where given).

    One row per cell, first layer and prompt, with the probabilities in the output language as float32, answers, and the
    cell's fields; the probabilities in the other languages stay behind. Text is dictionary-coded, numbers are zstd-compressed.

    Raises MeaningsError where there are no cells, where two of them measure the same place (with other weights, say, or
    another number of generated tokens), or the name is no plain file name.
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
            f"{folder}: {len(twice)} cells are there twice with other weights or another `generate`, such as pair {cell['pair']} under "
            f"{cell['condition']} at step {cell['step']}; name the grid that is meant, and let no two grids share a pair and a step"
        )
    table = join_cells(folder, provenance["key"])
    table = table.select([*COLUMNS, *(column for column in SHOTS if column in table.column_names), "key", *(name for name in CELL_FIELDS if name not in LATER or name in provenance)])
    versions = provenance[[column for column in provenance if column.startswith("versions.")]].drop_duplicates()
    content = {"name": name, "cells": len(provenance), "versions": versions.to_dict("records")}
    return _write(table.replace_schema_metadata({METADATA: json.dumps(content).encode()}), path)


def add_shots(name: str, drawn: Callable[[Cell], Sequence[ConceptPair]]) -> Path:
    """Add `source_shots` and `target_shots` to a published table that lacks them; its other content stays.

    - `drawn(cell)`: the cell's concept pairs, as they are drawn from lexicon, tokenizer and prompt seed.

    Raises MeaningsError where the table has the columns, or where a pair drawn is not the one that a row was measured with.
    """
    path = _path(name, "parquet")
    cells = {cell.key: cell for cell in published_cells(name)}
    table = pq.read_table(path)
    if set(SHOTS) & set(table.column_names):
        raise MeaningsError(f"published table {name!r} has the concepts of its solved lines already")
    rows = table.select(["key", "prompt", "source_concept", "target_concept", "null_concept"]).to_pandas()
    pairs = {key: list(drawn(cell)) for key, cell in cells.items()}
    lookup = {key: [[p.source, p.target, p.null, "|".join(p.source_shots), "|".join(p.target_shots)] for p in each] for key, each in pairs.items()}
    places = rows[["key", "prompt"]].astype({"key": str}).drop_duplicates()
    table_of = places.assign(drawn=[lookup[key][prompt] for key, prompt in places.itertuples(index=False)])
    wide = pd.DataFrame(table_of["drawn"].tolist(), index=table_of.index, columns=["s", "t", "n", *SHOTS])
    merged = rows.astype({"key": str}).merge(pd.concat([places, wide], axis=1), on=["key", "prompt"], how="left", validate="many_to_one")
    for short, column in (("s", "source_concept"), ("t", "target_concept"), ("n", "null_concept")):
        differ = merged[merged[short] != merged[column].astype(str)]
        if len(differ):
            row = differ.iloc[0]
            raise MeaningsError(
                f"published table {name!r}, cell {row['key'][:12]}, prompt {row['prompt']}: {column} is {row[column]!r}, drawn was {row[short]!r}; "
                "its lexicon, tokenizer or prompt seed is another one"
            )
    at = table.column_names.index("key")
    for i, column in enumerate(SHOTS):
        table = table.add_column(at + i, column, pa.array(merged[column], pa.string()).dictionary_encode())
    return _write(table, path)


def _write(table: pa.Table, path: Path) -> Path:
    """Write aside, then rename; text dictionary-coded, numbers compressed."""
    floats = [field.name for field in table.schema if pa.types.is_floating(field.type)]
    with _aside(path) as aside:
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


def publish_means(folder: Path, name: str, keys: Iterable[str] | None = None) -> Path:
    """Write `data/published/<name>.csv`: `means` of the cells, with what tells model and lexicon; as `publish` otherwise."""
    path = _path(name, "csv")
    cells = read_cells(folder, keys)
    one = {field: cells[field].astype(str).unique() for field in ("model", "weights_sha256", "lexicon", "lexicon_sha256", "n_pairs", "shots", "template")}
    several = [field for field, values in one.items() if len(values) > 1]
    if several:
        raise MeaningsError(f"{folder}: the cells have several values of {', '.join(several)}; name the grid that is meant")
    table = means(cells).assign(**{field: values[0] for field, values in one.items()})
    with _aside(path) as aside:
        table.to_csv(aside, index=False, float_format="%.6g", lineterminator="\n")
    return path


def publish_concepts(folder: Path, name: str, keys: Iterable[str] | None = None) -> Path:
    """Write `data/published/<name>.parquet`: `concept_means` of the cells, for words that may be redistributed; as `publish` otherwise."""
    path = _path(name, "parquet")
    table = pa.Table.from_pandas(concept_means(read_cells(folder, keys)), preserve_index=False)
    aside = path.with_suffix(f".{os.getpid()}.aside")
    pq.write_table(table, aside, compression="zstd", compression_level=15, use_byte_stream_split=["p_source", "p_target"], use_dictionary=[
        column for column in table.column_names if column not in ("p_source", "p_target")
    ])  # fmt: skip
    os.replace(aside, path)
    return path


def concept_means(cells: pd.DataFrame) -> pd.DataFrame:
    """P(source concept) and P(target concept) of each source concept, means over language pairs, for comparing settings concept by concept.

    Columns: what the setting is (`SETTING`), `pairs` (the language pairs, joined by spaces), `condition`, `first_layer`,
    `source_concept`, `p_source`, `p_target`.
    """
    by = [*SETTING, "condition", "first_layer", "source_concept"]
    cells = cells.astype({column: "object" for column in by if isinstance(cells[column].dtype, pd.CategoricalDtype)})
    groups = cells.groupby(by, sort=True)
    table = groups[["p_source", "p_target"]].mean().astype("float32")
    table["pairs"] = cells.groupby([*SETTING, "condition"])["pair"].agg(lambda pairs: " ".join(sorted(set(pairs)))).reindex(
        table.index.droplevel(["first_layer", "source_concept"])
    ).to_numpy()  # fmt: skip
    return table.reset_index()[[*SETTING, "pairs", "condition", "first_layer", "source_concept", "p_source", "p_target"]]


def means(cells: pd.DataFrame) -> pd.DataFrame:
    """Means over concepts of P(source concept), with bootstrap intervals, of one checkpoint's cells.

    Rows: `pair` (or `all`), `what` (a condition, or `a - b`: the difference concept by concept, over pairs that have both),
    `first_layer` (-1 unpatched). Columns: `mean`, `low`, `high`, `n_units` (concepts), `p_target`, `correct` (share of answers
    that are the source concept; NaN where none were generated).
    """
    cells = cells.assign(correct=cells["answer_correct_source"].astype("float64"))
    found = []
    for names in (["pair"], []):
        by = [*names, "condition", "first_layer"]
        rest = cells.groupby(by, observed=True)[["p_target", "correct"]].mean().reset_index()
        found.append(interval(cells, "p_source", by).merge(rest, on=by).rename(columns={"condition": "what"}))
    for a, b in COMPARED:
        sides = [set(cells["pair"][cells["condition"] == name].unique()) for name in (a, b)]
        shared = cells[cells["pair"].isin(sides[0] & sides[1])]
        if len(shared):
            found.append(paired_difference(shared, "p_source", a, b, ["first_layer"]).assign(what=f"{a} - {b}"))
    columns = ["pair", "what", "first_layer", "mean", "low", "high", "n_units", "p_target", "correct"]
    table = pd.concat([each.astype({name: str for name in ("pair", "what") if name in each}) for each in found], ignore_index=True)
    return table.assign(pair=table["pair"].fillna("all"))[columns]


def check_name(name: str) -> None:
    """Raises MeaningsError where it is no plain file name."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,63}", name):
        raise MeaningsError(f"table name {name[:80]!r}: expected lower case letters, digits, '-' and '_', at most 64")


def _path(name: str, suffix: str) -> Path:
    check_name(name)
    return data_folder() / "published" / f"{name}.{suffix}"


@contextmanager
def _aside(path: Path) -> Iterator[Path]:
    """A place to write to; what was written there takes the place of `path` when it is whole."""
    aside = path.with_suffix(f".{os.getpid()}.aside")
    try:
        path.parent.mkdir(exist_ok=True)
        yield aside
        os.replace(aside, path)
    except OSError as error:
        raise MeaningsError(f"{path}: cannot be written ({error.strerror or error}); make room, or see who may write there") from None
    finally:
        aside.unlink(missing_ok=True)


def published_cells(name: str) -> list[Cell]:
    """The cells of a published table, in its order: what a recomputation asks for."""
    path = data_folder() / "published" / f"{name}.parquet"
    if not path.is_file():
        raise MeaningsError(f"published table {name!r} is not there")
    there = [name for name in ("key", *CELL_FIELDS) if name not in LATER or name in pq.read_schema(path).names]
    fields = pq.read_table(path, columns=there).to_pandas().drop_duplicates("key")
    return [_cell(row) for row in fields.to_dict("records")]


def _cell(row: dict) -> Cell:
    return Cell.from_dict({name: value.split() if name in ("languages", "seen_languages") else value for name, value in row.items()})
