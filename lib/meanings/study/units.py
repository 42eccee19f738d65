"""Units of the numbers in published tables, by column: one place for data dictionaries."""

from __future__ import annotations

import re

PROBABILITY = "probability"
UNITS = {
    "auc": PROBABILITY,
    "asked": PROBABILITY,
    "attention": "share of attention",
    "correct": "share",
    "embedding": PROBABILITY,
    "layers": PROBABILITY,
    "length": "tokens",
    "generate": "tokens",
    "mebibytes": "MiB",
    "nats": "nats",
    "nominal": "share",
    "null_concept": PROBABILITY,
    "p": PROBABILITY,
    "pieces": "share",
    "rate": "share",
    "rho": "correlation",
    "seconds": "s",
    "seen": PROBABILITY,
    "share": "share",
    "step": "optimiser steps",
    "steps": "optimiser steps",
    "target": PROBABILITY,
    "tokens": "training tokens",
    "unclamped": "share",
    "word_tokens": "tokens",
}
COUNTS = {
    "generations", "n", "n_checkpoints", "n_languages", "n_pairs", "n_units", "permutations",
    "shots", "shuffles", "source_pairs", "sources", "units", "worlds",
}  # fmt: skip
NUMBERS = {
    "attention_head", "attention_layer", "block", "draw", "first_layer", "item", "layer",
    "meeting_layer", "method", "prompt", "prompt_seed", "reading_layer", "seed", "size",
    "training_seed",
}  # fmt: skip
# Their unit is that of what the row is about.
OF_ROW = {"value", "null", "mean", "low", "high", "reported", "true"}


def unit(column: str) -> str:
    """The unit of a numeric column: a quantity, `count`, `number` (of a layer, a seed ...), or
    `as the row says`; empty where none is known.
    """
    base = re.sub(r"_(low|high|[0-9]+)$", "", column)
    for name in (column, base):
        if name in UNITS:
            return UNITS[name]
        if name in COUNTS:
            return "count"
        if name in NUMBERS:
            return "number"
        if name in OF_ROW:
            return "as the row says"
    return PROBABILITY if re.match(r"p_(source|target|own)", column) else ""
