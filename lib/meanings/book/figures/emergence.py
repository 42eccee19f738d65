"""Figures of the chapter Emergence: onsets at several heights, words in common, order of layers."""

from collections.abc import Mapping, Sequence
from numbers import Real

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from meanings.book.figures.curves import INK, PROBABILITY
from meanings.book.figures.palette import CONDITIONS, Look, look
from meanings.book.figures.style import Picture, canvas
from meanings.core.formatting import amount, span
from meanings.lexicon.languages import LANGUAGES
from meanings.statistics.cognates import ALL, APART

SHARES = {0.25: "¼", 0.5: "½", 0.75: "¾"}
HEIGHTS = {"own": "of its own final height", "direct": "of the final height of the direct score"}
SINGLE = Look("layer j alone", "#56B4E9", "s")


def onsets(table: pd.DataFrame, tokens: Sequence[Real]) -> Picture:
    """Moments at which each condition reaches a quarter, half and three quarters of a height, with
    their intervals; one panel per height.

    - `table`: `meanings.statistics.onset_tables.onset_table`, in tokens (not finite: never within
      the training).
    - `tokens`: the checkpoints' tokens, drawn as small ticks.
    """
    panels = [height for height in HEIGHTS if (table["height"] == height).any()]
    names = list(dict.fromkeys(table["condition"].astype(str)))
    last, said = float(max(tokens)), []
    with canvas(0.6 + len(panels) * (0.62 + 0.25 * len(names)), rows=len(panels)) as (
        figure,
        axes,
    ):
        for axis, height in zip(axes[:, 0], panels, strict=True):
            rows = table[table["height"] == height]
            for place, name in enumerate(names):
                _onset_line(axis, place, rows[rows["condition"] == name], look(name, place), last)
            _onset_axis(axis, rows, names, [t for t in tokens if t > 0])
            axis.set_title(HEIGHTS[height])
            axis.set_xlabel("training tokens (log axis); ticks on top: checkpoints")
    for name in names:
        found = table[(table["condition"] == name) & (table["height"] == "own")]
        moments = ", ".join(amount(value) for value in found["onset"])
        said.append(f"{look(name).label} {moments}")
    return Picture(
        figure,
        "Training tokens after which each condition reaches a quarter, half and three quarters of "
        f"its own final height, with 95 % intervals: {'; '.join(said)}.",
    )


def _onset_line(axis: Axes, place: int, rows: pd.DataFrame, series: Look, last: float) -> None:
    """One condition's moments on one line."""
    for _, row in rows.iterrows():
        if not np.isfinite(row["onset"]):
            continue
        high = min(row["high"], last)
        axis.plot([row["low"], high], [place, place], color=series.colour, lw=2.2, alpha=0.55)
        axis.plot(row["onset"], place, marker=series.mark or "o", ms=5.5, color=series.colour)
        if place == 0:
            axis.text(
                row["onset"], -0.42, SHARES[row["fraction"]], ha="center", va="bottom", color=INK
            )
    if not np.isfinite(rows["onset"]).any():
        axis.text(last, place, "no onset ", ha="right", va="center", color=series.colour)


def _onset_axis(
    axis: Axes, rows: pd.DataFrame, names: Sequence[str], tokens: Sequence[Real]
) -> None:
    first = rows["low"][np.isfinite(rows["low"])]
    low = max(float(first.min()) if len(first) else 0.0, float(min(tokens)))
    axis.set_xscale("log")
    axis.set_xlim(low * 0.8, float(max(tokens)) * 1.1)
    rounds = [k * 10.0**e for e in range(3, 14) for k in (1, 2, 3, 5)]
    ticks = [tick for tick in rounds if low * 0.8 <= tick <= max(tokens) * 1.1]
    axis.set_xticks(ticks, [amount(tick) for tick in ticks])
    axis.minorticks_off()
    inside = [t for t in tokens if t >= low * 0.8]
    axis.plot(inside, [-1.25] * len(inside), "|", color="#777777", ms=5)
    axis.set_yticks(range(len(names)), [look(name).label for name in names])
    axis.set_ylim(len(names) - 0.4, -1.5)
    axis.grid(False, axis="y")


