"""Cells of patching for tests, and rows of one."""

import numpy as np
import pandas as pd

from meanings.measures.cells import Cell


def patching_cell(**fields) -> Cell:
    """A cell of patching from its fields, named as in its file."""
    return Cell.from_dict(fields)


CELL = patching_cell(
    model="m",
    training_seed=0,
    step=10,
    tokens=1000,
    weights_sha256="a" * 64,
    lexicon="embedded",
    lexicon_sha256="b" * 64,
    languages=("en", "fr", "es"),
    pair="en-fr",
    condition="seen",
    prompt_seed=42,
    n_pairs=2,
    shots=5,
    template="quoted",
    generate=8,
    seen_languages=("en", "es"),
)


def rows(answers: bool = True, n_layers: int = 2) -> pd.DataFrame:
    random = np.random.Generator(np.random.PCG64(0))
    n = 2 * n_layers
    table = pd.DataFrame(
        {
            "first_layer": np.repeat(range(n_layers), 2),
            "prompt": [0, 1] * n_layers,
            "query": ["cat", "dog"] * n_layers,
            "source_concept": ["owl", "fox"] * n_layers,
            "target_concept": ["cat", "dog"] * n_layers,
            "null_concept": ["bee", "ant"] * n_layers,
        }
    )
    for column in ("p_source", "p_target", "p_source_en", "p_target_en"):
        table[column] = random.uniform(size=n).astype("float32")
    said = {
        "answer": ["chat", 'a|b"'] * n_layers,
        "answer_correct_source": [False] * n,
        "answer_correct_target": [True, False] * n_layers,
    }
    return table.assign(**(said if answers else dict.fromkeys(said)))
