"""Figures of the short miniatures: dose and response, and the way that a query word takes to the
answer.
"""

import pandas as pd

from meanings.book.figures.curves import PROBABILITY
from meanings.book.figures.style import (
    COLOURS,
    DASHES,
    MARKS,
    SERIES,
    SHORT,
    Picture,
    canvas,
    label_ends,
)
from meanings.core.formatting import span

ORDER = ("src_unpatched", "tgt", "seen", "null_concept")


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
            colour = COLOURS[name]
            axis.fill_between(x, line["low"], line["high"], color=colour, alpha=0.14, lw=0)
            axis.plot(
                x,
                line["mean"],
                color=colour,
                ls=DASHES.get(name, "-"),
                marker=MARKS[name] or None,
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
                color=colour,
                alpha=0.55,
            )
            ends.append((float(line["mean"].iloc[-1]), SHORT[name], colour))
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
    marks = {
        "asked": ("the source word itself (ceiling)", "#000000", "|"),
        "embedding": ("its layers and its embedding", "#E69F00", "s"),
        "layers": ("its layers, as a patch does", "#AA4499", "D"),
        "seen": ("layers, mean of other languages", COLOURS["seen"], "o"),
        "null_concept": ("layers, a third concept (null)", COLOURS["null_concept"], "x"),
    }
    models = list(table["model"])
    with canvas(
        3.3 + 0.42 * len(models),
        rows=2,
        gridspec_kw={"height_ratios": [0.9 + 0.4 * len(models), 2.0]},
    ) as (figure, axes):
        top, bottom = axes[:, 0]
        for index, (name, (label, colour, mark)) in enumerate(marks.items()):
            size = 13 if mark == "|" else 5.5
            heights = [i + (index - 2) * 0.13 for i in range(len(models))]
            top.plot(
                table[name],
                heights,
                ls="",
                marker=mark,
                ms=size,
                mew=1.8,
                color=colour,
                label=label,
            )
        top.set_yticks(range(len(models)), models)
        top.set_ylim(len(models) - 0.5, -0.5)
        top.set_xlim(-0.02, 1.02)
        top.set_xlabel("P(source concept) when the target prompt gets ...")
        figure.legend(
            *top.get_legend_handles_labels(),
            loc="outside lower center",
            ncols=2,
            frameon=False,
            columnspacing=1.0,
            handletextpad=0.3,
        )
        for index, model in enumerate(models):
            line = attention[attention["model"] == model].sort_values("layer")
            bottom.plot(
                line["layer"],
                line["attention"],
                marker="osD^v"[index % 5],
                ms=4,
                lw=1.5,
                color=SERIES[index % len(SERIES)],
                label=model,
            )
        bottom.set_xticks(sorted(attention["layer"].unique()))
        bottom.set_ylim(-0.03, 1.05)
        bottom.set_xlabel("layer")
        bottom.set_ylabel("attention to the\nquery word (best head)")
        bottom.legend(
            frameon=False,
            loc="lower center",
            bbox_to_anchor=(0.5, 0.98),
            ncols=2,
            fontsize=7.5,
            columnspacing=1.0,
        )
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
