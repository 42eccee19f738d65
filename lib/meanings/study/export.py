"""Results for others: tidy CSV, or a folder that Hugging Face `datasets.load_dataset(folder)`
reads, each with a card.

Words that may not be passed on stay here: of any lexicon but the embedded one, `query` and `answer`
are left out and concepts are numbered, unless `words` is asked for.

In CSV a text that a spreadsheet would take for a formula (it begins with = + - @, their full-width
forms, a tab or a line break), or that begins with an apostrophe, gets an apostrophe before it;
taking one leading apostrophe off gives the text back. Parquet keeps texts as they are.
"""

import hashlib
import json
import re
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import yaml

from meanings.core.atomic_files import atomic_folder
from meanings.core.errors import MeaningsError, one_of
from meanings.core.paths import data_folder
from meanings.lexicon.languages import LANGUAGES
from meanings.lexicon.lexicon import load_lexicon
from meanings.measures.results import METADATA, join_cells, provenance_of

LAYOUTS = ("datasets", "csv")
WORD_COLUMNS = ("query", "answer", "source_shots", "target_shots")
CONCEPT_COLUMNS = ("source_concept", "target_concept", "null_concept")
SHARD_ROWS = 1_000_000
FORMULA = "^['=+\\-@＝＋－＠\\t\\r\\n]"
SIZES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
    (100_000_000, "10M<n<100M"),
)
DESCRIPTIONS = {
    "first_layer": "first patched layer, from 0; all later ones are patched too; -1: nothing patched",
    "prompt": "number of the concept pair within its cell, from 0",
    "query": "the word that the prompt asks to translate",
    "source_concept": "concept whose representation is patched in, by its English gloss",
    "target_concept": "concept that the patched prompt asks for",
    "null_concept": "third concept, for the wrong-concept null",
    "source_shots": "concepts of the source prompt's solved lines, with | between them",
    "target_shots": "the same of the target prompt",
    "p_source": "probability, 0 to 1, that the next token begins a word of the source concept in the output language",
    "p_target": "the same for the target concept",
    "answer": "greedily generated text up to the closing quote; null where none was generated",
    "answer_correct_source": "whether the answer is an accepted word of the source concept; null where none was generated",
    "answer_correct_target": "whether the answer is an accepted word of the target concept; null where none was generated",
    "key": "SHA-256, hex, of the cell's fields: rows of one cell share it",
    "model": "name of the model",
    "training_seed": "seed of the training run, from 0",
    "step": "optimiser steps done at this checkpoint, 0 before training",
    "tokens": "training tokens seen at this checkpoint",
    "weights_sha256": "SHA-256, hex, of the weights, or of hub repository and commit",
    "lexicon": "name of the word list",
    "lexicon_sha256": "SHA-256, hex, of its content in the languages used",
    "languages": "codes, with spaces, of the languages in which concepts are kept apart",
    "pair": "language codes input-output",
    "condition": "where the patched representation comes from",
    "prompt_seed": "seed that drew concept pairs and solved lines",
    "n_pairs": "concept pairs in the cell",
    "shots": "solved lines before the query",
    "template": "how a line of the prompt is written",
    "generate": "tokens generated greedily, 0 for none",
    "seen_languages": "codes, with spaces, of the model's training languages in the word list",
    "dtype": "floating type of the weights",
    "patched_tokens": "which tokens are patched",
    "score": "how answers are scored",
    "method": "version of the method; higher is later",
    "prompts_sha256": "SHA-256, hex, of the file of shared prompts; empty where they were drawn",
}


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
        raise MeaningsError(f"{folder}: is there already and not empty; name a new folder")
    rows, versions = _published(table) if table is not None else _measured(results, keys)
    said = []
    if not words and not _embedded(rows):
        rows = _without_words(rows)
        said.append(
            "words (columns query, answer, solved lines) left out and concepts numbered: the "
            "lexicon is not the embedded one; --words keeps them, if you may pass them on"
        )
    elif not licence and not words:
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


