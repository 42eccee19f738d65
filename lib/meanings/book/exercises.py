"""Exercises that check themselves: a reader's answer against the one that the page's table gives.

    your_answer = ...                 # a number or a word in place of the dots
    check("cka-swapped", your_answer)

`meanings.book.solutions` holds the right answer of each, and those that typical mistakes give, as
functions that compute them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from numbers import Real
from typing import Any

from meanings.core.errors import MeaningsError, one_of

Answer = Callable[[], float | str]


@dataclass(frozen=True)
class Exercise:
    """A question with one right answer.

    - `solution()`: a number, or a word in lower case.
    - `mistakes`: by what is off, the answer that a typical mistake gives.
    - `tolerance`: how far a number may be off.
    """

    solution: Answer
    mistakes: Mapping[str, Answer] = field(default_factory=dict)
    tolerance: float = 0.005

    def agrees(self, answer: Any, other: float | str) -> bool:
        """Whether an answer of the right type is this one."""
        if isinstance(other, str):
            return answer.strip().lower() == other
        return bool(abs(answer - other) <= self.tolerance)


class Said(str):
    """A text that a notebook shows as it is, without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def check(name: str, answer: Any) -> Said:
    """Say whether an answer is right, or what is off where the mistake is a typical one.

    Raises MeaningsError naming the exercises where there is none of this name.
    """
    from meanings.book.solutions import EXERCISES

    if name not in EXERCISES:
        raise MeaningsError(f"unknown exercise {name!r}: allowed are {one_of(EXERCISES)}")
    return Said(_reply(EXERCISES[name], answer))


def _reply(exercise: Exercise, answer: Any) -> str:
    if answer is ...:
        return "No answer yet: put yours in place of the dots and run the cell again."
    right = exercise.solution()
    wanted, kind = ("word", str) if isinstance(right, str) else ("number", Real)
    if not isinstance(answer, kind) or isinstance(answer, bool):
        return f"Not yet: a {wanted} is expected, and this is of type {type(answer).__name__}."
    if exercise.agrees(answer, right):
        return "Right."
    for hint, mistaken in exercise.mistakes.items():
        if exercise.agrees(answer, mistaken()):
            return f"Not yet: {hint}"
    return "Not yet: compare your steps with the question, or open the solution."
