"""Input-only code-switching: some words of the text are read in another language, and what the
model learns to say stays as it was.

Clones have twin tokens, so a switched word is as long as it was. The tokens inside a switched word
cannot be foreseen from its new beginning and are not learned. Source: Li et al. 2024 (PreAlign),
whose public code takes the switched words as what is to be said (`predict: switched`).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Int
from transformers import PreTrainedTokenizerFast

from meanings.miniature.corpus import Corpus
from meanings.miniature.treatments import Switching, touched
from meanings.miniature.twins import blocks_of

SWITCHING_STREAM = 31  # of random numbers: the text's own stay as they are
UNLEARNED = -100  # a target that the cross-entropy leaves out
Rows = Int[np.ndarray, "row token"]
Shifted = Int[np.ndarray, "row token-1"]


class Switcher:
    """The switched input of a recipe's `switch`, and its targets.

    - `seed`: the training seed, which draws the words and languages of each step.
    """

    def __init__(
        self, plan: Switching, corpus: Corpus, tokenizer: PreTrainedTokenizerFast, seed: int
    ) -> None:
        self._plan, self._seed = plan, seed
        self._blocks = blocks_of(corpus, tokenizer.get_vocab())
        lexicon = corpus.written("switched")
        concepts, codes = touched(corpus.lexicon, plan.words), corpus.mix.seen_languages
        ids = {
            code: tokenizer([lexicon.word(c, code) for c in concepts], add_special_tokens=False)[
                "input_ids"
            ]
            for code in codes
        }
        self._translations = {
            tuple(ids[code][place]): [ids[other][place] for other in codes if other != code]
            for code in codes
            for place in range(len(concepts))
        }

    def switched(self, rows: Rows, step: int) -> tuple[Shifted, Shifted]:
        """Inputs and targets of a step's rows, each of shape `row x (token - 1)`.

        Where languages order words alike a word has one translation in each; a translation of
        another length is not taken.
        """
        rng = np.random.default_rng([self._seed, step, SWITCHING_STREAM])
        read, said = rows.copy(), rows.copy()
        for row in range(len(rows)):
            for start, end in self._words(rows[row]):
                others = self._translations.get(tuple(rows[row, start:end].tolist()), [])
                others = [ids for ids in others if len(ids) == end - start]
                if not others or rng.random() >= self._plan.share:
                    continue
                read[row, start:end] = others[rng.integers(len(others))]
                if self._plan.predict == "switched":
                    said[row, start:end] = read[row, start:end]
                else:
                    said[row, start + 1 : end] = UNLEARNED
        return read[:, :-1], said[:, 1:]

    def _words(self, row: Int[np.ndarray, " token"]) -> Iterator[tuple[int, int]]:
        """Where the row's words begin and end: runs of signs of one block."""
        blocks = self._blocks.block(row)
        edges = np.flatnonzero(np.diff(blocks)) + 1
        for start, end in zip([0, *edges], [*edges, len(row)], strict=True):
            if blocks[start] >= 0:
                yield int(start), int(end)
