"""Random draws that are the same on every machine and in every version of numpy.

Which concept pairs a seed draws is in no cell's key, so it may never change. Only the raw 64-bit
stream of numpy's PCG64 is promised to stay; what is made of it is written here. Today's numpy draws
the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

Item = TypeVar("Item")
WORD = 1 << 32


class SeededDraws:
    """A stream of draws that a seed decides."""

    def __init__(self, seed: int) -> None:
        self._bits = np.random.PCG64(seed)
        self._half: int | None = None  # the upper half of a 64-bit word of which the lower is used

    def below(self, n: int) -> int:
        """A whole number from 0 to n - 1, each as probable as any other; n at most 2^32 - 1.

        The upper half of a 32-bit word times n, redrawn where the lower half would favour some
        numbers. Source: Lemire 2019, "Fast random integer generation in an interval".
        """
        if n == 1:
            return 0
        product = self._word() * n
        while product % WORD < WORD % n:
            product = self._word() * n
        return product // WORD

    def permutation(self, n: int) -> list[int]:
        """The numbers 0 to n - 1 in random order."""
        return _shuffled(list(range(n)), self._masked)

    def choice(self, items: Sequence[Item]) -> Item:
        """One of the items."""
        return items[self.below(len(items))]

    def sample(self, items: Sequence[Item], size: int) -> list[Item]:
        """So many different items in random order (Floyd's algorithm, then shuffled)."""
        chosen: list[int] = []
        for last in range(len(items) - size, len(items)):
            place = self.below(last + 1)
            chosen.append(last if place in chosen else place)
        return [items[place] for place in _shuffled(chosen, self.below)]

    def _masked(self, n: int) -> int:
        """As `below`: the lower bits of a 32-bit word, redrawn until they are a number below n."""
        mask = (1 << (n - 1).bit_length()) - 1
        while (number := self._word() & mask) >= n:
            pass
        return number

    def _word(self) -> int:
        """The next 32 bits."""
        if self._half is not None:
            word, self._half = self._half, None
            return word
        self._half, word = divmod(int(self._bits.random_raw()), WORD)
        return word


def _shuffled(items: list[Item], below: Callable[[int], int]) -> list[Item]:
    """The items in random order (Fisher-Yates, from the end)."""
    for last in range(len(items) - 1, 0, -1):
        place = below(last + 1)
        items[place], items[last] = items[last], items[place]
    return items
