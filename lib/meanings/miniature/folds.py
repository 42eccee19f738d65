"""Which concepts are held out of which taught pair: concepts are dealt into folds, once for all seeds."""

from collections.abc import Sequence

import numpy as np

FOLD_SEED = 7  # part of the recipe, the same for every training seed


def folds(concepts: Sequence[str], count: int) -> dict[str, int]:
    """The fold of each concept, from 0 to `count - 1`."""
    order = np.random.default_rng(FOLD_SEED).permutation(len(concepts))
    return {concept: int(place) % count for concept, place in zip(concepts, order)}