def card(rows: pa.Table, versions: list[dict], layout: str, licence: str, whose: str) -> str:
    """The data card: YAML front matter as the hub reads it, then columns, units and provenance."""
    codes = sorted({code for text in _values(rows, "languages") for code in text.split()})
    front = {
        "pretty_name": "When Meanings Meet: concept patching",
        "language": codes,
        "size_categories": [
            next((name for limit, name in SIZES if len(rows) < limit), "100M<n<1B")
        ],
        "tags": ["interpretability", "activation-patching", "multilingual"],
    }
    if licence:
        front["license"] = licence
    if layout == "datasets":
        front["configs"] = [
            {"config_name": "default", "data_files": [{"split": "train", "path": "data/*.parquet"}]}
        ]
        front["dataset_info"] = {
            "features": [
                {"name": field.name, "dtype": _dtype(field.type)} for field in rows.schema
            ],
            "splits": [{"name": "train", "num_examples": len(rows), "num_bytes": rows.nbytes}],
        }
    names = ", ".join(f"{LANGUAGES[code].name} ({code})" for code in codes if code in LANGUAGES)
    lines = [
        "---",
        yaml.safe_dump(front, sort_keys=False, allow_unicode=True).rstrip(),
        "---",
        "",
        "# Concept patching results",
        "",
    ]
    lines += [
        f"{len(rows)} rows of {whose} results, {pc.count_distinct(rows['key']).as_py()} cells, in "
        f"{names}.",
        "",
        "Few-shot word-translation prompts are run through a language model; at the query word's "
        "last token the outputs of all layers from",
        "`first_layer` on are replaced by a concept vector, taken from other prompts as "
        "`condition` says. A row is one prompt at one first layer.",
        "",
    ]
    if not licence:
        lines += [
            "**Licence:** not chosen yet. Set `license` above before you pass this on; the "
            "embedded lexicon's words are Unicode CLDR's (Unicode License).",
            "",
        ]
    lines += ["## Columns", "", "| Column | Type | What it is |", "|---|---|---|"]
    lines += [
        f"| `{f.name}` | {_dtype(f.type)} | "
        f"{_cell(DESCRIPTIONS.get(f.name) or _probability(f.name))} |"
        for f in rows.schema
    ]
    lines += ["", "## Provenance", "", "| What | Values |", "|---|---|"]
    for name in (
        "model",
        "training_seed",
        "step",
        "weights_sha256",
        "lexicon",
        "lexicon_sha256",
        "dtype",
        "method",
    ):
        lines.append(f"| {name} | {_cell(', '.join(map(str, _values(rows, name))))} |")
    lines += [
        f"| {_cell(name)} | "
        f"{_cell(', '.join(sorted({str(v[name]) for v in versions if v.get(name) is not None})))} |"
        for name in sorted({n for v in versions for n in v})
    ]
    if layout == "csv":
        lines += ["", "A text that begins with `=`, `+`, `-`, `@` (full-width too), a tab, a line break or an apostrophe has an apostrophe before it, so that no",
                  "spreadsheet runs it; take one leading apostrophe off to have the text back. Empty cells are missing values."]  # fmt: skip
    return "\n".join(lines) + "\n"


def harmless(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Texts with an apostrophe before what a spreadsheet would run, and before an apostrophe."""
    risky = pc.match_substring_regex(column, FORMULA)
    return pc.if_else(risky, pc.binary_join_element_wise("'", column, ""), column)


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
    path = data_folder() / "published" / f"{name}.parquet"
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name):
        raise MeaningsError(f"published table {name!r}: expected a name, not a path")
    if not path.is_file():
        names = sorted(file.stem for file in path.parent.glob("*.parquet"))
        raise MeaningsError(
            f"published table {name!r} is not there; there are {', '.join(names) or 'none yet'}"
        )
    table = pq.read_table(path)
    return _plain(table.replace_schema_metadata(None)), json.loads(table.schema.metadata[METADATA])[
        "versions"
    ]


def _plain(table: pa.Table) -> pa.Table:
    """Dictionaries as plain texts, so that the columns' types are the same everywhere."""
    return pa.table(
        {
            f.name: table[f.name].cast(pa.string())
            if pa.types.is_dictionary(f.type)
            else table[f.name]
            for f in table.schema
        }
    )


def _embedded(rows: pa.Table) -> bool:
    """Whether all words are the embedded lexicon's, by content and not by name."""
    whole = load_lexicon("embedded")
    for pair in (
        rows.select(["lexicon_sha256", "languages"])
        .group_by(["lexicon_sha256", "languages"])
        .aggregate([])
        .to_pylist()
    ):
        codes = pair["languages"].split()
        if (
            not set(codes) <= set(whole.languages)
            or whole.restrict(languages=codes).sha256 != pair["lexicon_sha256"]
        ):
            return False
    return True


def _without_words(rows: pa.Table) -> pa.Table:
    names = sorted(
        {name for column in CONCEPT_COLUMNS for name in _values(rows, column)}, key=_unalphabetical
    )
    numbers = {name: f"c{number:05}" for number, name in enumerate(names)}
    for column in CONCEPT_COLUMNS:
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
        f.name: harmless(rows[f.name]) if pa.types.is_string(f.type) else rows[f.name]
        for f in rows.schema
    }
    frame = pa.table(texts).to_pandas()
    frame.to_csv(folder / "results.csv", index=False, lineterminator="\n", encoding="utf-8")
    return "results.csv"


def _values(rows: pa.Table, name: str) -> list:
    return sorted(value for value in pc.unique(rows[name]).to_pylist() if value is not None)


def _dtype(kind: pa.DataType) -> str:
    return {"float": "float32", "double": "float64"}.get(str(kind), str(kind))


def _probability(name: str) -> str:
    side, _, code = name.removeprefix("p_").partition("_")
    return f"probability, 0 to 1, of the {side} concept in {LANGUAGES[code].name if code in LANGUAGES else code}"


def _cell(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
