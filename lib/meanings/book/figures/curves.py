"""Figures of patching over training and over layers."""

import pandas as pd
from matplotlib.axes import Axes

from meanings.book.figures import heatmap
from meanings.book.figures.palette import Look, look
from meanings.book.figures.style import Picture, canvas, label_ends, tokens_axis
from meanings.core.formatting import amount, span
from meanings.statistics import longer

PROBABILITY = "P(source concept in the output language)"
INK = "#333333"


def emergence(
    curves: pd.DataFrame, *, of: str = "condition", ylabel: str = PROBABILITY, height: float = 3.6
) -> Picture:
    """Curves over training tokens with 95 % intervals, one per value of column `of`; nulls
    and unpatched prompts as dashed lines.

    - `curves`: columns `tokens`, `of`, `mean`, `low`, `high`.
    """
    names = list(dict.fromkeys(curves[of].astype(str)))
    with canvas(height) as (figure, axes):
        axis = axes[0, 0]
        tokens_axis(axis, curves["tokens"])
        axis.set_ylim(-0.02, max(0.1, min(1.02, float(curves["high"].max()) * 1.08)))
        ends = []
        for index, name in enumerate(names):
            line = curves[curves[of].astype(str) == name].sort_values("tokens")
            series = look(name, index)
            _curve(axis, line, "tokens", series)
            ends.append((float(line["mean"].iloc[-1]), series.label, series.colour))
        axis.set_ylabel(ylabel)
        label_ends(axis, ends)
    last = curves.sort_values("tokens").groupby(of, observed=True, sort=False).tail(1)
    said = "; ".join(
        f"{look(str(row[of])).label} {span(row['mean'], row['low'], row['high'])}"
        for _, row in last.iterrows()
    )
    return Picture(
        figure,
        f"Line chart: {ylabel} over training tokens, from 0 to {amount(curves['tokens'].max())}, "
        f"with 95 % intervals. At the last checkpoint: {said}.",
    )


def layers_by_checkpoint(table: pd.DataFrame, *, label: str = PROBABILITY) -> Picture:
    """Heatmap: first patched layer (rows, layer 0 at the bottom) by checkpoint (columns).

    - `table`: columns `first_layer`, `tokens`, `mean`.
    """
    return heatmap.layers_by_checkpoint(
        table, heatmap.PATCHED, label=label, bar="P(source concept)"
    )


def first_layers(
    curves: pd.DataFrame,
    levels: pd.DataFrame | None = None,
    *,
    of: str = "condition",
    ylabel: str = PROBABILITY,
) -> Picture:
    """Probability over the first patched layer, one curve per condition; unpatched prompts as
    horizontal lines.

    - `curves`: `first_layer`, `of`, `mean`, `low`, `high`; `levels`: `of`, `mean` of what is not
      patched, where it is to be drawn.
    """
    lines = [] if levels is None else list(levels[[of, "mean"]].itertuples(index=False))
    names = list(dict.fromkeys(curves[of].astype(str)))
    with canvas(3.8) as (figure, axes):
        axis = axes[0, 0]
        top = max(float(curves["high"].max()), *(float(mean) for _, mean in lines), 0.0)
        axis.set_ylim(0.0, max(0.1, min(1.02, top * 1.08)))
        for index, name in enumerate(names):
            line = curves[curves[of].astype(str) == name].sort_values("first_layer")
            _curve(axis, line, "first_layer", look(name, index), named=True)
        for name, mean in lines:
            series = look(str(name))
            style = {"color": series.colour, "ls": series.dash or "--", "label": series.label}
            axis.axhline(mean, lw=1.2, **style)
        axis.set_xticks(sorted(curves["first_layer"].unique()))
        axis.set_xlabel("first patched layer (it and all later ones are overwritten)")
        axis.set_ylabel(ylabel)
        # Late layers bring all curves together, so labels at their ends would pile up.
        figure.legend(loc="outside lower center", ncols=3, frameon=False, columnspacing=1.2)
    best = curves.loc[curves["mean"].idxmax()]
    return Picture(
        figure,
        f"Line chart: {ylabel} by first patched layer, with 95 % intervals"
        f"{' and the unpatched prompts as horizontal lines' if lines else ''}. The highest "
        f"point is {look(str(best[of])).label} at layer {int(best['first_layer'])}: "
        f"{span(best['mean'], best['low'], best['high'])}.",
    )


def _curve(axis: Axes, line: pd.DataFrame, x: str, series: Look, named: bool = False) -> None:
    """A curve of `mean` over column `x` with its interval as a band."""
    axis.fill_between(line[x], line["low"], line["high"], color=series.colour, alpha=0.16, lw=0)
    axis.plot(
        line[x],
        line["mean"],
        color=series.colour,
        ls=series.line,
        marker=series.mark,
        ms=3.6,
        lw=1.5,
        label=series.label if named else None,
    )


def finished_and_trunk(stages: pd.DataFrame) -> Picture:
    """Models of the long run over their training tokens: filled marks with 95 % intervals after a
    decay of the learning rate, open ones at the full rate.

    - `stages`: of `meanings.statistics.longer.levels`.
    """
    conditions = ["seen", "src_unpatched", "null_concept"]
    with canvas(3.9) as (figure, axes):
        axis = axes[0, 0]
        axis.set_xlim(0, float(stages["tokens"].max()) * 1.02)
        axis.xaxis.set_major_formatter(lambda tokens, _: amount(tokens))
        axis.set_xlabel("training tokens")
        axis.set_ylim(-0.02, max(0.1, min(1.02, float(stages["high"].max()) * 1.08)))
        ends, said = [], []
        for name in conditions:
            series = look(name)
            series = series._replace(mark=series.mark or "o")
            of = stages[stages["condition"] == name].sort_values("tokens")
            done = of[of["model"] == longer.FINISHED]
            _curve(axis, done, "tokens", series)
            trunk = of[(of["model"] == longer.TRUNK) & (name != "null_concept")]
            open_marks = {"mfc": "none", "ls": ":", "lw": 1.0, "ms": 5}
            axis.plot(trunk["tokens"], trunk["mean"], "o", color=series.colour, **open_marks)
            last = done.iloc[-1]
            ends.append((float(last["mean"]), series.label, series.colour))
            said.append(f"{series.label} {span(last['mean'], last['low'], last['high'])}")
        for label, style in (("after a decay", {}), ("at the full rate", {"mfc": "none"})):
            axis.plot([], [], "o", color=INK, ms=4.5, label=label, **style)
        axis.set_ylabel(PROBABILITY)
        label_ends(axis, ends)
        figure.legend(loc="outside lower center", ncols=2, frameon=False)
    return Picture(
        figure,
        f"Line chart: {PROBABILITY} of models trained for {amount(stages['tokens'].min())} to "
        f"{amount(stages['tokens'].max())} tokens, after a decay of the learning rate and at the "
        f"full rate. After the longest training and a decay: {'; '.join(said)}.",
    )
