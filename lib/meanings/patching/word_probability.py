"""The probability of whole words after a patched forward: the word's tokens, then a token that
closes the quote.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers.cache_utils import Cache

from meanings.core.errors import MeaningsError
from meanings.models.loading import PatchableModel
from meanings.patching.batching import in_parts, rows_at_once
from meanings.patching.kv_cache import select_rows
from meanings.patching.prefixes import Prefixes

TokenIds = tuple[int, ...]


@dataclass(frozen=True)
class Words:
    """Sets of words, as token ids, whose probabilities are summed: one set a prompt and column.

    - `sets[prompt][column]`; every prompt has the same number of columns.
    - `closing`: tokens of which one must follow the word.

    Raises MeaningsError on a word without tokens, or where the numbers of columns differ.
    """

    sets: Sequence[Sequence[frozenset[TokenIds]]]
    closing: frozenset[int]

    def __post_init__(self) -> None:
        widths = {len(row) for row in self.sets}
        if len(widths) > 1 or widths == {0}:
            raise MeaningsError(
                "every prompt needs the same number of sets of words, at least one; found "
                f"{sorted(widths)}; give each as many"
            )
        if not self.closing or any(
            not word for row in self.sets for words in row for word in words
        ):
            raise MeaningsError(
                "a word without tokens, or no token that closes it: its probability is not defined"
                "; leave the word out of the lexicon"
            )

    def __len__(self) -> int:
        return len(self.sets)

    @property
    def columns(self) -> int:
        """Sets of words per prompt."""
        return len(self.sets[0])

    @property
    def longest(self) -> int:
        """Tokens of the longest word."""
        return max((len(word) for row in self.sets for words in row for word in words), default=1)

    def repeated(self, times: int) -> Words:
        """The same sets once more, `times` times in all."""
        return Words(list(self.sets) * times, self.closing)


@torch.no_grad()
def word_probability(
    model: PatchableModel,
    prefixes: Prefixes,
    rows: Int[Tensor, " row"],
    suffix_length: int,
    cache: Cache,
    logits: Float[Tensor, "row vocab"],
    words: Words,
) -> Float[Tensor, "row column"]:
    """P(concept's words): probability that the answer is one of the words, quote closed, the words'
    tokens being given to the model.

        p[r, c] = sum over words w in sets[r][c] of
                  p(w[1]) p(w[2] | w[1]) ... p(w[n] | ...) * (sum over q in closing of p(q | w))

    - `rows[r]`: the prefix that row r goes on from; `cache`: its keys and values up to the suffix's
      end, left as they are.
    - `logits`: of the next token there.
    - `words.sets[r]`: row r's. The patch itself is in the cache: the words' tokens are not patched.
    """
    wanted = [
        (row, column, word)
        for row, sets in enumerate(words.sets)
        for column, those in enumerate(sets)
        for word in sorted(those)
    ]
    closing = torch.tensor(sorted(words.closing), device=logits.device)
    found = torch.zeros(len(rows), words.columns)
    width = words.longest
    behind = prefixes.mask.shape[1] + suffix_length
    # Every position's logits are read, where other forwards keep one position's.
    most = max(1, rows_at_once(model, width, behind, kept=suffix_length + width) // width)

    def run(part: Sequence[tuple[int, int, TokenIds]]) -> None:
        place = torch.tensor([row for row, _, _ in part], device=logits.device)
        longest = max(len(word) for _, _, word in part)
        # Shorter words are padded on the right: what follows a token cannot reach it.
        ids = torch.tensor(
            [[*word, *([0] * (longest - len(word)))] for _, _, word in part], device=logits.device
        )
        after = model.network(
            input_ids=ids,
            **prefixes.inputs(rows[place], longest, suffix_length),
            past_key_values=select_rows(cache, place),
            use_cache=True,
            logits_to_keep=longest,
        ).logits
        said = (
            torch.cat([logits[place, None], after], dim=1).float().log_softmax(-1)
        )  # row, position + 1, vocab
        steps = said[:, :-1].gather(-1, ids[..., None])[..., 0].cpu()
        closed = said[..., closing].logsumexp(-1).cpu()
        for index, (row, column, word) in enumerate(part):
            found[row, column] += (steps[index, : len(word)].sum() + closed[index, len(word)]).exp()

    in_parts(wanted, most, run)
    return found
