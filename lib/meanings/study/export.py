"""Results for others: tidy CSV, or a folder that Hugging Face `datasets.load_dataset(folder)`
reads, each with a card.

Words that may not be passed on stay here: of any lexicon but the embedded one, `query` and `answer`
are left out and concepts are numbered, unless `words` is asked for.

Texts in CSV are guarded against spreadsheets that run formulas (`meanings.core.spreadsheets`);
Parquet keeps texts as they are.
"""

import hashlib
import json
import re
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from meanings.core.atomic_files import atomic_folder
from meanings.core.errors import MeaningsError, one_of
from meanings.core.paths import data_folder
from meanings.core.spreadsheets import harmless_column
from meanings.lexicon.lexicon import Lexicon, load_lexicon
from meanings.measures.cell_files import METADATA
from meanings.measures.results import join_cells, provenance_of
from meanings.study.data_card import card

LAYOUTS = ("datasets", "csv")
SHIPPED = ("embedded", "targeted")  # lexicons whose words may be passed on
WORD_COLUMNS = ("query", "answer", "source_shots", "target_shots", "word")
CONCEPT_COLUMNS = ("source_concept", "target_concept", "null_concept")
SHARD_ROWS = 1_000_000


def export(
    folder: Path,
    results: Path,
    keys: Iterable[str] | None = None,
    *,
    table: str | None = None,
    layout: str = "datasets",
    licence: str = "",
    words: bool = False,
) -> list[str]:
    """Write the cells of a results folder (those of `keys`), or the published `table`, into a new
    or empty `folder`; lines that say what was done.

    Raises MeaningsError on an unknown layout, a folder that holds something, and where there are no
    results or no room.
    """
    if layout not in LAYOUTS:
        raise MeaningsError(f"--format {layout!r}: allowed are {one_of(LAYOUTS)}")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise MeaningsError(f"{folder}: exists already and is not empty; name a new folder")
    rows, versions = _published(table) if table is not None else _measured(results, keys)
    said = []
    if not words and not _embedded(rows):
        rows = _without_words(rows)
        said.append(
            "words (columns query, answer, few-shot examples) left out and concepts numbered: the "
            "lexicon is not the embedded one; --words keeps them, if you may pass them on"
        )
    elif not licence and not words and _concept_columns(rows):
        said.append(
            "the lexicon's words come from Unicode CLDR under the Unicode License; choose a "
            "licence for your data and keep that notice"
        )
    with atomic_folder(folder, "make room or name another folder") as aside:
        files = _write_csv(rows, aside) if layout == "csv" else _write_shards(rows, aside)
        (aside / "README.md").write_text(
            card(rows, versions, layout, licence, "the project's" if table else "one study's"),
            encoding="utf-8",
        )
    return [*said, f"{folder}: {len(rows)} rows, {files} and README.md"]


def _measured(results: Path, keys: Iterable[str] | None) -> tuple[pa.Table, list[dict]]:
    wanted = None if keys is None else list(keys)
    provenance = provenance_of(results, wanted)
    names = [
        name
        for name in provenance
        if name.startswith("versions.")
        or name in ("source", "revision", "commit", "tokenizer_sha256")
    ]
    return _plain(join_cells(results, wanted)), provenance[names].drop_duplicates().astype(
        object
    ).where(provenance[names].notna(), None).to_dict("records")


def _published(name: str) -> tuple[pa.Table, list[dict]]:
    """A published table and the versions that it was measured with, where it says them."""
    folder = data_folder() / "published"
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name):
        raise MeaningsError(f"published table {name!r}: expected a name, not a path")
    parquet, text = folder / f"{name}.parquet", folder / f"{name}.csv"
    if parquet.is_file():
        table = pq.read_table(parquet)
        content = json.loads((table.schema.metadata or {}).get(METADATA, b"{}"))
        return _plain(table), content.get("versions", [])
    if text.is_file():
        return _plain(pyarrow.csv.read_csv(text)), []
    names = sorted({file.stem for kind in ("parquet", "csv") for file in folder.glob(f"*.{kind}")})
    raise MeaningsError(
        f"published table {name!r} does not exist; there are {', '.join(names) or 'none yet'}"
        "; name one of these"
    )


def _plain(table: pa.Table) -> pa.Table:
    """The table without metadata, texts as plain strings: its types are the same everywhere."""
    texts = (pa.types.is_dictionary, pa.types.is_large_string)
    return pa.table(
        {
            f.name: table[f.name].cast(pa.string())
            if any(is_text(f.type) for is_text in texts)
            else table[f.name]
            for f in table.schema
        }
    )


def _concept_columns(rows: pa.Table) -> list[str]:
    return [name for name in CONCEPT_COLUMNS if pa.string() == _type(rows, name)]


def _type(rows: pa.Table, name: str) -> pa.DataType | None:
    return rows.schema.field(name).type if name in rows.column_names else None


def _embedded(rows: pa.Table) -> bool:
    """Whether all words are those of a lexicon that ships, by content and not by name. Where only
    concepts are named, whether all of them are concepts of the embedded one.
    """
    whole = load_lexicon("embedded")
    if not set(WORD_COLUMNS) & set(rows.column_names):
        known = pa.array(whole.concepts)
        return all(pc.all(pc.is_in(rows[name], known)).as_py() for name in _concept_columns(rows))
    if not {"lexicon_sha256", "languages"} <= set(rows.column_names):
        return False
    pairs = rows.select(["lexicon_sha256", "languages"]).group_by(["lexicon_sha256", "languages"])
    for pair in pairs.aggregate([]).to_pylist():
        if not any(
            _is_of(load_lexicon(name), pair["languages"].split(), pair["lexicon_sha256"])
            for name in SHIPPED
        ):
            return False
    return True


def _is_of(lexicon: Lexicon, codes: list[str], sha256: str) -> bool:
    known = set(codes) <= set(lexicon.languages)
    return known and lexicon.restrict(languages=codes).sha256 == sha256


def _without_words(rows: pa.Table) -> pa.Table:
    columns = _concept_columns(rows)
    names = {name for column in columns for name in pc.unique(rows[column]).to_pylist()}
    numbers = {
        name: f"c{number:05}" for number, name in enumerate(sorted(names, key=_unalphabetical))
    }
    for column in columns:
        at = rows.schema.get_field_index(column)
        rows = rows.set_column(
            at, column, pa.array([numbers[name] for name in rows[column].to_pylist()])
        )
    return rows.drop_columns([name for name in WORD_COLUMNS if name in rows.column_names])


def _unalphabetical(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def _write_shards(rows: pa.Table, folder: Path) -> str:
    (folder / "data").mkdir()
    count = max(1, -(-len(rows) // SHARD_ROWS))
    for number in range(count):
        part = rows.slice(number * SHARD_ROWS, SHARD_ROWS)
        pq.write_table(
            part,
            folder / "data" / f"train-{number:05}-of-{count:05}.parquet",
            compression="zstd",
            row_group_size=100_000,
        )
    return f"{count} Parquet file{'s' if count > 1 else ''}"


def _write_csv(rows: pa.Table, folder: Path) -> str:
    texts = {
        f.name: harmless_column(rows[f.name]) if pa.types.is_string(f.type) else rows[f.name]
        for f in rows.schema
    }
    frame = pa.table(texts).to_pandas()
    frame.to_csv(folder / "results.csv", index=False, lineterminator="\n", encoding="utf-8")
    return "results.csv"
