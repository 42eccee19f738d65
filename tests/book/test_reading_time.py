"""The box at the head of a chapter, and the estimate of how long the chapter takes."""

import re
from pathlib import Path

import pytest

from meanings.book import notebooks, reading_time, staging

ROOT = Path(__file__).parents[2]
CHAPTERS = [
    name for name in staging.pages(ROOT) if "## Exercises" in (ROOT / f"book/{name}.md").read_text()
]
BOX = re.compile(
    r"^\*\*[^*]+\?\*\*\n\n:::\{admonition\} Before you start\n:class: chapter-start\n(.*?)^:::$",
    re.M | re.S,
)
PAGE = """---
reads:
  - {declared}
---
# Title

{words}

```{{code-cell}} python
:tags: [parameters]
x = 1
```

$$
a + b
$$

{cells}
## Exercises

1. One two three?
2. Four?
"""
CELL = "```{code-cell} python\nx + 1  # words that are not counted\n```\n"


def page(words: int = 0, cells: int = 0, declared: str = "data") -> str:
    return PAGE.format(words="word " * words, cells=CELL * cells, declared=declared)


@pytest.mark.parametrize(
    ("words", "cells", "expected"),
    [(0, 0, 5), (998, 0, 5), (999, 0, 10), (998, 1, 10), (1998, 10, 15), (1999, 10, 20)],
)
def test_words_and_cells_that_are_shown_take_time(words, cells, expected):
    # The title and the formula are one word each; hidden parameters take none.
    assert reading_time.minutes(page(words, cells)) == (expected, 10)


def test_what_is_not_read_takes_no_time():
    assert reading_time.minutes(page(998, declared="data " * 500)) == (5, 10)


def test_exercises_take_four_minutes_each():
    more = page() + "".join(f"{n}. Word?\n" for n in range(3, 7))
    assert reading_time.minutes(more) == (5, 25)


def test_the_estimate_is_filled_in_where_a_page_is_staged(tmp_path):
    source = tmp_path / "page.md"
    source.write_text(page().replace("# Title", f"# Title\n\n- *Minutes*: {reading_time.MARK}."))
    (cell, *_) = notebooks.convert(source).cells
    assert "- *Minutes*: about 5 to read and 10 for the exercises." in cell["source"]
    assert reading_time.filled_in("other {text}", page()) == "other {text}"


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_opens_with_abilities_needs_and_minutes(name):
    (box,) = BOX.findall((ROOT / f"book/{name}.md").read_text(encoding="utf-8"))
    can, need, minutes = box.splitlines()
    assert can.startswith("- *After this chapter you can* ") and 1 <= can.count("; ") <= 2
    assert need.startswith("- *You need* ") and minutes == f"- *Minutes*: {reading_time.MARK}."


def test_every_chapter_is_a_page_of_the_book_that_asks_a_question():
    others = {"index", "rerun", "glossary", "references", "project", "teach", "explore", "tables"}
    assert set(CHAPTERS) == set(staging.pages(ROOT)) - others
