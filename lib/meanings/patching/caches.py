"""Keys and values of rows that go on from a shared prefix, which is kept once and copied for one layer at a time."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers.cache_utils import Cache, DynamicLayer

KeysValues = tuple[Float[Tensor, "_ head _ d_head"], Float[Tensor, "_ head _ d_head"]]  # row, head, position, d_head


class SharedPrefixLayer(DynamicLayer):
    """One layer's cache: row r goes on from prefix `rows[r]`.

    - `prefix`: keys and values, [prefix, head, length + room, d_head]; only the first `length` positions are read.
      None where all prefixes are empty.
    - `room`: tokens that a row may add.

    A row holds its own tokens only. While the layer runs, `update` hands out prefix and own tokens together.
    """

    def __init__(self, prefix: KeysValues | None, length: int, rows: Int[Tensor, " row"], room: int) -> None:
        super().__init__()
        self._prefix, self._length, self._rows, self._room = prefix, length, rows, room
        self._own: list[Tensor] = []
        self._count = 0
        self.is_initialized = True

    @property
    def own(self) -> KeysValues:
        """Keys and values that the rows have added."""
        return tuple(part[:, :, : self._count] for part in self._own)

    def append(self, keys: Tensor, values: Tensor) -> None:
        """Add tokens' keys and values to every row."""
        if not self._own:
            shape = (len(self._rows), keys.shape[1], self._room)
            self._own = [part.new_empty(*shape, part.shape[3]) for part in (keys, values)]
        end = self._count + keys.shape[2]
        for own, new in zip(self._own, (keys, values), strict=True):
            own[:, :, self._count : end] = new
        self._count = end

    def update(self, key_states: Tensor, value_states: Tensor, *args, **kwargs) -> tuple[Tensor, Tensor]:
        self.append(key_states, value_states)
        if self._prefix is None:
            return self.own
        end = self._length + self._count
        whole = []
        for prefix, own in zip(self._prefix, self.own, strict=True):
            part = prefix.index_select(0, self._rows)[:, :, :end]
            part[:, :, self._length :] = own
            whole.append(part)
        return tuple(whole)

    def get_seq_length(self) -> int:
        return self._length + self._count

    def batch_select_indices(self, indices: Tensor) -> None:
        """Drop all rows but these."""
        self._rows = self._rows[indices]
        self._own = [part[indices] for part in self._own]

    def take_in(self, others: Sequence[SharedPrefixLayer]) -> None:
        """Append the rows of other layers that go on from the same prefixes by as many tokens, and empty those."""
        self._rows = torch.cat([self._rows, *(other._rows for other in others)])
        self._own = [torch.cat(parts) for parts in zip(self._own, *(other._own for other in others), strict=True)]
        for other in others:
            other._own = []


def joined(caches: Sequence[Cache]) -> Cache:
    """One cache with the rows of all, in order. They go on from the same prefixes by as many tokens, and are used up."""
    first, *others = caches
    for index, layer in enumerate(first.layers if others else []):
        layer.take_in([other.layers[index] for other in others])
    return first
