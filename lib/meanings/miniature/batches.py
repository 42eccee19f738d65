"""What a training run reads at each step: the text's rows, with switched words and a second loss
where the recipe has them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

from meanings.miniature.alignment import AlignmentLoss
from meanings.miniature.corpus import Corpus
from meanings.miniature.switching import Switcher


@dataclass(frozen=True)
class Batch:
    """One step's text: inputs and the tokens to be said, shape `rows x row_length`, and a second
    loss where the recipe has one.
    """

    inputs: np.ndarray
    targets: np.ndarray
    second: Callable[[LlamaForCausalLM], torch.Tensor | None] = lambda model: None

    @classmethod
    def of(cls, rows: np.ndarray) -> Batch:
        """The batch in which every token of `rows` but the first is to be said.

        - `rows`: shape `rows x (row_length + 1)`.
        """
        return cls(rows[:, :-1], rows[:, 1:])


class Batches:
    """What a run reads at each step."""

    def __init__(self, corpus: Corpus, tokenizer: PreTrainedTokenizerFast, seed: int) -> None:
        mix, given = corpus.mix, (corpus, tokenizer, seed)
        self._given = given
        self._switcher = Switcher(mix.switch, *given) if mix.switch else None
        self._alignment = AlignmentLoss(mix.align, *given) if mix.align else None

    def at(self, step: int) -> Batch:
        """The batch of a step: it depends on the recipe, the seed and the step alone."""
        rows = packed_rows(*self._given, step)
        batch = Batch(*self._switcher.switched(rows, step)) if self._switcher else Batch.of(rows)
        if self._alignment is None:
            return batch
        return replace(batch, second=partial(self._alignment.at, step))


def packed_rows(
    corpus: Corpus, tokenizer: PreTrainedTokenizerFast, seed: int, step: int
) -> np.ndarray:
    """The step's text: documents one after another, each behind an end-of-text token, cut into
    rows.

    Returns token ids, shape `rows x (row_length + 1)`.
    """
    schedule = corpus.mix.training
    rng = np.random.default_rng([seed, step])
    needed = schedule.rows * (schedule.row_length + 1)
    ids: list[int] = []
    while len(ids) < needed:
        for document in tokenizer(
            [corpus.document(rng) for _ in range(64)], add_special_tokens=False
        )["input_ids"]:
            ids += [tokenizer.eos_token_id, *document]
    return np.array(ids[:needed]).reshape(schedule.rows, -1)
