"""Figures of several instruments on one training run: the ladder of onsets, dose and response, and
which instruments agree.
"""

from __future__ import annotations

import textwrap

import numpy as np
import pandas as pd

from meanings.book.figures.palette import CONDITIONS, SERIES
from meanings.book.figures.style import SMALL, Picture, canvas, tokens_axis
from meanings.core.formatting import amount

KINDS = {"language": SERIES[6], "shape": SERIES[1], "place": SERIES[2], "use": SERIES[0]}
MARKS = {"language": "D", "shape": "s", "place": "^", "use": "o"}
WIDEST = 24  # letters of a label's line


def wrapped(label: str, width: int = WIDEST) -> str:
    """A label in lines."""
    return "\n".join(textwrap.wrap(label, width))


def ladder(rungs: pd.DataFrame, band: tuple[float, float] | None, last: float) -> Picture:
    """A row for each instrument: its onset with interval and its training runs as small marks, on
    training tokens; at the right its height where nothing is shared, as a share of that where all
    is parallel.

    - `rungs`: `label`, `kind`, `onset`, `low`, `high` in tokens (inf: none), `runs` (a list), and
      `share` (NaN: not known), in the order of drawing from the bottom.
    - `band`: the interval of patching's onset; `last`: tokens at the end of training.
    """
    with canvas(1.1 + 0.36 * len(rungs), 1, 2, sharey=True, width_ratios=[3, 1]) as (figure, axes):
        axis, strip = axes[0]
        tokens_axis(axis, [last / 40, last])
        edge = axis.get_xlim()[1]
        if band is not None:
            axis.axvspan(*band, color=CONDITIONS["seen"].colour, alpha=0.14, lw=0)
        for place, row in enumerate(rungs.itertuples()):
            colour = KINDS[row.kind]
            ends = [min(end, edge) for end in (row.low, row.high)]
            axis.plot(ends, [place, place], color=colour, lw=1.6)
            axis.plot(row.runs, [place] * len(row.runs), "|", color=colour, ms=8, mew=1)
            if np.isfinite(row.onset):
                axis.plot(row.onset, place, MARKS[row.kind], color=colour, ms=5)
            else:
                axis.text(edge, place, "none ", ha="right", va="center", fontsize=SMALL)
            if np.isfinite(row.share):
                strip.barh(place, np.clip(row.share, 0, 1.3), color=colour, height=0.5)
                said = f"{row.share:.0%}" if row.share > -0.005 else "below 0"
                end = np.clip(row.share, 0, 1.3) + 0.06
                strip.text(end, place, said, va="center", fontsize=SMALL)
        axis.set_yticks(range(len(rungs)), [wrapped(label) for label in rungs["label"]])
        axis.set_ylim(-0.7, len(rungs) - 0.3)
        axis.grid(False, axis="y")
        axis.set_xlabel("onset, training tokens (log)")
        strip.set_xlim(0, 2.0)
        strip.set_xticks([0, 1], ["0", "100 %"])
        strip.grid(False)
        strip.set_xlabel("nothing shared\n/ all parallel")
        handles = [
            axis.plot([], [], MARKS[kind], color=colour, label=kind, ms=5)[0]
            for kind, colour in KINDS.items()
            if kind in set(rungs["kind"])
        ]
        figure.legend(handles=handles, loc="outside upper center", ncols=4, frameon=False)
    said = "; ".join(
        f"{row.label}: "
        + (f"{amount(row.onset)} tokens" if np.isfinite(row.onset) else "no onset")
        + (f", {row.share:.0%} where nothing is shared" if np.isfinite(row.share) else "")
        for row in rungs.iloc[::-1].itertuples()
    )
    return Picture(figure, f"Ladder of onsets of instruments, the latest first. {said}.")


def doses(table: pd.DataFrame) -> Picture:
    """A panel for each instrument: its height over doses of parallel text, training runs as marks,
    their means joined, the model that shares nothing dashed.

    - `table`: `label`, `kind`, `dose` (share, 0 to 1), `training_seed`, `value`; and `apart`, the
      height where nothing is shared.
    """
    labels = list(dict.fromkeys(table["label"]))
    rows = -(-len(labels) // 3)
    with canvas(0.4 + 1.35 * rows, rows, 3, sharex=True) as (figure, axes):
        names = sorted(table["dose"].unique())
        for axis, label in zip(axes.flat, labels, strict=False):
            part = table[table["label"] == label]
            colour = KINDS[part["kind"].iloc[0]]
            place = part["dose"].map({dose: number for number, dose in enumerate(names)})
            axis.axhline(part["apart"].iloc[0], color="#000000", lw=0.9, ls=(0, (4, 2)))
            axis.plot(place, part["value"], "o", color=colour, ms=2.6, alpha=0.7)
            means = part.groupby(place)["value"].mean()
            axis.plot(means.index, means, color=colour, lw=1.3)
            axis.set_title(wrapped(label, 21), fontsize=SMALL)
            top = max(float(part["value"].max()), float(part["apart"].iloc[0]), 0.1)
            axis.set_ylim(min(0.0, float(part["value"].min())) - 0.05 * top, 1.15 * top)
            axis.locator_params(axis="y", nbins=3)
            axis.set_xticks(range(len(names)), [f"{100 * dose:.0f}" for dose in names])
            axis.tick_params(labelbottom=True)
        for axis in list(axes.flat)[len(labels) :]:
            axis.set_axis_off()
        figure.supxlabel("parallel documents in two languages (%)", fontsize=9)
    said = "; ".join(
        f"{label}: "
        + ", ".join(
            f"{value:.2f}"
            for value in table[table["label"] == label].groupby("dose")["value"].mean()
        )
        for label in labels
    )
    return Picture(
        figure,
        "Small line charts, one per instrument, over shares of parallel documents, "
        f"{', '.join(f'{dose:g}' for dose in names)}. Means: {said}.",
    )


def correlations(table: pd.DataFrame) -> Picture:
    """Heatmap of rank correlations between instruments, a number in each cell.

    - `table`: square, labels on both sides.
    """
    names = list(table.columns)
    with canvas(1.6 + 0.3 * len(names)) as (figure, axes):
        axis = axes[0, 0]
        lower = np.tril(np.ones(table.shape, bool), -1)
        shown = np.where(lower, table.to_numpy(float), np.nan)
        axis.imshow(shown, cmap="Blues", vmin=0, vmax=1.3, aspect="auto")
        for row, column in zip(*np.nonzero(lower), strict=True):
            said = f"{shown[row, column]:.2f}".replace("0.", ".")
            axis.text(column, row, said, ha="center", va="center", fontsize=SMALL)
        axis.set_yticks(range(len(names)), [wrapped(name) for name in names])
        axis.set_xticks(range(len(names)), range(1, len(names) + 1))
        axis.grid(False)
        axis.set_xlabel("instrument, numbered from the top")
    said = "; ".join(
        f"{names[row]} and {names[column]} {table.iloc[row, column]:.2f}"
        for row in range(len(names))
        for column in range(row)
    )
    return Picture(figure, f"Heatmap of rank correlations over language pairs. {said}.")
