"""What a model holds of whole sentences, and of every word in its place in them.

    sentence    mean over its tokens, the mark that begins a text left out
    word        the state at the word's last token, which has read the sentence up to there

A decoder reads from left to right: a word's state knows what stands before it, and nothing of what
comes after. So a sentence's first words have next to no context.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from meanings.core.errors import MeaningsError
from meanings.models.activations import recorded_in, start_of_text
from meanings.models.loading import PatchableModel

AT_ONCE = 1024  # tokens per forward


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

    Sentences of about one length run together. The shorter ones are filled up at their ends, which
    no token before them attends to, and the filling is not read.

    Raises MeaningsError where a state is not finite or the MLPs are not found.
    """
    read = [
        model.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        for text in texts
    ]
    ids = [[start_of_text(model), *each["input_ids"]] for each in read]
    places = [
        last_tokens(each["offset_mapping"], own) for each, own in zip(read, ends, strict=True)
    ]
    begins = np.cumsum([0, *map(len, ends)]).tolist()
    found: dict[str, np.ndarray] = {}
    with recorded_in(model) as recorded:
        for part in _parts(np.array(list(map(len, ids)))):
            longest = max(len(ids[i]) for i in part)
            filled = [ids[i] + [ids[i][0]] * (longest - len(ids[i])) for i in part]
            rows = torch.tensor(filled, device=model.device)
            model.network(input_ids=rows, use_cache=False, logits_to_keep=1)
            for row, i in enumerate(part):
                own = slice(1, len(ids[i]))  # without the mark before it
                hidden = _of(recorded["hidden"], row, own)
                units = _of(recorded["units"], row, own)
                found = found or _empty(hidden, units, len(texts), begins[-1])
                words = slice(begins[i], begins[i + 1])
                found["sentences"][:, i] = hidden.mean(axis=1)
                found["words"][:, words] = hidden[:, places[i]]
                found["units"][:, words] = units[:, places[i]]
    if not all(np.isfinite(each).all() for each in found.values()):
        raise MeaningsError(
            f"{model.name} in {model.dtype}: the state of a sentence or a word is not finite; use "
            "dtype float32 or bfloat16"
        )
    return ContextStates(**found, pieces=tuple(tuple(each[1:]) for each in ids))


def _of(layers: Sequence[Tensor], row: int, own: slice) -> Float[np.ndarray, "layer token width"]:
    return torch.stack([layer[row, own].float() for layer in layers]).cpu().numpy()


def _parts(lengths: Int[np.ndarray, " text"]) -> Iterator[list[int]]:
    """Places of texts, from the shortest on, as many as fit into one forward."""
    part: list[int] = []
    for place in np.argsort(lengths, kind="stable").tolist():
        if part and (len(part) + 1) * lengths[place] > AT_ONCE:
            yield part
            part = []
        part.append(place)
    yield part


def _empty(
    hidden: np.ndarray, units: np.ndarray, sentences: int, words: int
) -> dict[str, np.ndarray]:
    depth, _, width = hidden.shape
    return {
        "sentences": np.empty((depth, sentences, width), np.float32),
        "words": np.empty((depth, words, width), np.float32),
        "units": np.empty((len(units), words, units.shape[-1]), np.float16),
    }
