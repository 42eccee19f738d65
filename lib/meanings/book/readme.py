"""What the README says and shows of the results: a picture and three sentences, from the published
tables.

    python -m meanings.book.readme     writes both again, in the project's folder
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import matplotlib.pyplot as plt
import pandas as pd

from meanings.book.build import project_root
from meanings.book.facts import index, wording
from meanings.book.figures import curves as curve_figures
from meanings.core.atomic_files import atomic_file
from meanings.core.errors import MeaningsError
from meanings.core.formatting import unsigned_zeros
from meanings.core.hashing import content_hash
from meanings.statistics import longer
from meanings.validity.claims import catalogue

PICTURE = ".github/main-result.png"
MARKS = "<!-- results: python -m meanings.book.readme -->", "<!-- end of results -->"
CAPTION = (
    "Blue: we write the vector of a concept, averaged over prompts in other languages (`seen`), "
    "into another prompt, and the model says this concept. Black: we ask for the concept without a "
    "patch (the *direct score*). Grey: the vector of a wrong concept. Filled marks: the learning "
    "rate decayed before the measurement; open ones, without intervals: it did not. The study's "
    "small model, {}."
)
# The headings of the book's three answers, in the words of its first page, and their claims.
ANSWERS = {
    "When?": ("emergence-early", "emergence-together", "emergence-plateau"),
    "For which languages?": ("language-writing",),
    "Is the translation better?": ("errors-copying-gemma",),
}


class Curves(NamedTuple):
    """The curves of the picture.

    - `table`: of `meanings.statistics.longer.levels`; `counts`: what they are based on, in words.
    """

    table: pd.DataFrame
    counts: str


def curves_of() -> Curves:
    """The curves of the picture, from the published table of the long run.

    Raises MeaningsError where it is not published.
    """
    chosen = longer.chosen(longer.published_long_run())
    return Curves(longer.levels(chosen), wording.based_on(chosen))


def digest(curves: Curves) -> str:
    """Hash of the curves, rounded to what the picture can show."""
    columns = ["model", "condition", "tokens", "mean", "low", "high"]
    return content_hash(curves.table[columns].round(3).to_csv(index=False))


def picture(curves: Curves) -> bytes:
    """The curves as PNG on a white ground, so that they can be read in a dark theme, too. The file
    carries the digest of the curves.
    """
    drawn = curve_figures.finished_and_trunk(curves.table)
    plt.close(drawn.figure)
    return drawn.png("white", digest(curves))


def block(root: Path, curves: Curves) -> str:
    """The lines of the README between `MARKS`: the picture with its text, and the three answers of
    the book's first page, each with the claim behind it.

    Raises MeaningsError where the first page has no such answer.
    """
    drawn = curve_figures.finished_and_trunk(curves.table)
    plt.close(drawn.figure)
    ids = {name for names in ANSWERS.values() for name in names}
    claims = [claim for claim in catalogue.all_claims() if claim.id in ids]
    rows = catalogue.rows(claims, catalogue.tables_of(claims), by_seed=False)
    said = {row["id"]: index.said(row) for row in rows}
    page = (root / "book" / "index.md").read_text(encoding="utf-8")
    lines = [
        f"![{unsigned_zeros(' '.join(drawn.alt.split()))}]({PICTURE})",
        "",
        CAPTION.format(curves.counts),
    ]
    lines.append("")
    for question, names in ANSWERS.items():
        heading = re.search(rf"^\*\*{re.escape(question)}.*?\*\*(?= |$)", page, re.MULTILINE)
        if heading is None:
            raise MeaningsError(
                f"book/index.md: no answer in bold that begins with {question!r}; write it, or "
                "change ANSWERS in meanings.book.readme"
            )
        lines.append(f"- {heading[0]} {' '.join(said[name] for name in names)}")
    return "\n".join([MARKS[0], *lines, MARKS[1]])


def with_block(text: str, lines: str) -> str:
    """The README with these lines between its marks."""
    before, after = text.split(MARKS[0])[0], text.split(MARKS[1])[1]
    return before + lines + after


def write(root: Path) -> None:
    """Write the picture and the README's block."""
    curves = curves_of()
    text = (root / "README.md").read_text(encoding="utf-8")
    with atomic_file(root / PICTURE) as aside:
        aside.write_bytes(picture(curves))
    with atomic_file(root / "README.md") as aside:
        aside.write_text(with_block(text, block(root, curves)), encoding="utf-8")


if __name__ == "__main__":
    write(project_root())
