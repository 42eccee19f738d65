"""Figures of trained worlds: scores with intervals, curves over training, alignment against
transfer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.axes import Axes

from meanings.book.figures.palette import SERIES
from meanings.book.figures.style import SMALL, Picture, canvas, label_ends, tokens_axis
from meanings.core.formatting import span

CHANCE = "#7F7F7F"
MARKS = "osD^vPX*"
# Where a point's number may stand, in shares of the panel from it, the best place first.
PLACES = (
    (0.03, 0.0), (-0.03, 0.0), (0.0, 0.05), (0.0, -0.05), (0.03, 0.045), (-0.03, 0.045),
    (0.03, -0.045), (-0.03, -0.045), (0.055, 0.02), (-0.055, 0.02),
)  # fmt: skip
LOOKS = {"without": ("#D55E00", "s"), "with": ("#0072B2", "o")}


def levels(panels: Mapping[str, pd.DataFrame], base: str, chances: Mapping[str, float]) -> Picture:
    """A row for each world and a panel for each score, with intervals; the level of the world that
    the others are compared with goes through each panel, chance is dotted.

    - `panels`: by the axis' label, `world`, `mean`, `low`, `high`, the same worlds in all.
    - `chances`: by label, where chance is known.
    """
    names = list(next(iter(panels.values()))["world"])
    with canvas(1.0 + 0.24 * len(names), 1, len(panels), sharey=True) as (_figure, axes):
        for axis, (label, rows) in zip(axes[0], panels.items(), strict=True):
            level = float(rows.loc[rows["world"] == base, "mean"].iloc[0])
            axis.axvline(level, color="#000000", lw=0.9, ls=(0, (4, 2)))
            if label in chances:
                axis.axvline(chances[label], color=CHANCE, lw=0.9, ls=(0, (1, 1)))
            for place, row in enumerate(rows.itertuples()):
                colour = "#000000" if row.world == base else SERIES[0]
                axis.plot([row.low, row.high], [place, place], color=colour, lw=1.3)
                axis.plot(row.mean, place, "o", color=colour, ms=4)
            axis.set_xlabel(label.replace(" (", "\n("), fontsize=SMALL)
            top = 1.04 if "accuracy" in label else None  # accuracies on one scale
            axis.set_xlim(min(0.0, float(rows["low"].min())) - 0.02, top)
            axis.grid(False, axis="y")
            axis.locator_params(axis="x", nbins=4)
        axes[0, 0].set_yticks(range(len(names)), names)
        axes[0, 0].set_ylim(len(names) - 0.5, -0.5)
    said = "; ".join(
        f"{label}: "
        + ", ".join(f"{row.world} {span(row.mean, row.low, row.high)}" for row in rows.itertuples())
        for label, rows in panels.items()
    )
    return Picture(_figure, f"Dot chart of trained worlds with 95 % intervals. {said}.")


def rising(panels: Mapping[str, pd.DataFrame], names: Sequence[str], *, ylabel: str) -> Picture:
    """Curves of worlds over training tokens with bands, a panel below another.

    - `panels`: by title, `world`, `tokens`, `mean`, `low`, `high`.
    """
    top = max(float(rows["high"].max()) for rows in panels.values())
    with canvas(2.5 * len(panels), len(panels), 1, sharex=True, sharey=True) as (figure, axes):
        for axis, (title, rows) in zip(axes[:, 0], panels.items(), strict=True):
            tokens_axis(axis, rows["tokens"])
            axis.set_title(title)
            axis.set_ylabel(ylabel)
            axis.set_ylim(-0.02, 1.08 * top)
            for place, name in enumerate(names):
                line = rows[rows["world"] == name].sort_values("tokens")
                colour = SERIES[place % len(SERIES)]
                axis.fill_between(
                    line["tokens"], line["low"], line["high"], color=colour, alpha=0.14, lw=0
                )
                axis.plot(
                    line["tokens"], line["mean"], color=colour, marker=MARKS[place % 8], ms=3.2,
                    lw=1.3,
                )  # fmt: skip
            label_ends(axis, ends_of(rows, names), gap=0.1)
        for axis in axes[:-1, 0]:
            axis.set_xlabel("")
    said = "; ".join(
        f"{title}: "
        + ", ".join(f"{name} ends at {height:.2f}" for height, name, _ in ends_of(rows, names))
        for title, rows in panels.items()
    )
    return Picture(figure, f"Line charts of {ylabel} over training tokens. {said}.")


def ends_of(rows: pd.DataFrame, names: Sequence[str]) -> list[tuple[float, str, str]]:
    """Each curve's last height, its name and its colour."""
    heights = rows.sort_values("tokens").groupby("world")["mean"].last()
    return [
        (float(heights[name]), name, SERIES[place % len(SERIES)])
        for place, name in enumerate(names)
    ]


def against_transfer(
    points: pd.DataFrame, columns: Mapping[str, str], *, ylabel: str, chance: float
) -> Picture:
    """Transfer of each world against its alignments, a panel each; worlds with and without parallel
    text differ in colour and mark.

    - `points`: `number`, `world`, `group` (`with`, `without`), `transfer`, and the columns named.
    - `columns`: label of each axis.
    """
    with canvas(3.1 * len(columns), len(columns), 1) as (figure, axes):
        for axis, (column, label) in zip(axes[:, 0], columns.items(), strict=True):
            axis.axhline(chance, color=CHANCE, lw=0.9, ls=(0, (1, 1)))
            for group, (colour, mark) in LOOKS.items():
                rows = points[points["group"] == group]
                axis.plot(
                    rows[column], rows["transfer"], mark, color=colour, ms=4.5, ls="",
                    label=f"{group} parallel text",
                )  # fmt: skip
            _number(axis, points, column)
            axis.set_xlabel(label)
            axis.set_ylabel(ylabel)
            axis.set_ylim(0, None)
        axes[0, 0].legend(frameon=False, loc="lower right", fontsize=SMALL)
    said = "; ".join(
        f"{row.world} "
        + ", ".join(f"{label} {getattr(row, column):.2f}" for column, label in columns.items())
        + f", {ylabel} {row.transfer:.2f}"
        for row in points.itertuples()
    )
    return Picture(figure, f"Scatter plots of trained worlds. {said}.")


def _number(axis: Axes, points: pd.DataFrame, column: str) -> None:
    """Each point's number beside it, where it meets no other number and no mark."""
    wide = float(points[column].max() - points[column].min()) or 1.0
    high = float(points["transfer"].max() - points["transfer"].min()) or 1.0
    marks = [(float(x), float(y)) for x, y in zip(points[column], points["transfer"], strict=True)]
    taken = list(marks)
    for number, (x, y) in zip(points["number"], marks, strict=True):
        around = [(x + dx * wide, y + dy * high) for dx, dy in PLACES]
        free = [
            place
            for place in around
            if all(abs(place[0] - a) > 0.024 * wide or abs(place[1] - b) > 0.036 * high
                   for a, b in taken)
        ]  # fmt: skip
        place = (free or around)[0]
        taken.append(place)
        axis.text(*place, str(number), fontsize=7.2, ha="center", va="center", color="#333333")
