"""How long a page takes: an estimate from its words and cells, put in when the page is staged."""

from __future__ import annotations

import re
from math import ceil

MARK = "{minutes}"  # stands in a page's text for the estimate
WORDS_PER_MINUTE = 200
MINUTES_PER_CELL = 0.5  # a figure, a table or a few lines of code that a reader sees
MINUTES_PER_EXERCISE = 4


def minutes(text: str) -> tuple[int, int]:
    """Minutes for reading a page and for its exercises, from its MyST text, up to the next five.

    Reading counts the words above the heading `## Exercises`, a formula or a glued value as one
    each, at 200 a minute, and half a minute per cell that is shown.
    """
    body, _, exercises = text.partition("\n## Exercises\n")
    body = re.sub(r"\A---\n.*?\n---\n", "", body, flags=re.S)
    shown = body.count("```{code-cell}") - body.count("remove-cell") - body.count("[parameters]")
    prose = re.sub(r"^```.*?^```$", " ", body, flags=re.S | re.M)
    prose = re.sub(r"\$\$.*?\$\$|\$[^$\n]*\$", " formula ", prose, flags=re.S)
    words = len([word for word in prose.split() if re.search(r"\w", word)])
    asked = len(re.findall(r"^\d+\. ", exercises, re.M))
    reading = words / WORDS_PER_MINUTE + shown * MINUTES_PER_CELL
    return _fives(reading), _fives(asked * MINUTES_PER_EXERCISE)


def filled_in(text: str, page: str) -> str:
    """A text of a page with the estimate for that page, in words, in place of its mark.

    - `text`: a part of the page; `page`: the whole.
    """
    if MARK not in text:
        return text
    reading, exercises = minutes(page)
    said = f"about {reading} to read and {exercises} for the exercises"
    return text.replace(MARK, said)


def _fives(number: float | int) -> int:
    return max(5, 5 * ceil(number / 5))
