"""The heatmap of layers and checkpoints, of patching and of companion measures alike."""

from typing import NamedTuple

import numpy as np
import pandas as pd
import seaborn as sns

from meanings.book.figures.style import SMALL, Picture, canvas, hundredths
from meanings.core.formatting import amount


class Axis(NamedTuple):
    """Which columns of a table are drawn, and what a layer is called.

    - `layer`, `value`: columns; `name`: of the axis; `short`: in a sentence.
    """

    layer: str
    value: str
    name: str
    short: str


PATCHED = Axis("first_layer", "mean", "first patched layer", "first layer")
READ = Axis("layer", "value", "layer (0: embedding)", "layer")


def layers_by_checkpoint(
    table: pd.DataFrame, axis: Axis, *, label: str, bar: str = "", low: float = 0.0
) -> Picture:
    """Layers (rows, the lowest at the bottom) by checkpoint (columns); up to ten checkpoints have
    their values written in.

    - `table`: `tokens` and the columns of `axis`; `label`: what the values are, `bar`: the same on
      the colour bar, where there is little room; `low`: the value of the darkest colour.
    """
    grid = table.pivot_table(index=axis.layer, columns="tokens", values=axis.value, observed=True)
    grid = grid.sort_index(ascending=False)
    with canvas(0.92 + 0.24 * max(8, len(grid))) as (figure, axes):
        few = grid.shape[1] <= 10
        drawn = sns.heatmap(
            grid,
            ax=axes[0, 0],
            cmap="cividis",
            vmin=low,
            vmax=max(low + 0.05, float(np.nanmax(grid.to_numpy()))),
            annot=grid.map(hundredths) if few else None,
            fmt="",
            annot_kws={"size": SMALL},
            cbar_kws={"label": bar or label, "pad": 0.02},
            linewidths=0.3 if few else 0,
            xticklabels=[amount(tokens) for tokens in grid.columns],
        )
        drawn.grid(False)
        drawn.set_xlabel("training tokens")
        drawn.set_ylabel(axis.name)
        drawn.tick_params(axis="x", rotation=0 if few else 60)
        drawn.tick_params(axis="y", rotation=0)
    best = table.loc[table[axis.value].idxmax()]
    return Picture(
        figure,
        f"Heatmap of {label} by {axis.name.split(' (')[0]} and training tokens. The highest value, "
        f"{best[axis.value]:.2f}, is at {axis.short} {int(best[axis.layer])} after "
        f"{amount(best['tokens'])} tokens; before training the mean over layers is "
        f"{grid[grid.columns.min()].mean():.2f}.",
    )
