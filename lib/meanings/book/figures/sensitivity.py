"""Figures of how the numbers move with the study's own choices: one factor each, null and direct
score in sight.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from meanings.book.figures.curves import PROBABILITY
from meanings.book.figures.palette import CONDITIONS, SERIES, Dash, Look
from meanings.book.figures.style import Picture, canvas
from meanings.core.formatting import span

LINES = {  # by `what` is compared: colour, mark, words for the legend
    "over languages": ("#0072B2", "o", "k languages − one prompt"),
    "over examples": (
        "#D55E00",
        "s",
        "k sets of few-shot examples, one pair − one prompt",
    ),
    "over examples, same pair": ("#AA4499", "D", "the same in the target pair"),
    "languages, same number": ("#000000", "^", "k languages − k sets of few-shot examples"),
}


def levels(found: pd.DataFrame, factor: str, values: Mapping[object, str], xlabel: str) -> Picture:
    """P(source concept) by the factor's value, one mark per condition, with 95 % intervals.

    A condition that the factor cannot change (it has one value) is a horizontal line.

    - `found`: columns `factor`, `condition`, `mean`, `low`, `high`; `values`: the factor's values
      in order, with their labels.
    """
    there = [value for value in values if value in set(found[factor])]
    places = {value: place for place, value in enumerate(there)}
    rows = {name: found[found["condition"] == name] for name in CONDITIONS}
    rows = {name: part for name, part in rows.items() if len(part)}
    varied = [name for name, part in rows.items() if len(part) > 1 or len(places) == 1]
    with canvas(3.5) as (figure, axes):
        axis = axes[0, 0]
        for name, part in rows.items():
            if name in varied:
                shift = 0.09 * (varied.index(name) - (len(varied) - 1) / 2)
                x = np.array([places[value] for value in part[factor]]) + shift
                _marks(axis, x, part, CONDITIONS[name])
            else:
                _level(axis, part.iloc[0], CONDITIONS[name])
        axis.set_xticks(list(places.values()), [values[value] for value in places])
        axis.set_xlim(-0.4, len(places) - 0.6)
        axis.set_ylim(-0.02, min(1.02, float(found["high"].max()) * 1.1))
        axis.set_xlabel(xlabel)
        axis.set_ylabel("P(source concept)")
        figure.legend(loc="outside lower center", ncols=3, frameon=False, columnspacing=1.2)
    lead = found[found["condition"] == "seen"]
    said = "; ".join(
        f"{values[row[factor]]}: {span(row['mean'], row['low'], row['high'])}"
        for _, row in lead.iterrows()
    )
    return Picture(
        figure,
        f"{PROBABILITY} by {xlabel}, one mark per condition, with 95 % intervals. Of the mean over "
        f"languages, {said}.",
    )


def _marks(axis: Axes, x: np.ndarray, rows: pd.DataFrame, series: Look) -> None:
    """A condition's means with their intervals at places `x`."""
    axis.errorbar(
        x,
        rows["mean"],
        [rows["mean"] - rows["low"], rows["high"] - rows["mean"]],
        color=series.colour,
        marker=series.mark or "_",
        ms=4.5,
        lw=1.1,
        ls=series.line,
        elinewidth=1.1,
        capsize=2,
        label=series.label,
    )


def _level(axis: Axes, row: pd.Series, series: Look) -> None:
    """A condition that the factor cannot change, as a horizontal line with its interval."""
    axis.axhspan(row["low"], row["high"], color=series.colour, alpha=0.1, lw=0)
    dash: Dash = series.dash or (0, (6, 2))
    axis.axhline(row["mean"], color=series.colour, ls=dash, lw=1.2, label=series.label)


