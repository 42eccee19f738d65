"""Figures of what the model says: labels of answers before and after a patch, chrF against
probability.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from meanings.book.figures.palette import MARKS, SERIES
from meanings.book.figures.style import Picture, canvas
from meanings.statistics.correlation import rank_correlation

# Light to dark alternates, so that neighbours differ without colour too.
LABEL_COLOURS = {
    "correct": "#0072B2",
    "other_form": "#CFE8F7",
    "synonym": "#56B4E9",
    "target_concept": "#E69F00",
    "few_shot": "#F7D9A0",
    "copy": "#F0E442",
    "other_sense": "#009E73",
    "homograph": "#AA4499",
    "wrong_language": "#D55E00",
    "hypernym_hyponym": "#A6D5F2",
    "other": "#BBBBBB",
    "not_a_word": "#777777",
}
SPARE = ["#8C6D1F", "#666666", "#DDCC77", "#332288"]


def label_bars(table: pd.DataFrame, order: list[str] | None = None) -> Picture:
    """Shares of labels as one stacked bar a row; a wide enough part names its share.

    - `table`: columns `group` (a bar), `label`, `share` (0 to 1).
    """
    groups = list(dict.fromkeys(table["group"]))
    found = [label for label in order or LABEL_COLOURS if label in set(table["label"])]
    found += sorted(set(table["label"]) - set(found))
    spare = iter(SPARE * 9)
    colours = {label: LABEL_COLOURS.get(label) or next(spare) for label in found}
    with canvas(1.25 + 0.42 * len(groups) + 0.17 * -(-len(found) // 3)) as (figure, axes):
        axis = axes[0, 0]
        for place, group in enumerate(groups):
            shares = table[table["group"] == group].set_index("label")["share"]
            _stacked_bar(axis, place, shares, colours)
        axis.set_yticks(range(len(groups)), groups)
        axis.invert_yaxis()
        axis.set_xlim(0, 1)
        axis.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0 %", "25 %", "50 %", "75 %", "100 %"])
        axis.set_xlabel("share of answers")
        axis.grid(False, axis="y")
        layout = {"ncols": 3, "frameon": False, "handlelength": 1.1, "columnspacing": 1.2}
        figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", **layout)
    said = []
    for group in groups:
        top = table[table["group"] == group].sort_values("share", ascending=False).head(3)
        labels = [
            f"{label.replace('_', ' ')} {share:.0%}"
            for label, share in zip(top["label"], top["share"], strict=True)
        ]
        said.append(f"{group}: {', '.join(labels)}")
    return Picture(
        figure,
        f"Stacked bars of the labels of answers, as shares. Most frequent: {'; '.join(said)}.",
    )


def _stacked_bar(axis: Axes, place: int, shares: pd.Series, colours: Mapping[str, str]) -> None:
    """One bar; the labels of the first one name the colours."""
    left = 0.0
    for label, colour in colours.items():
        share = float(shares.get(label, 0.0))
        axis.barh(
            place,
            share,
            left=left,
            color=colour,
            edgecolor="white",
            lw=0.8,
            label=label.replace("_", " ") if place == 0 else None,
        )
        if share >= 0.09:
            style = {"ha": "center", "va": "center", "fontsize": 8, "color": ink(colour)}
            axis.text(left + share / 2, place, f"{share:.0%}", **style)
        left += share


def ink(colour: str) -> str:
    """Black or white, whichever reads better on the colour (relative luminance)."""
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return "#000000" if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.45 else "#FFFFFF"


def quality(table: pd.DataFrame, *, of: str = "pair") -> Picture:
    """chrF of the answers against P(source concept), one point a group (pair and first layer),
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
        f"rank correlation {found:.2f}. chrF runs from {np.min(table['chrf']):.0f} to "
        f"{np.max(table['chrf']):.0f}.",
    )
