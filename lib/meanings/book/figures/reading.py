"""Figures of languages side by side: what the model says when it is asked directly and when the
concept is patched in, and differences with their intervals.
"""

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from meanings.book.figures.palette import CONDITIONS, LANGUAGE_LOOKS
from meanings.book.figures.style import Picture, canvas
from meanings.core.formatting import span
from meanings.lexicon.languages import LANGUAGES

INK = "#333333"
NULL = CONDITIONS["null_concept"].colour


def named(code: str, pairs: int) -> str:
    """A row's label: the language, and how many language pairs its means are over."""
    return f"{LANGUAGES[code].name} ({pairs})"


def dumbbells(table: pd.DataFrame, *, apart: Sequence[str] = (), xlabel: str) -> Picture:
    """One row per language: the direct score as a ring, the patched score as a mark, joined by a
    line; the null, where there is one, as a cross.

    - `table`: `language`, `direct`, `patched`, each with `_low` and `_high`; `n_language_pairs`;
      and `null` where it was measured. Rows stand in the table's order.
    - `apart`: languages that stand below a line.
    """
    upper = table[~table["language"].isin(list(apart))]
    rows = pd.concat([upper, table[table["language"].isin(list(apart))]])
    places = [i + 0.6 * (i >= len(upper)) for i in range(len(rows))]
    with canvas(1.35 + 0.3 * (len(rows) + 0.6)) as (figure, axes):
        axis = axes[0, 0]
        for place, (_, row) in zip(places, rows.iterrows(), strict=True):
            _dumbbell(axis, place, row)
        if 0 < len(upper) < len(rows):
            axis.axhline(len(upper) - 0.2, color="#999999", lw=0.8, ls=(0, (2, 2)))
        axis.set_yticks(
            places, [named(r.language, int(r.n_language_pairs)) for r in rows.itertuples()]
        )
        axis.set_ylim(places[-1] + 0.6, -0.6)
        axis.set_xlim(-0.02, 1.02)
        axis.set_xlabel(xlabel)
        axis.grid(False, axis="y")
        figure.legend(
            handles=_handles("null" in rows and bool(rows["null"].notna().any())),
            loc="outside lower center",
            ncols=3,
            frameon=False,
            handletextpad=0.4,
            columnspacing=1.2,
        )
    said = "; ".join(
        f"{LANGUAGES[row['language']].name} asked directly {row['direct']:.2f}, patched "
        f"{span(row['patched'], row['patched_low'], row['patched_high'])}"
        + (f", null {row['null']:.3f}" if "null" in rows and row["null"] == row["null"] else "")
        for _, row in rows.iterrows()
    )
    return Picture(figure, f"Dumbbell chart of {xlabel}, one row per language. {said}.")


def _dumbbell(axis: Axes, place: float, row: pd.Series) -> None:
    look = LANGUAGE_LOOKS[row["language"]]
    axis.plot(
        [row["direct"], row["patched"]], [place - 0.1, place + 0.1], color=look.colour, lw=0.8
    )
    for name, shift, face in (("direct", -0.1, "white"), ("patched", 0.1, look.colour)):
        y = place + shift
        axis.plot([row[f"{name}_low"], row[f"{name}_high"]], [y, y], color=look.colour, lw=1.4)
        axis.plot(row[name], y, "o", ms=5.5, mfc=face, mec=look.colour, mew=1.3)
    if "null" in row and row["null"] == row["null"]:
        axis.plot(row["null"], place, "x", color=NULL, ms=5, mew=1.4)


def _handles(null: bool) -> list[Line2D]:
    style = {"ls": "", "mec": INK, "ms": 5.5}
    found = [
        Line2D([], [], marker="o", mfc="white", label="asked directly", **style),
        Line2D([], [], marker="o", mfc=INK, label="patched", **style),
    ]
    if null:
        found.append(
            Line2D([], [], marker="x", ls="", color=NULL, ms=5, mew=1.4, label="third concept")
        )
    return found


def differences(tables: Mapping[str, pd.DataFrame], *, xlabel: str) -> Picture:
    """Differences with 95 % intervals, a panel per model, one row per comparison.

    - `tables`: by the panel's title: `label`, `code` (a language, or empty), `mean`, `low`, `high`.
    """
    heights = [len(table) for table in tables.values()]
    low = min(float(table["low"].min()) for table in tables.values())
    high = max(float(table["high"].max()) for table in tables.values())
    with canvas(
        0.75 * len(tables) + 0.27 * sum(heights) + 0.3,
        len(tables),
        height_ratios=heights,
        sharex=True,
    ) as (figure, axes):
        for axis, (title, table) in zip(axes[:, 0], tables.items(), strict=True):
            axis.axvline(0, color="#777777", lw=0.9)
            for place, row in enumerate(table.itertuples()):
                look = LANGUAGE_LOOKS.get(row.code)
                colour = look.colour if look else INK
                axis.plot([row.low, row.high], [place, place], color=colour, lw=1.6)
                axis.plot(row.mean, place, look.mark if look else "o", color=colour, ms=5.5)
            axis.set_yticks(range(len(table)), list(table["label"]))
            axis.set_ylim(len(table) - 0.4, -0.6)
            axis.set_xlim(min(low, 0) - 0.03, max(high, 0) + 0.03)
            axis.set_title(title)
            axis.grid(False, axis="y")
        axes[-1, 0].set_xlabel(xlabel)
    said = ". ".join(
        f"{title}: "
        + "; ".join(f"{r.label} {span(r.mean, r.low, r.high)}" for r in table.itertuples())
        for title, table in tables.items()
    )
    return Picture(figure, f"Differences of {xlabel} with 95 % intervals. {said}.")
