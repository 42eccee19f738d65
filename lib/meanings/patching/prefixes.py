"""Run what many rows share once: the keys and values of prompts' beginnings.

Prefixes of different lengths are padded on the left, so that the distance between two tokens is the
same in every row, which rotary, ALiBi and sliding-window attention all need.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int
from torch import Tensor
from transformers.cache_utils import Cache

from meanings.models.loading import PatchableModel
from meanings.patching.kv_cache import (
    KeysValues,
    LastPrefixLayer,
    PrefixIsRun,
    SharedPrefixLayer,
)


@dataclass(frozen=True)
class Prefixes:
    """Keys and values of every layer for a block of prefixes, padded on the left to one length.

    - `keys_values[layer]`: keys and values, [prefix, head, position + room, d_head]; empty where
      all prefixes are.
    - `mask`: True where a position is a token; `lengths`: tokens of each prefix; `room`: tokens
      that may follow.
    """

    keys_values: tuple[KeysValues, ...]
    mask: Bool[Tensor, "prefix position"]
    lengths: Int[Tensor, " prefix"]
    room: int

    def cache(self, rows: Int[Tensor, " row"], n_layers: int, room: int) -> Cache:
        """A fresh cache whose row r goes on from prefix `rows[r]` with up to `room` tokens, no more
        than the prefixes have room for.
        """
        longest = self.mask.shape[1]
        return Cache(
            layers=[
                SharedPrefixLayer(
                    self.keys_values[i] if self.keys_values else None, longest, rows, room
                )
                for i in range(n_layers)
            ]
        )

    def inputs(self, rows: Int[Tensor, " row"], new: int, after: int = 0) -> dict[str, Tensor]:
        """Attention mask and position ids of `new` tokens a row, which stand `after` tokens behind
        its prefix.
        """
        mask = self.mask[rows]
        ones = torch.ones(len(rows), after + new, dtype=mask.dtype, device=mask.device)
        positions = self.lengths[rows, None] + torch.arange(after, after + new, device=mask.device)
        return {"attention_mask": torch.cat([mask, ones], 1).long(), "position_ids": positions}


@torch.no_grad()
def run_prefixes(model: PatchableModel, prefixes: Sequence[Sequence[int]], room: int) -> Prefixes:
    """The prefixes' keys and values, in one forward that ends with those of the last layer;
    prefixes may be empty.

    - `room`: tokens that the rows which go on from them may add.
    """
    lengths = torch.tensor([len(prefix) for prefix in prefixes], device=model.device)
    longest = int(lengths.max())
    ids = torch.zeros(len(prefixes), longest, dtype=torch.long)
    for row, prefix in enumerate(prefixes):
        ids[row, longest - len(prefix) :] = torch.tensor(prefix, dtype=torch.long)
    mask = torch.arange(longest, device=model.device) >= longest - lengths[:, None]
    if longest == 0:
        return Prefixes((), mask, lengths, room)
    padded = bool((lengths != longest).any())
    # The keys and values are written where they stay, with the room that the rows will need behind
    # them.
    rows = torch.arange(len(prefixes), device=model.device)
    kinds = [SharedPrefixLayer] * (model.n_layers - 1) + [LastPrefixLayer]
    cache = Cache(layers=[kind(None, 0, rows, longest + room) for kind in kinds])
    # The decoder alone: a prefix has no answer to read.
    with suppress(PrefixIsRun):
        model.network.base_model(
            input_ids=ids.to(model.device),
            attention_mask=mask.long() if padded else None,
            position_ids=(mask.cumsum(1) - 1).clamp(min=0),
            past_key_values=cache,
            use_cache=True,
        )
    return Prefixes(tuple(layer.buffers for layer in cache.layers), mask, lengths, room)
