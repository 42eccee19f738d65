"""Figures of languages: the pair matrix, and alignment against what is known of each language."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import seaborn as sns

from meanings.book.figures.curves import PROBABILITY
from meanings.book.figures.palette import family_look
from meanings.book.figures.style import Picture, canvas
from meanings.core.formatting import span
from meanings.statistics.correlation import rank_correlation

AROUND = (
    (3.5, 2.5),
    (-4, 2.5),
    (3.5, -9),
    (-4, -9),
    (3.5, 12),
    (-4, 12),
)  # where the names of points that lie together stand, in points


def pair_matrix(table: pd.DataFrame, order: Sequence[str], *, label: str = PROBABILITY) -> Picture:
    """Input languages (rows) by output languages (columns); what was not measured is hatched.

    - `table`: columns `input`, `output`, `mean`; `order`: the languages, most training data first.
    """
    grid = table.pivot_table(index="input", columns="output", values="mean", observed=True)
    grid = grid.reindex(
        index=[c for c in order if c in grid.index], columns=[c for c in order if c in grid.columns]
    )
    with canvas(1.1 + 0.34 * max(4, len(grid))) as (figure, axes):
        axis = axes[0, 0]
        axis.set_facecolor("#F2F2F2")
        sns.heatmap(
            grid,
            ax=axis,
            cmap="cividis",
            vmin=0,
            annot=True,
            fmt=".2f",
            annot_kws={"size": 7.5},
            linewidths=0.5,
            cbar_kws={"label": "P(source concept)", "pad": 0.02},
        )
        axis.patch.set(hatch="///", edgecolor="#D0D0D0")
        axis.grid(False)
        axis.tick_params(axis="y", rotation=0)
        axis.set_xlabel("output language")
        axis.set_ylabel("input language")
    best, worst = table.loc[table["mean"].idxmax()], table.loc[table["mean"].idxmin()]
    return Picture(
        figure,
        f"Matrix of {label} for {len(table)} language pairs. Highest: {best['input']} to "
        f"{best['output']}, {best['mean']:.2f}; "
        f"lowest: {worst['input']} to {worst['output']}, {worst['mean']:.2f}.",
    )


def against(
    table: pd.DataFrame, columns: dict[str, str], *, ylabel: str = "P(source concept)"
) -> Picture:
    """Alignment of each language (its mean and 95 % interval) against its properties, a panel each.

    - `table`: columns `language`, `mean`, `low`, `high` and those named in `columns` (column ->
      label of the axis); text columns are drawn as classes. A language's mark and colour are its
      family's.
    """
    columns = {column: label for column, label in columns.items() if table[column].notna().any()}
    rows = -(-len(columns) // 2)
    with canvas(2.35 * rows, rows, 2, sharey=True) as (figure, axes):
        for axis in axes.ravel()[len(columns) :]:
            axis.set_visible(False)
        for place, (axis, (column, label)) in enumerate(
            zip(axes.ravel(), columns.items(), strict=False)
        ):
            _panel(axis, table, column)
            axis.set_xlabel(label)
            if place % 2 == 0:
                axis.set_ylabel(ylabel)
    highest = table.loc[table["mean"].idxmax()]
    lowest = table.loc[table["mean"].idxmin()]
    numeric = [c for c in columns if pd.api.types.is_numeric_dtype(table[c])]
    ranks = "; ".join(
        f"{columns[c]}: rank correlation {rank_correlation(table[c], table['mean']):.2f}"
        for c in numeric
    )
    return Picture(
        figure,
        f"Panels of {ylabel} by language against {', '.join(columns.values())}, with 95 % "
        f"intervals. Highest: {highest['language']} "
        f"{span(highest['mean'], highest['low'], highest['high'])}; lowest: {lowest['language']} "
        f"{span(lowest['mean'], lowest['low'], lowest['high'])}. {ranks}.",
    )


def _panel(axis, table: pd.DataFrame, column: str) -> None:
    classes = not pd.api.types.is_numeric_dtype(table[column])
    names = list(dict.fromkeys(table[column])) if classes else []
    places = (
        table[column].map({name: i for i, name in enumerate(names)}).astype(float)
        if classes
        else table[column].astype(float)
    )
    if classes:
        # Members of one class stand beside each other.
        order = table.groupby(column, sort=False).cumcount()
        size = table.groupby(column, sort=False)[column].transform("size")
        places = places + (order - (size - 1) / 2) * (0.62 / size.max())
        long = len(names) > 3 or sum(map(len, names)) > 20
        axis.set_xticks(
            range(len(names)), names, rotation=35 if long else 0, ha="right" if long else "center"
        )
        axis.grid(False, axis="x")
    wide, tall = (max(float(np.ptp(values)), 1e-9) for values in (places, table["mean"]))
    named: list[tuple[float, float]] = []
    for place, (_, row) in zip(places, table.iterrows(), strict=True):
        code = row["language"]
        near = sum(
            abs(place - x) < 0.13 * wide and abs(row["mean"] - y) < 0.12 * tall for x, y in named
        )
        named.append((place, row["mean"]))
        family = family_look(code)
        axis.plot([place, place], [row["low"], row["high"]], color=family.colour, lw=1.3, alpha=0.8)
        axis.plot(place, row["mean"], family.mark, color=family.colour, ms=4.5)
        if classes:  # over and under the interval in turn: members of a class stand close
            end, (right, height) = ("high", (0, 2)) if near % 2 == 0 else ("low", (0, -9))
        else:
            end, (right, height) = "mean", AROUND[near % len(AROUND)]
        axis.annotate(
            code,
            (place, row[end]),
            (right, height),
            textcoords="offset points",
            ha="center" if right == 0 else "left" if right > 0 else "right",
            fontsize=8,
            color="#222222",
        )
    axis.margins(x=0.14)
