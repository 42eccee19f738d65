"""Greedy generation that goes on from a patched forward, row by row until the answer is closed."""

from __future__ import annotations

import torch
from jaxtyping import Int
from torch import Tensor
from transformers.cache_utils import Cache

from meanings.models.loading import PatchableModel
from meanings.patching.prefixes import Prefixes
from meanings.prompts.answers import CLOSING


def continue_greedily(
    model: PatchableModel,
    prefixes: Prefixes,
    rows: Int[Tensor, " row"],
    suffix_length: int,
    cache: Cache,
    choice: Int[Tensor, " row"],
    tokens: int,
) -> list[str]:
    """Up to `tokens` greedy tokens a row, as text; a row ends with the token that closes its
    answer.

        t[k + 1] = argmax of the next-token logits after prefix, suffix, t[1], ..., t[k]

    - `rows[r]`: the prefix that row r goes on from; `cache`: its keys and values up to the suffix's
      end, used up here.
    - `choice`: the first token of each answer, t[1].

    Of equal logits the lowest id is taken. The patch itself is in the cache: generated tokens are
    not patched.
    """
    closing: dict[int, bool] = {}
    said: list[list[int]] = [[] for _ in rows]
    active = torch.arange(len(rows), device=model.device)
    for count in range(1, tokens + 1):
        going = []
        for place, (row, token) in enumerate(zip(active.tolist(), choice.tolist(), strict=True)):
            said[row].append(token)
            if token not in closing:
                closing[token] = closes(model, token)
            if not closing[token]:
                going.append(place)
        if not going or count == tokens:
            break
        if len(going) < len(active):
            kept = torch.tensor(going, device=model.device)
            active, choice = active[kept], choice[kept]
            cache.batch_select_indices(kept)
        inputs = prefixes.inputs(rows[active], suffix_length + count)
        choice = (
            model.network(
                input_ids=choice[:, None],
                attention_mask=inputs["attention_mask"],
                position_ids=inputs["position_ids"][:, -1:],
                past_key_values=cache,
                use_cache=True,
                logits_to_keep=1,
            )
            .logits[:, -1]
            .argmax(-1)
        )
    return model.tokenizer.batch_decode(said, skip_special_tokens=True)


def closes(model: PatchableModel, token: int) -> bool:
    """Whether a token ends the answer: it holds a closing mark, or is special."""
    if token in model.special_ids:
        return True
    text = model.tokenizer.decode([token])
    return any(mark in text for mark in CLOSING)
