"""What the columns of every exported table mean: one description per column, for data cards."""

from collections.abc import Collection

import pyarrow as pa

from meanings.lexicon.languages import LANGUAGES
from meanings.measures.base import column_of, value_range
from meanings.measures.patching import PATCHING
from meanings.study import table_kinds, world_kinds
from meanings.study.table_kinds import CELLS, INTERVAL, Kind

KINDS = (*world_kinds.KINDS, *table_kinds.KINDS)

# Fields of cells, and of settings, which mean the same in every table but those that say otherwise.
# The columns of rows are described where they are measured.
COLUMNS = {
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
    "pairs": "language pairs, with spaces, over which the row is a mean",
    "condition": "where the patched representation comes from",
    "prompt_seed": "seed that drew concept pairs and few-shot examples",
    "n_pairs": "concept pairs in the cell",
    "shots": "few-shot examples before the query",
    "template": "how a line of the prompt is written",
    "generate": "tokens generated greedily, 0 for none",
    "seen_languages": "codes, with spaces, of the model's training languages in the word list",
    "dtype": "floating type of the weights",
    "patched_tokens": "which of the query word's tokens are patched",
    "score": (
        "how a concept is scored: first_token (the next token begins one of its words) or word "
        "(one of its words as a whole, with the closing quote)"
    ),
    "method": "version of the method; higher is later",
    "prompts_sha256": "SHA-256, hex, of the file of shared prompts; empty where they were drawn",
    "layers": (
        "which layers are patched: from (`first_layer` and all later ones) or only "
        "(`first_layer` alone)"
    ),
    "source_pairs": (
        "source prompts over which a vector is averaged, 0 for all that the condition has"
    ),
    "tokenizer": "file (tokenizer.json as it stands) or library (as transformers has it)",
    "first_layers": "first layers that were swept, with spaces between them; empty for all",
}


def kind_of(columns: Collection[str]) -> Kind:
    """The kind of a table with these columns; cells where none fits."""
    return next((kind for kind in KINDS if kind.marks <= set(columns)), CELLS)


def description(column: str, kind: Kind = CELLS) -> str:
    """What a column means in a table of this kind; empty where nobody has said it."""
    text = kind.columns.get(column) or COLUMNS.get(column)
    if text is not None:
        return text
    base, _, end = column.rpartition("_")
    if end in ("low", "high") and base in kind.columns:
        return f"{'lower' if end == 'low' else 'upper'} end of the {INTERVAL} of `{base}`"
    if base == "attention" and base in kind.columns and end.isdigit():
        return f"largest mean attention, 0 to 1, of a head of layer {end}"
    measured = column_of(PATCHING.columns, column)
    return "" if measured is None else _of_measure(measured, column)


def _of_measure(field: pa.Field, column: str) -> str:
    """A measure's own description of a column, with its language and its range where it has one."""
    text = field.metadata[b"description"].decode()
    if field.name.endswith("*"):
        code = column.removeprefix(field.name[:-1])
        text += f": {LANGUAGES[code].name if code in LANGUAGES else code}"
    values = value_range(field)
    return text if values is None else f"{text}; {values[0]:g} to {values[1]:g}"
