"""Exercises that check themselves: a reader's answer against the one that the page's table gives.

    answer = ...                      # a number or a word in place of the dots
    check("cka-rotation", answer)

`meanings.book.solutions` holds the right answer of each, as a function that computes it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from numbers import Real
from typing import Any

from meanings.core.errors import MeaningsError, one_of


@dataclass(frozen=True)
class Exercise:
    """A question with one right answer.

    - `solution()`: a number, or a word in lower case.
    - `tolerance`: how far a number may be off.
    - `hints`: by a test of the answer, what is off: the first that fits is said.
    """

    solution: Callable[[], float | str]
    tolerance: float = 0.005
    hints: Mapping[str, Callable[[Any], bool]] = field(default_factory=dict)


def check(name: str, answer: Any) -> str:
    """Say whether an answer is right, or by how much it is wrong.

    Raises MeaningsError naming the exercises where there is none of this name.
    """
    from meanings.book.solutions import EXERCISES

    if name not in EXERCISES:
        raise MeaningsError(f"unknown exercise {name!r}: allowed are {one_of(EXERCISES)}")
    exercise = EXERCISES[name]
    if answer is ...:
        return "No answer yet: put yours in place of the dots and run the cell again."
    right = exercise.solution()
    if isinstance(right, str):
        if not isinstance(answer, str):
            return f"Not yet: a word is expected, and this is of type {type(answer).__name__}."
        if answer.strip().lower() == right:
            return "Right."
    elif not isinstance(answer, Real) or isinstance(answer, bool):
        return f"Not yet: a number is expected, and this is of type {type(answer).__name__}."
    elif abs(answer - right) <= exercise.tolerance:
        return "Right."
    for hint, fits in exercise.hints.items():
        if fits(answer):
            return f"Not yet: {hint}"
    return "Not yet: compare your steps with the formula above."
