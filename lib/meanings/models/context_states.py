"""What a model holds of whole sentences, and of every word in its place in them.

    sentence    mean over its tokens, the mark that begins a text left out
    word        the state at the word's last token, which has read the sentence up to there

A decoder reads from left to right: a word's state knows what stands before it, and nothing of what
comes after. So a sentence's first words have next to no context.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int

from meanings.core.errors import MeaningsError
from meanings.models.activations import begin_mark, parts_of_one_length, recorded_in
from meanings.models.loading import PatchableModel


@dataclass(frozen=True)
class ContextStates:
    """States of sentences and of their words, the words of all sentences in a row.

    - `units`: of each layer's MLP at the words, as float16.
    - `pieces`: the token ids of each sentence, without the mark before it.
    """

    sentences: Float[np.ndarray, "depth sentence d_model"]
    words: Float[np.ndarray, "depth word d_model"]
    units: Float[np.ndarray, "layer word d_mlp"]
    pieces: tuple[tuple[int, ...], ...]


def last_tokens(
    offsets: Sequence[tuple[int, int]], ends: Sequence[int]
) -> Int[np.ndarray, " word"]:
    """The place of each word's last token: the last one that begins before the word's end.

    - `offsets`: characters of each token; `ends`: where each word ends in the text.
    """
    begins = np.array([begin for begin, _ in offsets])
    return np.array([int(np.flatnonzero(begins < end)[-1]) for end in ends], int)


@torch.no_grad()
def context_states(
    model: PatchableModel, texts: Sequence[str], ends: Sequence[Sequence[int]]
) -> ContextStates:
    """The states of sentences, and of their words, whose ends in the text are given, in float32.

    Sentences of one length run together, so nothing is padded.

    Raises MeaningsError where a state is not finite or the MLPs are not found.
    """
    read = [
        model.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        for text in texts
    ]
    ids = [each["input_ids"] for each in read]
    places = [
        last_tokens(each["offset_mapping"], own) for each, own in zip(read, ends, strict=True)
    ]
    begins = np.cumsum([0, *map(len, ends)])
    found: dict[str, np.ndarray] = {}
    with recorded_in(model) as recorded:
        for part in parts_of_one_length(np.array([len(each) for each in ids])):
            rows = torch.tensor([[begin_mark(model), *ids[i]] for i in part], device=model.device)
            model.network(input_ids=rows, use_cache=False, logits_to_keep=1)
            hidden = torch.stack(list(recorded["hidden"])).float().cpu().numpy()[:, :, 1:]
            units = torch.stack(list(recorded["units"])).float().cpu().numpy()[:, :, 1:]
            found = found or _empty(hidden, units, len(texts), begins[-1])
            found["sentences"][:, part] = hidden.mean(axis=2)
            for row, i in enumerate(part):
                own = slice(begins[i], begins[i + 1])
                found["words"][:, own] = hidden[:, row, places[i]]
                found["units"][:, own] = units[:, row, places[i]]
    if not all(np.isfinite(each).all() for each in found.values()):
        raise MeaningsError(
            f"{model.name} in {model.dtype}: the state of a sentence or a word is not finite; use "
            "dtype float32 or bfloat16"
        )
    return ContextStates(**found, pieces=tuple(map(tuple, ids)))


def _empty(
    hidden: np.ndarray, units: np.ndarray, sentences: int, words: int
) -> dict[str, np.ndarray]:
    depth, *_, width = hidden.shape
    return {
        "sentences": np.empty((depth, sentences, width), np.float32),
        "words": np.empty((depth, words, width), np.float32),
        "units": np.empty((len(units), words, units.shape[-1]), np.float16),
    }
