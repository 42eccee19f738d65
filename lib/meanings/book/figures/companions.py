"""Figures of companion measures: over training beside their floors, and by layer and checkpoint."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes

from meanings.book.figures import heatmap
from meanings.book.figures.palette import CONDITIONS, SERIES, Look
from meanings.book.figures.style import Picture, canvas, label_ends, tokens_axis
from meanings.core.formatting import amount, span

NULL = Look("permutation null", "#7F7F7F", "", (0, (1, 1)))
FLOOR = Look("nothing to share", "#000000", "", (0, (4, 2)))
LOOKS: dict[str, Look] = {
    "all": Look("all concepts", "#0072B2"),
    "taught": Look("taught", "#0072B2"),
    "held_out": Look("held out", "#D55E00", "s"),
    "never": Look("never side by side", "#009E73", "^"),
    "shared_token": Look("shared token", "#AA4499", "D"),
}
PATCHING = CONDITIONS["seen"].colour


def over_training(
    curves: pd.DataFrame,
    *,
    of: str = "split",
    ylabel: str,
    labels: Mapping[str, str] | None = None,
    floor: pd.DataFrame | None = None,
    band: tuple[float, float] | None = None,
    low: float = 0.0,
) -> Picture:
    """Curves over training tokens with their bands; the null of the first as a grey dotted line,
    the floor of a model with nothing to share as a dashed one.

    - `curves`: `tokens`, column `of`, `value`, and `low`, `high`, `null` where they are measured.
    - `labels`: of the values of `of`, in the order of drawing.
    - `floor`: `tokens`, `floor`; `band`: onset of patching in tokens, from and to.
    - `low`: where the axis begins.
    """
    names = list(labels or dict.fromkeys(curves[of].astype(str)))
    with canvas(3.6) as (figure, axes):
        axis = axes[0, 0]
        tokens_axis(axis, curves["tokens"])
        _limits(axis, curves, floor, low)
        ends = []
        if band is not None:
            axis.axvspan(*band, color=PATCHING, alpha=0.14, lw=0)
            axis.text(
                band[0], axis.get_ylim()[1], "patching", color=PATCHING, fontsize=8, va="bottom"
            )
        for place, name in enumerate(names):
            line = curves[curves[of].astype(str) == name].sort_values("tokens")
            if line.empty:
                continue
            look = LOOKS.get(name) or Look(name, SERIES[place % len(SERIES)], "osD^vPX*"[place % 8])
            label = (labels or {}).get(name, look.label)
            _curve(axis, line, "value", look)
            ends.append((float(line["value"].iloc[-1]), label, look.colour))
        first = curves[curves[of].astype(str) == names[0]].sort_values("tokens")
        if "null" in first and first["null"].notna().any():
            _curve(axis, first, "null", NULL)
            ends.append((float(first["null"].iloc[-1]), NULL.label, NULL.colour))
        if floor is not None:
            _curve(axis, floor.sort_values("tokens"), "floor", FLOOR)
            ends.append((float(floor["floor"].iloc[-1]), FLOOR.label, FLOOR.colour))
        axis.set_ylabel(ylabel)
        label_ends(axis, ends)
    said = "; ".join(f"{label} {height:.2f}" for height, label, _ in ends)
    shaded = (
        f" A band from {amount(band[0])} to {amount(band[1])} tokens marks the onset of patching."
        if band is not None
        else ""
    )
    return Picture(
        figure,
        f"Line chart: {ylabel} over training tokens, from 0 to {amount(curves['tokens'].max())}. "
        f"At the last checkpoint: {said}.{shaded}",
    )


def _limits(axis: Axes, curves: pd.DataFrame, floor: pd.DataFrame | None, low: float) -> None:
    top = float(curves["high" if "high" in curves else "value"].max())
    bottom = float(curves["low" if "low" in curves else "value"].min())
    if floor is not None:
        top = max(top, float(floor["floor"].max()))
        bottom = min(bottom, float(floor["floor"].min()))
    span_ = max(top - low, 0.1)
    axis.set_ylim(min(low, bottom) - 0.02 * span_, low + 1.08 * span_)


def _curve(axis: Axes, line: pd.DataFrame, column: str, look: Look) -> None:
    ends = {"value": ("low", "high"), "null": ("null_low", "null_high")}.get(column, ("", ""))
    if set(ends) <= set(line):
        axis.fill_between(
            line["tokens"], *(line[end] for end in ends), color=look.colour, alpha=0.16, lw=0
        )
    axis.plot(
        line["tokens"],
        line[column],
        color=look.colour,
        ls=look.line,
        marker=look.mark,
        ms=3.4,
        lw=1.4,
    )


def layers_by_checkpoint(table: pd.DataFrame, *, label: str, low: float = 0.0) -> Picture:
    """Heatmap: layer (rows, the embedding at the bottom) by checkpoint (columns).

    - `table`: `layer`, `tokens`, `value`; `low`: the value of the darkest colour.
    """
    return heatmap.layers_by_checkpoint(table, heatmap.READ, label=label, low=low)


def pairs_at_end(table: pd.DataFrame, *, xlabel: str) -> Picture:
    """One row per language pair: its splits as marks with intervals, its null as a grey line.

    - `table`: `pair`, `split`, `value`, `low`, `high`, and `null_high` where there is one; in the
      order of drawing.
    """
    names = list(dict.fromkeys(table["pair"]))
    with canvas(0.9 + 0.2 * len(names)) as (figure, axes):
        axis = axes[0, 0]
        for place, name in enumerate(names):
            rows = table[table["pair"] == name]
            for shift, row in enumerate(rows.itertuples()):
                look, y = LOOKS[str(row.split)], place + 0.22 * (shift - (len(rows) - 1) / 2)
                axis.plot([row.low, row.high], [y, y], color=look.colour, lw=1.2)
                axis.plot(row.value, y, look.mark, color=look.colour, ms=4)
            if "null_high" in rows and rows["null_high"].notna().any():
                top = float(rows["null_high"].max())
                axis.plot([top, top], [place - 0.4, place + 0.4], color=NULL.colour, lw=1.2)
        axis.set_yticks(range(len(names)), names)
        axis.set_ylim(len(names) - 0.4, -0.6)
        axis.set_xlim(min(0.0, float(table["low"].min())) - 0.01, None)
        axis.set_xlabel(xlabel)
        axis.grid(False, axis="y")
        there = [name for name in LOOKS if name in set(table["split"].astype(str))]
        handles = [
            axis.plot([], [], LOOKS[n].mark, color=LOOKS[n].colour, ms=4, label=LOOKS[n].label)[0]
            for n in there
        ]
        figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False)
    said = "; ".join(
        f"{row.pair} {LOOKS[str(row.split)].label} {span(row.value, row.low, row.high)}"
        for row in table.itertuples()
    )
    return Picture(figure, f"Dot chart of {xlabel}, one row per language pair. {said}.")
