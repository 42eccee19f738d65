"""Solutions of what a study costs."""

from __future__ import annotations

from meanings.book.exercises import Exercise
from meanings.measures.results import published_csv

LAYERS, CONDITIONS, PROMPT, SUFFIX = 24, 7, 100, 8  # the example: tokens of a prompt, of its end


def _passes(prompt: int = PROMPT, half: float = 0.5, read: int = 1) -> float:
    """Passes per prompt and pair: the sweep, and the source prompts that are only read."""
    swept = CONDITIONS * (SUFFIX - 1) * (LAYERS - 1) * half
    return prompt + CONDITIONS + swept + read * prompt


PUBLISHED = (CONDITIONS * LAYERS + 2) * PROMPT


def _of_patching(others: bool = False) -> float:
    """Patching's share of the processor time of all measures at one checkpoint.

    - `others`: its time in units of that of the others.
    """
    rows = published_csv("companion_costs", "python -m bench --only measures")
    seconds = rows[rows["grown"] == "checkpoint"].set_index("measure")["seconds"]
    whole = seconds.drop("patching") if others else seconds
    return float(seconds["patching"] / whole.sum())


EXERCISES: dict[str, Exercise] = {
    "costs-passes": Exercise(
        lambda: PUBLISHED / _passes(),
        {
            "a later first layer leaves fewer layers: half of them on average.": lambda: (
                PUBLISHED / _passes(half=1.0)
            ),
            "the source prompts that are only read cost passes, too.": lambda: (
                PUBLISHED / _passes(read=0)
            ),
        },
        tolerance=0.05,
    ),
    "costs-shorter": Exercise(
        lambda: _passes(PROMPT // 2) / _passes(),
        {
            "that holds for the published algorithm; the sweep's own passes stay.": lambda: 0.5,
            "that is the share saved.": lambda: 1 - _passes(PROMPT // 2) / _passes(),
        },
    ),
    "costs-patching": Exercise(
        _of_patching,
        {
            "that is in units of the other measures; divide by all of them.": lambda: _of_patching(
                others=True
            ),
            "that is the share of the others.": lambda: 1 - _of_patching(),
        },
    ),
}
