"""How alike the input embeddings of twin tokens are: nearest neighbours between two languages'
tokens, as they are and after the best rotation.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from safetensors.torch import load_file
from scipy.linalg import orthogonal_procrustes
from transformers import PreTrainedTokenizerFast

from meanings.measures.retrieval import csls, hits, unit_rows
from meanings.miniature.corpus import Corpus
from meanings.miniature.twins import blocks_of
from meanings.models.checkpoints import trajectory

FOLDS = 5  # the rotation is fitted on four fifths of the tokens and read on the fifth
FOLD_SEED = 41
PERMUTATIONS = 100
Vectors = Float[np.ndarray, "token d_model"]


def embedding_rows(home: Path, step: int, corpus: Corpus) -> Iterator[dict[str, Any]]:
    """Rows of a checkpoint of a run of clones: one for each pair of languages and variant.

    Variants `raw` (centred CSLS) and `rotated`; `value` is the share of tokens whose twin is the
    nearest, both ways, `null` the mean of the same with permuted twins, `n` the tokens.
    """
    folder = trajectory(home).at(step).path
    weights = load_file(folder / "model.safetensors")
    table = weights["model.embed_tokens.weight"].float().numpy()
    tokenizer = PreTrainedTokenizerFast.from_pretrained(home / "tokenizer", local_files_only=True)
    blocks = blocks_of(corpus, tokenizer.get_vocab())
    codes = corpus.mix.seen_languages
    vectors = {
        code: table[blocks.first + place * blocks.size :][: blocks.size]
        for place, code in enumerate(blocks.languages)
    }
    for i, a in enumerate(codes):
        for b in codes[i + 1 :]:
            for variant in ("raw", "rotated"):
                yield {
                    "variant": variant,
                    "language_a": a,
                    "language_b": b,
                    **twin_retrieval(vectors[a], vectors[b], variant == "rotated"),
                }


def twin_retrieval(a: Vectors, b: Vectors, rotated: bool) -> dict[str, Any]:
    """`value`, `null`, `null_high` and `n` of the retrieval of twins, `a[i]` being `b[i]`'s.

    - `rotated`: an orthogonal map is fitted on other tokens first, by folds. It needs about two
      tokens for each dimension; with fewer it makes things worse.
    """
    rng = np.random.default_rng(FOLD_SEED)
    found = float(_found(a, b, rotated).mean())
    null = [
        float(_found(a, b[rng.permutation(len(b))], rotated).mean())
        for _ in range(1 if rotated else PERMUTATIONS)
    ]
    return {
        "value": found,
        "null": float(np.mean(null)),
        "null_high": float(np.quantile(null, 0.975)),
        "n": len(a),
    }


def _found(a: Vectors, b: Vectors, rotated: bool) -> Float[np.ndarray, " token"]:
    x, y = unit_rows(a), unit_rows(b)
    if not rotated:
        return hits(csls(x @ y.T))
    found = np.zeros(len(x))
    dealt = np.random.default_rng(FOLD_SEED).permutation(len(x)) % FOLDS
    for fold in range(FOLDS):
        others = dealt != fold
        turn, _ = orthogonal_procrustes(x[others], y[others])
        found[~others] = hits(csls((x @ turn) @ y.T))[~others]
    return found
