"""The figure of the chapter Meaning in context: a real model by layer."""

from collections.abc import Mapping

import pandas as pd

from meanings.book.figures.palette import SERIES
from meanings.book.figures.style import Picture, canvas, label_ends


def by_layer(table: pd.DataFrame, labels: Mapping[str, str], *, ylabel: str) -> Picture:
    """Lines over layers, means over languages, with the range of the languages as bands; chance
    level dotted.

    - `table`: `variant`, `layer`, `value`, one row per language; `labels`: of the variants drawn.
    """
    ends, said = [], []
    with canvas(3.4) as (figure, axes):
        axis = axes[0, 0]
        axis.set_ylim(0, 1)
        for place, (variant, label) in enumerate(labels.items()):
            rows = table[table["variant"] == variant]
            line = rows.groupby("layer")["value"].agg(["mean", "min", "max"])
            colour, mark = SERIES[place], "osD^"[place]
            axis.fill_between(line.index, line["min"], line["max"], color=colour, alpha=0.16, lw=0)
            axis.plot(line.index, line["mean"], color=colour, marker=mark, ms=3.4, lw=1.4)
            ends.append((float(line["mean"].iloc[-1]), label, colour))
            best = line["mean"].idxmax()
            said.append(f"{label} is highest at layer {best}, {line['mean'][best]:.2f}")
        axis.axhline(0.5, color="#7F7F7F", lw=1.2, ls=(0, (1, 1)))
        axis.set_xlabel("layer, 0 is the embedding")
        axis.set_ylabel(ylabel)
        label_ends(axis, ends)
    return Picture(
        figure, f"Line chart: {ylabel} by layer; chance level .5 dotted. {'; '.join(said)}."
    )