def two_curves(
    found: pd.DataFrame, factor: str, values: Mapping[object, str], xlabel: str = "patched layer j"
) -> Picture:
    """P(source concept) of `seen` by layer, one curve per value of the factor; the null dotted,
    unpatched source prompts dashed.

    - `found`: columns `factor`, `condition`, `first_layer` (-1 unpatched), `mean`, `low`, `high`.
    """
    shown = [value for value in values if value in set(found[factor])]
    said = []
    with canvas(3.5) as (figure, axes):
        axis = axes[0, 0]
        for index, value in enumerate(shown):
            rows, colour, mark = found[found[factor] == value], SERIES[index], "os^D"[index]
            for name, style in (("seen", "-"), ("null_concept", CONDITIONS["null_concept"].dash)):
                line = rows[(rows["condition"] == name) & (rows["first_layer"] >= 0)].sort_values(
                    "first_layer"
                )
                axis.fill_between(
                    line["first_layer"], line["low"], line["high"], color=colour, alpha=0.15, lw=0
                )
                marked = {"marker": mark, "ms": 4} if name == "seen" else {"marker": "x", "ms": 3}
                axis.plot(
                    line["first_layer"],
                    line["mean"],
                    color=colour,
                    ls=style,
                    lw=1.5,
                    label=f"{values[value]}{'' if name == 'seen' else ': null'}",
                    **marked,
                )
                if name == "seen":
                    best = line.loc[line["mean"].idxmax()]
                    said.append(
                        f"{values[value]}, at most {span(best['mean'], best['low'], best['high'])} "
                        f"at layer {int(best['first_layer'])}"
                    )
            direct = rows[rows["condition"] == "src_unpatched"]
            if len(direct):
                axis.axhline(
                    direct["mean"].iloc[0],
                    color=colour,
                    ls=CONDITIONS["src_unpatched"].dash,
                    lw=1.1,
                    label=f"{values[value]}: asked directly",
                )
        axis.set_xticks(sorted(layer for layer in found["first_layer"].unique() if layer >= 0))
        axis.set_ylim(-0.02, min(1.02, float(found["high"].max()) * 1.1))
        axis.set_xlabel(xlabel)
        axis.set_ylabel("P(source concept)")
        figure.legend(loc="outside lower center", ncols=2, frameon=False, columnspacing=1.2)
    return Picture(
        figure,
        f"Line chart: {PROBABILITY} by {xlabel}, with 95 % intervals, for {'; '.join(said)}. Nulls "
        "are dotted, the direct score dashed.",
    )


def token_against_word(found: pd.DataFrame, correlation: float) -> Picture:
    """A dot per concept: probability of its first tokens against that of its whole words.

    - `found`: columns `first_token`, `word`; `correlation`: Spearman's, for the words beside the
      picture.
    """
    with canvas(3.6) as (figure, axes):
        axis = axes[0, 0]
        axis.plot([0, 1], [0, 1], color="#7F7F7F", lw=1, ls="--", label="equal")
        axis.scatter(
            found["first_token"],
            found["word"],
            s=14,
            color=CONDITIONS["seen"].colour,
            alpha=0.7,
            lw=0,
            label="a concept",
        )
        axis.set_xlim(-0.02, 1.02)
        axis.set_ylim(-0.02, 1.02)
        axis.set_aspect("equal")
        axis.set_xlabel("P(first tokens of the source concept)")
        axis.set_ylabel("P(whole word and closing quote)")
        axis.legend(loc="upper left", frameon=False)
    return Picture(
        figure,
        f"Scatter plot of {len(found)} concepts: probability of the whole word against that of the "
        f"first tokens, means {found['word'].mean():.2f} and "
        f"{found['first_token'].mean():.2f}, rank correlation {correlation:z.2f}.",
    )


def averaging(found: Sequence[tuple[str, pd.DataFrame]]) -> Picture:
    """What a mean over k source prompts gains, one panel per model: differences with 95 %
    intervals, zero as a line.

    - `found`: title and table of each model: columns `k` (0 is all), `what`, `mean`, `low`, `high`.
    """
    said = []
    heights = [max(len(set(table["k"])), 2) for _, table in found]
    with canvas(
        1.0 + 0.55 * sum(heights) + 0.5 * len(found),
        rows=len(found),
        gridspec_kw={"height_ratios": heights},
    ) as (figure, axes):
        for axis, (title, table) in zip(axes[:, 0], found, strict=True):
            counts = list(dict.fromkeys(table["k"]))
            for place, (what, (colour, mark, label)) in enumerate(LINES.items()):
                rows = table[table["what"] == what]
                y = np.array([counts.index(k) for k in rows["k"]]) + 0.17 * (place - 1.5)
                axis.errorbar(
                    rows["mean"],
                    y,
                    xerr=[rows["mean"] - rows["low"], rows["high"] - rows["mean"]],
                    color=colour,
                    marker=mark,
                    ms=4.5,
                    ls="",
                    elinewidth=1.2,
                    capsize=2,
                    label=label if axis is axes[0, 0] else None,
                )
            axis.axvline(0, color="#7F7F7F", lw=1)
            axis.set_yticks(range(len(counts)), ["all" if k == 0 else f"k = {k}" for k in counts])
            axis.set_ylim(len(counts) - 0.5, -0.5)
            axis.set_title(title)
            last = table[(table["k"] == counts[-1])].set_index("what")
            said.append(
                f"{title}, k = {counts[-1] or 'all'}: "
                + "; ".join(
                    f"{LINES[what][2]} {last.loc[what, 'mean']:+z.3f} "
                    f"[{last.loc[what, 'low']:+z.3f}, {last.loc[what, 'high']:+.3f}]"
                    for what in LINES
                )
            )
        axes[-1, 0].set_xlabel("difference in P(source concept), concept by concept")
        figure.legend(loc="outside lower center", ncols=1, frameon=False)
    return Picture(
        figure, f"Differences with 95 % intervals and a line at zero. {'. '.join(said)}."
    )
