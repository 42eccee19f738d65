"""How much of the next-token probability goes to a concept in a language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from meanings.core.errors import MeaningsError

ROWS = 16  # whose logits are in float32 at one time


@dataclass(frozen=True)
class TokenColumns:
    """Sets of token ids whose probabilities are summed: one set a prompt and column, as padded
    indices.

    - `ids`, `counted`: [prompt, column, slot]; a slot that is not counted is padding.
    """

    ids: Int[Tensor, "prompt column slot"]
    counted: Bool[Tensor, "prompt column slot"]

    def rows(self, rows: Int[Tensor, " row"]) -> TokenColumns:
        """The columns of some prompts, given by their indices."""
        return TokenColumns(self.ids[rows], self.counted[rows])


def token_columns(sets: Sequence[Sequence[frozenset[int]]]) -> TokenColumns:
    """Columns from `sets[prompt][column]`; every prompt has the same number of columns, at least
    one.

    Raises MeaningsError where the numbers differ.
    """
    widths = {len(row) for row in sets}
    if len(widths) != 1 or widths == {0}:
        raise MeaningsError(
            "every prompt needs the same number of token columns, at least one; found "
            f"{sorted(widths)}; give each as many"
        )
    flat = [sorted(tokens) for row in sets for tokens in row]
    lengths = np.array([len(tokens) for tokens in flat])
    slots = max(1, int(lengths.max(initial=0)))
    counted = np.arange(slots) < lengths[:, None]
    ids = np.zeros(counted.shape, dtype=np.int64)
    ids[counted] = [token for tokens in flat for token in tokens]
    shape = (len(sets), widths.pop(), slots)
    return TokenColumns(torch.from_numpy(ids).view(shape), torch.from_numpy(counted).view(shape))


def concept_probability(
    logits: Float[Tensor, "prompt vocab"], columns: TokenColumns
) -> Float[Tensor, "prompt column"]:
    """P(concept in language): next-token probability summed over the distinct first tokens of its
    words.

        p[i, c] = sum over t in columns[i, c] of softmax(logits[i])[t]

    Logits of any floating type; the sum is in float32.
    """
    parts = zip(
        logits.split(ROWS), columns.ids.split(ROWS), columns.counted.split(ROWS), strict=True
    )
    return torch.cat([_summed(*part) for part in parts])


def _summed(logits: Tensor, ids: Tensor, counted: Tensor) -> Tensor:
    logits = logits.float()
    scale = logits.logsumexp(-1)[:, None, None]
    rows = torch.arange(len(logits), device=logits.device)[:, None, None]
    probabilities = (logits[rows, ids.to(logits.device)] - scale).exp()
    return (probabilities * counted.to(logits.device)).sum(-1)
