"""Random draws: one of several items by their weights, or some different ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def draw(rng: np.random.Generator, items: Sequence, weights: Sequence[float]):
    """One item with a probability proportional to its weight."""
    edges = np.cumsum(weights)
    return items[int(np.searchsorted(edges, rng.random() * edges[-1], side="right"))]


def some(rng: np.random.Generator, items: Sequence[str], fewest: int, most: int) -> list[str]:
    """Between `fewest` and `most` different items in random order."""
    count = min(int(rng.integers(fewest, most + 1)), len(items))
    return [items[i] for i in rng.choice(len(items), count, replace=False)]
