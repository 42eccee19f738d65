"""Figures of the short miniatures: dose and response, and the way that a query word takes to the
answer.
"""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.transforms import blended_transform_factory

from meanings.book.figures.curves import PROBABILITY
from meanings.book.figures.palette import CONDITIONS, MARKS, SERIES
from meanings.book.figures.style import SMALL, Picture, canvas, label_ends
from meanings.core.formatting import span

ORDER = ("src_unpatched", "tgt", "seen", "null_concept")
STEPS = {  # what the target prompt gets: words for the legend, colour, mark
    "asked": ("the source word itself", "#000000", "|"),
    "embedding": ("its layers and its embedding", "#E69F00", "s"),
    "layers": ("its layers, as a patch does", "#AA4499", "D"),
    "seen": ("layers, other-language mean", CONDITIONS["seen"].colour, "o"),
    "null_concept": ("layers, a third concept (null)", CONDITIONS["null_concept"].colour, "x"),
}


def dose_response(levels: pd.DataFrame, seeds: pd.DataFrame) -> Picture:
    """P(source) by the share of parallel documents that are in two languages, with intervals; small
    marks are single training runs.

    - `levels`: `dose` (per cent), `condition`, `mean`, `low`, `high`; `seeds`: `dose`, `condition`,
      `training_seed`, `mean`.
    """
    doses = sorted(levels["dose"].unique())
    place = {dose: i for i, dose in enumerate(doses)}
    with canvas(3.5) as (figure, axes):
        axis = axes[0, 0]
        ends = []
        for name in ORDER:
            line = levels[levels["condition"] == name].sort_values("dose")
            x = [place[dose] for dose in line["dose"]]
            series = CONDITIONS[name]
            axis.fill_between(x, line["low"], line["high"], color=series.colour, alpha=0.14, lw=0)
            axis.plot(
                x,
                line["mean"],
                color=series.colour,
                ls=series.line,
                marker=series.mark or None,
                ms=4,
                lw=1.6,
            )
            each = seeds[seeds["condition"] == name]
            axis.plot(
                [place[dose] for dose in each["dose"]],
                each["mean"],
                ls="",
                marker=".",
                ms=3.5,
                color=series.colour,
                alpha=0.55,
            )
            ends.append((float(line["mean"].iloc[-1]), series.label, series.colour))
        axis.set_xticks(range(len(doses)), [f"{dose:g} %" for dose in doses])
        axis.set_xlabel("parallel documents that are in two languages (steps, not to scale)")
        axis.set_ylabel(PROBABILITY)
        axis.set_ylim(-0.02, max(0.1, float(levels["high"].max()) * 1.1))
        label_ends(axis, ends)
    seen = levels[levels["condition"] == "seen"].sort_values("dose")
    said = "; ".join(
        f"{row.dose:g} %: {span(row.mean, row.low, row.high)}"
        for row in seen.itertuples(index=False)
    )
    return Picture(
        figure,
        f"Line chart: {PROBABILITY} by share of parallel documents in two languages, with 95 % "
        f"intervals. Under seen, {said}.",
    )


def ways(table: pd.DataFrame, attention: pd.DataFrame) -> Picture:
    """Above, how far each patch goes from the target prompt to the source word itself; below, where
    the answer looks at the query word.

    - `table`: `model`, `target`, `layers`, `embedding`, `asked`, `seen`, `null_concept` (0 to 1);
      `attention`: `model`, `layer`, `attention`.
    """
    models = list(table["model"])
    heights = [0.9 + 0.4 * len(models), 2.0]
    size = 3.3 + 0.42 * len(models)
    with canvas(size, rows=2, gridspec_kw={"height_ratios": heights}) as (figure, axes):
        top, bottom = axes[:, 0]
        _steps(top, table, models)
        layout = {"ncols": 2, "frameon": False, "columnspacing": 1.0, "handletextpad": 0.3}
        figure.legend(*top.get_legend_handles_labels(), loc="outside lower center", **layout)
        _attention(bottom, attention, models)
    said = "; ".join(
        f"{row.model}: asked {row.asked:.2f}, layers {row.layers:.2f}, with embedding "
        f"{row.embedding:.2f}, seen {row.seen:.2f}"
        for row in table.itertuples()
    )
    return Picture(
        figure,
        f"Dot plot and line chart. P(source concept) by what replaces the target word: {said}. "
        "Below: attention from the answer to the query word by layer.",
    )


def _steps(axis: Axes, table: pd.DataFrame, models: list[str]) -> None:
    """P(source) of each step between target and source prompt, a row per model."""
    for index, (name, (label, colour, mark)) in enumerate(STEPS.items()):
        axis.plot(
            table[name],
            [place + (index - 2) * 0.13 for place in range(len(models))],
            ls="",
            marker=mark,
            ms=13 if mark == "|" else 5.5,
            mew=1.8,
            color=colour,
            label=label,
        )
    axis.set_yticks(range(len(models)), models)
    axis.set_ylim(len(models) - 0.5, -0.5)
    axis.set_xlim(-0.02, 1.02)
    axis.set_xlabel("P(source concept) when the target prompt gets ...")


def _attention(axis: Axes, attention: pd.DataFrame, models: list[str]) -> None:
    """Attention from the answer to the query word over layers, a curve per model."""
    for index, model in enumerate(models):
        line = attention[attention["model"] == model].sort_values("layer")
        colour, mark = SERIES[index % len(SERIES)], MARKS[index % 5]
        style = {"marker": mark, "ms": 4, "lw": 1.5, "color": colour, "label": model}
        axis.plot(line["layer"], line["attention"], **style)
    axis.set_xticks(sorted(attention["layer"].unique()))
    axis.set_ylim(-0.03, 1.05)
    axis.set_xlabel("layer")
    axis.set_ylabel("attention to\nthe query word")
    layout = {"frameon": False, "ncols": 2, "fontsize": SMALL, "columnspacing": 1.0}
    # Centred in the figure and not over the axes, whose wide margin would push it out at the right.
    across = blended_transform_factory(axis.figure.transFigure, axis.transAxes)
    place = {"loc": "lower center", "bbox_to_anchor": (0.5, 0.98), "bbox_transform": across}
    axis.legend(**place, **layout)
