"""Keys and values of rows that go on from a shared prefix, which is kept once and copied for one
layer at a time.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers.cache_utils import Cache, DynamicLayer

KeysValues = tuple[
    Float[Tensor, "_ head _ d_head"], Float[Tensor, "_ head _ d_head"]
]  # row, head, position, d_head


class Scratch:
    """Room for one layer's keys and values, written over by the next layer: where a token at a time
    is run, fresh memory for each costs more than the copies.
    """

    def __init__(self) -> None:
        self._parts: dict[int, Tensor] = {}

    def rows_of(self, part: int, source: Tensor, rows: Int[Tensor, " row"]) -> Tensor:
        """`source[rows]`, in the room of the keys (`part` 0) or of the values (1)."""
        room = self._parts.get(part)
        if room is None or len(room) < len(rows) or room.shape[1:] != source.shape[1:]:
            room = self._parts[part] = source.new_empty(len(rows), *source.shape[1:])
        return torch.index_select(source, 0, rows, out=room[: len(rows)])


class SharedPrefixLayer(DynamicLayer):
    """One layer's cache: row r goes on from prefix `rows[r]`.

    - `prefix`: keys and values, [prefix, head, length + room, d_head]; only the first `length`
      positions are read. None where all prefixes are empty.
    - `room`: tokens that a row may add.

    A row holds its own tokens only. While the layer runs, `update` hands out prefix and own tokens
    together.
    """

    def __init__(
        self, prefix: KeysValues | None, length: int, rows: Int[Tensor, " row"], room: int
    ) -> None:
        super().__init__()
        self._scratch: Scratch | None = None
        self._prefix, self._length, self._rows, self._room = prefix, length, rows, room
        self._added: list[Tensor] = []
        self._count = 0
        self.is_initialized = True

    @property
    def added(self) -> KeysValues:
        """Keys and values that the rows have added."""
        return tuple(part[:, :, : self._count] for part in self._added)

    @property
    def buffers(self) -> KeysValues:
        """The same with the room that is left behind them, which holds nothing yet."""
        return tuple(self._added)

    def append(self, keys: Tensor, values: Tensor) -> None:
        """Add tokens' keys and values to every row."""
        if not self._added:
            shape = (len(self._rows), keys.shape[1], self._room)
            self._added = [part.new_empty(*shape, part.shape[3]) for part in (keys, values)]
        end = self._count + keys.shape[2]
        for buffer, new in zip(self._added, (keys, values), strict=True):
            buffer[:, :, self._count : end] = new
        self._count = end

    def update(
        self, key_states: Tensor, value_states: Tensor, *args, **kwargs
    ) -> tuple[Tensor, Tensor]:
        """Add a layer's new keys and values; those of prefix and row together, for attention."""
        self.append(key_states, value_states)
        if self._prefix is None:
            return self.added
        end = self._length + self._count
        whole = []
        for index, (prefix, added) in enumerate(zip(self._prefix, self.added, strict=True)):
            copied = (
                self._scratch.rows_of(index, prefix, self._rows)
                if self._scratch
                else prefix.index_select(0, self._rows)
            )
            part = copied[:, :, :end]
            part[:, :, self._length :] = added
            whole.append(part)
        return tuple(whole)

    def get_seq_length(self) -> int:
        """Tokens before the next one, prefix included."""
        return self._length + self._count

    def select_rows(self, indices: Int[Tensor, " row"]) -> SharedPrefixLayer:
        """A layer of its own with these rows, each as often as it is named."""
        layer = SharedPrefixLayer(self._prefix, self._length, self._rows[indices], self._room)
        layer._added, layer._count = [part[indices] for part in self._added], self._count
        return layer

    def batch_select_indices(self, indices: Tensor) -> None:
        """Drop all rows but these."""
        self._rows = self._rows[indices]
        self._added = [part[indices] for part in self._added]

    def merge(self, others: Sequence[SharedPrefixLayer], scratch: Scratch) -> None:
        """Append the rows of other layers that go on from the same prefixes by as many tokens, and
        empty those.
        """
        self._scratch = scratch
        self._rows = torch.cat([self._rows, *(other._rows for other in others)])
        self._added = [
            torch.cat(parts)
            for parts in zip(self._added, *(other._added for other in others), strict=True)
        ]
        for other in others:
            other._added = []


class PrefixIsRun(Exception):
    """Every layer's keys and values of a prefix are there."""


class LastPrefixLayer(SharedPrefixLayer):
    """The last layer of prefixes that are run for their keys and values alone: it ends the forward,
    for nothing reads what the prefixes' tokens would answer.
    """

    def update(
        self, key_states: Tensor, value_states: Tensor, *args, **kwargs
    ) -> tuple[Tensor, Tensor]:
        """Raises PrefixIsRun when it has the layer's keys and values."""
        super().update(key_states, value_states, *args, **kwargs)
        raise PrefixIsRun


def select_rows(cache: Cache, indices: Int[Tensor, " row"]) -> Cache:
    """A cache of its own with these rows, each as often as it is named; `cache` stays as it is."""
    return Cache(layers=[layer.select_rows(indices) for layer in cache.layers])


def merge_caches(caches: Sequence[Cache]) -> Cache:
    """One cache with the rows of all, in order, for tokens that are run one at a time.

    They go on from the same prefixes by as many tokens, and are used up.
    """
    first, *others = caches
    scratch = Scratch()
    for index, layer in enumerate(first.layers):
        layer.merge([other.layers[index] for other in others], scratch)
    return first
