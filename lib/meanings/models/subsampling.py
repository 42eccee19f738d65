"""Rules that choose which checkpoints of a long run are measured, one line each:

    all
    first 10, then every 2nd to 20, then every 5th, and the last
    16 log-spaced
    8 spread

Indices count from 0 and a stride keeps those that it divides, as in the paper. Log-spaced
checkpoints are those nearest to equal ratios of steps, after the first; spread ones lie at even
distances in the list. Both keep the first and the last.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np

from meanings.core.errors import MeaningsError

Rule = Callable[[Sequence[int]], list[int]]  # from the steps in order to the indices kept
GRAMMAR = (
    "all | N spread | N log-spaced | first A, then every Bth to C, then every Dth, and the last"
)


def parse_rule(text: str) -> Rule:
    """The rule that a line says. Raises MeaningsError with the grammar where it says none."""
    words = " ".join(text.split()).lower()
    if words == "all":
        return lambda steps: list(range(len(steps)))
    if found := re.fullmatch(r"([0-9]{1,15}) (spread|log-spaced)", words):
        count = int(found[1])
        if count < 2:
            raise MeaningsError(
                f"subsampling {text!r}: a run has a first and a last checkpoint, so ask for 2 or "
                "more"
            )
        return (
            (lambda steps: spread(len(steps), count))
            if found[2] == "spread"
            else (lambda steps: log_spaced(steps, count))
        )
    return _strides(text, words)


def _strides(text: str, words: str) -> Rule:
    body, last = re.subn(r",? and the last$", "", words)
    strides: list[tuple[float, int]] = []  # (below this index, stride), in order
    for part in re.split(r",? then |, ", body):
        if found := re.fullmatch(r"first ([0-9]{1,15})", part):
            strides.append((int(found[1]), 1))
        elif found := re.fullmatch(
            r"every ([0-9]{1,15})(?:st|nd|rd|th)(?: to ([0-9]{1,15}))?", part
        ):
            strides.append((int(found[2]) if found[2] else float("inf"), int(found[1])))
        else:
            raise MeaningsError(
                f"subsampling {text!r}: {part!r} is not understood; allowed are {GRAMMAR}"
            )
    ends = [end for end, _ in strides]
    if ends != sorted(set(ends)) or min(stride for _, stride in strides) < 1 or ends[0] < 1:
        raise MeaningsError(
            f"subsampling {text!r}: bounds must rise and strides be 1 or more, as in 'first 10, "
            "then every 2nd to 20'"
        )

    def kept(steps: Sequence[int]) -> list[int]:
        found = [
            i
            for i in range(len(steps))
            if i % next((stride for end, stride in strides if i < end), len(steps) + 1 + i) == 0
        ]
        ends = [len(steps) - 1] if last and steps and len(steps) - 1 not in found else []
        return [*found, *ends]

    return kept


def spread(n: int, count: int) -> list[int]:
    """`count` of `n` indices at even distances, first and last among them; all where there are
    fewer.
    """
    return (
        list(range(n)) if count >= n else [round(i * (n - 1) / (count - 1)) for i in range(count)]
    )


def log_spaced(steps: Sequence[int], count: int) -> list[int]:
    """At most `count` indices: the first, and those nearest to equal ratios between the first step
    after 0 and the last.
    """
    if count >= len(steps):
        return list(range(len(steps)))
    start = 1 if steps[0] == 0 else 0
    logs = np.log(np.asarray(steps[start:], dtype=float))
    wanted = np.linspace(logs[0], logs[-1], count - start)
    return sorted({0} | {start + int(np.abs(logs - value).argmin()) for value in wanted})