def words_in_common(table: pd.DataFrame) -> Picture:
    """P(source concept) by output language: of all concepts, and of those whose words resemble none
    in another language.

    - `table`: `meanings.statistics.cognates.by_output`.
    """
    every = table[table["words"] == ALL].sort_values("mean", ascending=False)
    apart = table[table["words"] == APART].set_index("output")
    blue, said = CONDITIONS["seen"].colour, []
    with canvas(1.0 + 0.3 * len(every)) as (figure, axes):
        axis = axes[0, 0]
        for place, (_, row) in enumerate(every.iterrows()):
            _with_interval(axis, place - 0.14, row, blue, filled=True)
            n, other = int(row["n_units"]), None
            if row["output"] in apart.index:
                other = apart.loc[row["output"]]
                _with_interval(axis, place + 0.14, other, INK, filled=False)
            count = 0 if other is None else int(other["n_units"])
            axis.text(1.04, place, f"{count} of {n}", va="center", color=INK)
            words = "none" if other is None else f"{other['mean']:.2f}"
            said.append(f"{LANGUAGES[row['output']].name} {row['mean']:.2f}, apart {words}")
        axis.text(1.04, -0.85, "concepts\napart", va="center", color=INK)
        axis.set_yticks(range(len(every)), [LANGUAGES[code].name for code in every["output"]])
        axis.set_ylim(len(every) - 0.4, -1.3)
        axis.set_xlim(-0.02, 1.02)
        axis.grid(False, axis="y")
        top = every.iloc[0]["mean"]
        axis.text(top - 0.05, -0.14, "all concepts ", ha="right", va="bottom", color=blue)
        axis.text(top - 0.05, 0.14, "words apart ", ha="right", va="top", color=INK)
        axis.set_xlabel(PROBABILITY)
    return Picture(
        figure,
        f"{PROBABILITY} under the other-language mean by output language, of all concepts and of "
        f"those whose words resemble none in another language: {'; '.join(said)}.",
    )


def _with_interval(axis: Axes, place: float, row: pd.Series, colour: str, filled: bool) -> None:
    axis.plot([row["low"], row["high"]], [place, place], color=colour, lw=1.4, alpha=0.6)
    face = colour if filled else "none"
    axis.plot(row["mean"], place, "o", ms=5.5, color=colour, markerfacecolor=face, mew=1.2)


def layer_sweeps(table: pd.DataFrame, looks: Mapping[str, Look]) -> Picture:
    """P(source concept) over the layer j, one curve per way of writing the vectors.

    - `table`: `way`, `first_layer`, `mean`, `low`, `high`; `looks`: the ways in order, with how
      each is drawn.
    """
    said = []
    with canvas(3.3) as (figure, axes):
        axis = axes[0, 0]
        for place, (way, series) in enumerate(looks.items()):
            line = table[table["way"] == way].sort_values("first_layer")
            layers = line["first_layer"]
            axis.fill_between(layers, line["low"], line["high"], color=series.colour, alpha=0.15)
            axis.plot(
                layers, line["mean"], color=series.colour, ls=series.line, marker=series.mark, ms=4
            )
            axis.text(
                0.99,
                0.95 - 0.085 * place,
                series.label,
                transform=axis.transAxes,
                ha="right",
                color=series.colour,
            )
            best = line.loc[line["mean"].idxmax()]
            said.append(
                f"{series.label}, at most {span(best['mean'], best['low'], best['high'])} at layer "
                f"{int(best['first_layer'])}"
            )
        axis.set_ylim(-0.02, min(1.02, float(table["high"].max()) * 1.2))
        axis.set_xticks(sorted(table["first_layer"].unique()))
        axis.set_xlabel("patched layer j")
        axis.set_ylabel("P(source concept)")
    return Picture(
        figure,
        f"Line chart: {PROBABILITY} by patched layer, with 95 % intervals: {'; '.join(said)}.",
    )
