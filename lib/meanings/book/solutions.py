"""The right answers of the exercises that check themselves, computed and not typed."""

from __future__ import annotations

import numpy as np

from meanings.book.exercises import Exercise
from meanings.measures import cka

LINE = np.array([[0.0], [1.0], [3.0]])  # the three words of the example by hand


def _stretched() -> float:
    """The kernel's entry for the first two words, all words moved twice as far apart."""
    return float(cka.rbf_kernel(2 * LINE)[0, 1])


def _swapped() -> float:
    """Biased linear CKA of three words on a line and of the same with the first two swapped."""
    one, other = cka.linear_kernel(LINE), cka.linear_kernel(LINE[[1, 0, 2]])
    return cka.biased(one, other)


EXERCISES: dict[str, Exercise] = {
    "cka-stretched": Exercise(
        _stretched,
        hints={
            "the width of the kernel grows with the distances: it is their median.": lambda x: (
                abs(x - np.exp(-4 / 8)) < 0.01
            )
        },
    ),
    "cka-swapped": Exercise(
        _swapped,
        hints={
            "one is the value for words in the same order.": lambda x: abs(x - 1) < 0.005,
        },
    ),
}
