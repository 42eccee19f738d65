"""Figures of what the model says: labels of answers before and after a patch, chrF against
probability.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from meanings.book.figures.palette import MARKS, SERIES
from meanings.book.figures.style import SMALL, Picture, canvas
from meanings.labels.label import in_words
from meanings.statistics.correlation import rank_correlation


def label_dots(table: pd.DataFrame, groups: Mapping[str, str], right: Mapping[str, str]) -> Picture:
    """Wrong answers by label: a dot per group, with its count.

    - `table`: `group`, `label`, `n`; labels of wrong answers only.
    - `groups`: colour of each group; `right`: what its legend says, such as `asked directly: 29 of
      43 right`.
    """
    labels = table.groupby("label")["n"].sum().sort_values(ascending=False).index.tolist()
    most = max(1, int(table["n"].max()))
    with canvas(0.85 + 0.36 * len(labels) + 0.2 * len(groups)) as (figure, axes):
        axis = axes[0, 0]
        for step, (group, colour) in enumerate(groups.items()):
            own = table[table["group"] == group].set_index("label")["n"]
            counts = np.array([int(own.get(label, 0)) for label in labels])
            heights = np.arange(len(labels)) + 0.3 * (step - (len(groups) - 1) / 2)
            axis.hlines(heights, 0, counts, color=colour, lw=1, alpha=0.5)
            axis.plot(counts, heights, "o", color=colour, ms=5, label=right[group])
            for height, count in zip(heights, counts, strict=True):
                axis.text(count + 0.02 * most, height, f" {count}", va="center", fontsize=SMALL)
        axis.set_yticks(range(len(labels)), [in_words(label) for label in labels])
        axis.set_ylim(len(labels) - 0.5, -0.5)
        axis.set_xlim(0, most * 1.15)
        axis.set_xlabel("wrong answers")
        axis.grid(False, axis="y")
        handles = axis.get_legend_handles_labels()
        figure.legend(*handles, loc="outside lower center", ncols=1, frameon=False)
    said = "; ".join(
        f"{right[group]}, wrong: "
        + ", ".join(
            f"{in_words(row['label'])} {row['n']}"
            for _, row in table[table["group"] == group].iterrows()
        )
        for group in groups
    )
    return Picture(figure, f"Dots: wrong answers by label. {said}.")


def ink(colour: str) -> str:
    """Black or white, whichever reads better on the colour (relative luminance)."""
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return "#000000" if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.45 else "#FFFFFF"


def quality(table: pd.DataFrame, *, of: str = "pair") -> Picture:
    """chrF of the answers against P(source concept), one point per group (pair and first layer),
    marked by `of`.

    - `table`: columns `of`, `probability` (0 to 1), `chrf` (0 to 100).
    """
    with canvas(3.3) as (figure, axes):
        axis = axes[0, 0]
        for index, (name, points) in enumerate(table.groupby(of, observed=True, sort=False)):
            axis.plot(
                points["probability"],
                points["chrf"],
                MARKS[index % len(MARKS)],
                color=SERIES[index % len(SERIES)],
                ms=4.5,
                alpha=0.75,
                label=str(name),
                mec="white",
                mew=0.4,
            )
        axis.set_xlim(-0.02, max(0.1, float(table["probability"].max()) * 1.06))
        axis.set_ylim(-2, max(10.0, float(table["chrf"].max()) * 1.08))
        axis.set_xlabel("P(source concept in the output language)")
        axis.set_ylabel("chrF of the answer (0 to 100)")
        figure.legend(
            loc="outside lower center",
            ncols=min(6, table[of].nunique()),
            frameon=False,
            handletextpad=0.1,
            columnspacing=0.9,
        )
    found = rank_correlation(table["probability"], table["chrf"])
    return Picture(
        figure,
        "Scatter of chrF of generated answers against the probability of the source concept, "
        f"{len(table)} points, "
        f"rank correlation {found:z.2f}. chrF runs from {np.min(table['chrf']):.0f} to "
        f"{np.max(table['chrf']):.0f}.",
    )
