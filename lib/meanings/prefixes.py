"""Run what many rows share once: the keys and values of prompts' beginnings, and rows that go on from them.

Prefixes of different lengths are padded on the left, so that the distance between two tokens is the same in every
row, which rotary, ALiBi and sliding-window attention all need.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from transformers.cache_utils import Cache, DynamicCache, DynamicLayer

from meanings.models import PatchableModel

# Tokens of one forward: enough to fill the machine's units, few enough that activations stay in its cache
# (measured on 2 cores: 9.2k tokens/s at 1,600 tokens, 8.3k at 6,400).
TOKENS_A_FORWARD = {"cpu": 2_048, "cuda": 65_536}


def token_budget(model: PatchableModel) -> int:
    return TOKENS_A_FORWARD["cpu" if model.device.type == "cpu" else "cuda"]


def blocks(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Indices in order of length, in blocks that hold at most `budget` tokens after padding (one index at least)."""
    block: list[int] = []
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
        if block and (len(block) + 1) * max(1, lengths[index]) > budget:
            yield block
            block = []
        block.append(index)
    if block:
        yield block


@dataclass(frozen=True)
class Prefixes:
    """Keys and values of every layer for a block of prefixes, padded on the left to one length.

    - `keys[layer]`, `values[layer]`: [prefix, head, position, d_head].
    - `mask`: True where a position is a token; `lengths`: tokens of each prefix.
    """

    keys: tuple[Tensor, ...]
    values: tuple[Tensor, ...]
    mask: Bool[Tensor, "prefix position"]
    lengths: Int[Tensor, " prefix"]

    def cache(self, rows: Int[Tensor, " row"], room: int) -> Cache:
        """A fresh cache whose row r goes on from prefix `rows[r]`, with room for `room` more tokens."""
        if not self.keys:
            return DynamicCache()
        return Cache(layers=[RoomyLayer(k, v, rows, room) for k, v in zip(self.keys, self.values, strict=True)])

    def inputs(self, rows: Int[Tensor, " row"], new: int) -> dict[str, Tensor]:
        """Attention mask and position ids of rows that go on from their prefixes by `new` tokens."""
        mask = self.mask[rows]
        ones = torch.ones(len(rows), new, dtype=mask.dtype, device=mask.device)
        positions = self.lengths[rows, None] + torch.arange(new, device=mask.device)
        return {"attention_mask": torch.cat([mask, ones], 1).long(), "position_ids": positions}


class RoomyLayer(DynamicLayer):
    """One layer's cache in a buffer with room at its end, so that a generated token costs no copy of the prefix."""

    def __init__(self, keys: Tensor, values: Tensor, rows: Tensor, room: int) -> None:
        super().__init__()
        self._length = keys.shape[-2]
        self._keys, self._values = (_with_room(part, rows, room) for part in (keys, values))
        self.dtype, self.device, self.is_initialized = keys.dtype, keys.device, True
        self._show()

    def _show(self) -> None:
        self.keys, self.values = self._keys[:, :, : self._length], self._values[:, :, : self._length]

    def update(self, key_states: Tensor, value_states: Tensor, *args, **kwargs) -> tuple[Tensor, Tensor]:
        end = self._length + key_states.shape[-2]
        self._keys[:, :, self._length : end] = key_states
        self._values[:, :, self._length : end] = value_states
        self._length = end
        self._show()
        return self.keys, self.values

    def get_seq_length(self) -> int:
        return self._length

    def batch_select_indices(self, indices: Tensor) -> None:
        """Drop all rows but these."""
        self._keys, self._values = self._keys[indices], self._values[indices]
        self._show()


def _with_room(part: Tensor, rows: Tensor, room: int) -> Tensor:
    heads, length, width = part.shape[1:]
    buffer = part.new_empty(len(rows), heads, length + room, width)
    buffer[:, :, :length] = part[rows]
    return buffer


@torch.no_grad()
def run_prefixes(model: PatchableModel, prefixes: Sequence[Sequence[int]]) -> Prefixes:
    """The prefixes' keys and values, in one forward; prefixes may be empty."""
    lengths = torch.tensor([len(prefix) for prefix in prefixes], device=model.device)
    longest = int(lengths.max())
    ids = torch.zeros(len(prefixes), longest, dtype=torch.long)
    for row, prefix in enumerate(prefixes):
        ids[row, longest - len(prefix) :] = torch.tensor(prefix, dtype=torch.long)
    mask = torch.arange(longest, device=model.device) >= longest - lengths[:, None]
    if longest == 0:
        return Prefixes((), (), mask, lengths)
    padded = bool((lengths != longest).any())
    cache = DynamicCache()
    model.network(
        input_ids=ids.to(model.device),
        attention_mask=mask.long() if padded else None,
        position_ids=(mask.cumsum(1) - 1).clamp(min=0),
        past_key_values=cache,
        use_cache=True,
        logits_to_keep=1,
    )
    return Prefixes(
        tuple(layer.keys for layer in cache.layers), tuple(layer.values for layer in cache.layers), mask, lengths
    )
