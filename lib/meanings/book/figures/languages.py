"""Figures of languages: the pair matrix, and alignment against what is known of each language."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import seaborn as sns

from meanings.book.figures.curves import PROBABILITY
from meanings.book.figures.palette import LANGUAGE_LOOKS, family_look
from meanings.book.figures.style import SMALL, Picture, canvas, hundredths
from meanings.core.formatting import span
from meanings.statistics.correlation import rank_correlation

# Where a point's name may stand, in points from it, the best place first.
AROUND = ((5, -3), (-5, -3), (5, 7), (-5, 7), (5, -13), (-5, -13), (14, 2), (-14, 2), (14, -9))
PANEL = (150, 115)  # about the size of a panel in points
NAME, MARK = (13, 9), (10, 8)  # and those of a name, and of a name beside a mark


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
            annot=grid.map(hundredths),
            fmt="",
            annot_kws={"size": SMALL},
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
      label of the axis); text columns are drawn as classes. Each language has its own mark and
      colour.
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
        f"{columns[c]}: rank correlation {rank_correlation(table[c], table['mean']):z.2f}"
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
    points = list(zip(places, table["mean"], strict=True))
    names = _places_of_names(points) if not classes else [None] * len(points)
    for at, name, (_, row) in zip(points, names, table.iterrows(), strict=True):
        _point(axis, at, name, row)
    axis.margins(x=0.14)


def _point(axis, at: tuple[float, float], name: tuple[int, int] | None, row: pd.Series) -> None:
    """A language's mean with its interval and its code; without a place, the code stands above."""
    code = row["language"]
    drawn = LANGUAGE_LOOKS.get(code) or family_look(code)
    axis.plot([at[0]] * 2, [row["low"], row["high"]], color=drawn.colour, lw=1.3, alpha=0.8)
    axis.plot(*at, drawn.mark, color=drawn.colour, ms=4.5)
    right, up = name or (0, 3)
    axis.annotate(
        code,
        at if name else (at[0], row["high"]),
        (right, up),
        textcoords="offset points",
        ha="center" if right == 0 else "left" if right > 0 else "right",
        fontsize=SMALL,
        color=drawn.colour,
    )


def _places_of_names(points: Sequence[tuple[float, float]]) -> list[tuple[int, int]]:
    """For each point the first place around it where its name meets no other point or name; the
    place with fewest such meetings where there is none.
    """
    x, y = (np.array(values, dtype=float) for values in zip(*points, strict=True))
    wide, tall = (max(float(np.ptp(values)), 1e-9) for values in (x, y))
    at = np.column_stack([x / wide * PANEL[0] * 0.78, y / tall * PANEL[1] * 0.8])
    found, names = [], []
    for place, point in enumerate(at):
        centres = [
            np.add(point, (right + np.sign(right) * NAME[0] / 2, up + NAME[1] / 2 - 2))
            for right, up in AROUND
        ]
        others = np.delete(at, place, axis=0)
        meets = [
            sum((np.abs(centre - other) < MARK).all() for other in others)
            + sum((np.abs(centre - other) < NAME).all() for other in names)
            for centre in centres
        ]
        best = int(np.argmin(meets))
        names.append(centres[best])
        found.append(AROUND[best])
    return found
