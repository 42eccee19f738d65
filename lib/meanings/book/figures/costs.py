"""The picture of what a study costs."""

import pandas as pd
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from meanings.book.figures.palette import SERIES
from meanings.book.figures.style import SMALL, Picture, canvas

NAMES = {"ours": "this library", "published": "published algorithm"}
SPANS = {12: "a night", 24 * 7: "a week", 24 * 365: "a year"}


def hours(table: pd.DataFrame) -> Picture:
    """GPU hours on a log axis: a row for each model, with and without answers; a mark per
    algorithm, its range over the shares of the peak.

    - `table`: columns `model`, `algorithm`, `answers`, `hours`, `low`, `high`.
    """
    models = list(dict.fromkeys(table["model"]))
    places = [(model, answers) for model in models for answers in (False, True)]
    with canvas(3.7) as (figure, axes):
        axis = axes[0, 0]
        for colour, mark, (name, title) in zip(SERIES, "os", NAMES.items(), strict=False):
            rows = table[table["algorithm"] == name].set_index(["model", "answers"]).loc[places]
            ends = [rows["hours"] - rows["low"], rows["high"] - rows["hours"]]
            axis.errorbar(
                rows["hours"],
                range(len(places)),
                xerr=ends,
                fmt=mark,
                color=colour,
                ms=6,
                capsize=3,
                lw=1.4,
                label=title,
            )
        axis.set_xscale("log")
        axis.set_xlim(table["low"].min() / 2, table["high"].max() * 2)
        for hours, name in SPANS.items():
            axis.axvline(hours, color="#555555", lw=0.8, ls=(0, (2, 2)))
            axis.text(hours, -0.62, name, ha="center", va="bottom", fontsize=SMALL, color="#555555")
        axis.set_yticks(
            range(len(places)),
            [
                f"{model}\n{'with answers' if answers else 'scores only'}"
                for model, answers in places
            ],
        )
        axis.set_ylim(len(places) - 0.5, -0.6)
        axis.grid(axis="y", visible=False)
        for edge in range(2, len(places), 2):
            axis.axhline(edge - 0.5, color="#E3E3E3", lw=0.8)
        axis.xaxis.set_major_locator(LogLocator(10, numticks=12))
        axis.xaxis.set_major_formatter(
            FuncFormatter(lambda value, _: f"{value:,.0f}" if value >= 1 else f"{value:g}")
        )
        axis.xaxis.set_minor_formatter(NullFormatter())
        axis.set_xlabel("hours of one H100 (log axis)")
        figure.legend(loc="outside lower center", ncols=2, frameon=False)
    said = "; ".join(
        f"{row.model} {'with answers' if row.answers else 'scores only'}, {NAMES[row.algorithm]}: "
        f"{row.hours:,.3g} ({row.low:,.3g} to {row.high:,.3g})"
        for row in table.itertuples()
    )
    return Picture(figure, f"Ranges of GPU hours on a logarithmic axis. {said}.")
