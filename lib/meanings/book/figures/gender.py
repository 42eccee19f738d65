"""Figures of the gender measure: against the dose, and raw in-bias beside its null over depth."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from meanings.book.figures.palette import LANGUAGE_LOOKS, SERIES
from meanings.book.figures.style import Picture, canvas
from meanings.core.formatting import span
from meanings.lexicon.languages import LANGUAGES
from meanings.statistics.gender import PLANTED, over_runs

NULL = "#7F7F7F"
APART = 0.16  # between languages at one dose, of the distance of two doses


def against_dose(panels: Mapping[str, pd.DataFrame]) -> Picture:
    """A panel per quantity: its mean over training runs at each dose, by language, with intervals,
    every run as a small mark, and the range of the null of each as a grey bar.

    - `panels`: by the axis' label, `meanings.statistics.gender.by_dose`.
    """
    said = []
    with canvas(2.1 * len(panels), len(panels), 1, sharex=True) as (figure, axes):
        for axis, (label, runs) in zip(axes[:, 0], panels.items(), strict=True):
            doses = sorted(runs["dose"].unique())
            means = over_runs(runs, ["language_a", "dose"]).reset_index()
            codes = [code for code in LANGUAGE_LOOKS if code in set(means["language_a"])]
            for place, code in enumerate(codes):
                look = LANGUAGE_LOOKS[code]
                rows = means[means["language_a"] == code].sort_values("dose")
                shift = APART * (place - (len(codes) - 1) / 2)
                at = [doses.index(dose) + shift for dose in rows["dose"]]
                axis.vlines(at, rows["null_low"], rows["null_high"], color=NULL, lw=5, alpha=0.25)
                axis.vlines(at, rows["low"], rows["high"], color=look.colour, lw=1.3)
                axis.plot(at, rows["value"], look.mark, color=look.colour, ms=5, label=_label(code))
                each = runs[runs["language_a"] == code]
                axis.plot(
                    [doses.index(dose) + shift for dose in each["dose"]], each["value"], "_",
                    color=look.colour, ms=6,
                )  # fmt: skip
                said += [
                    f"{label}, {LANGUAGES[code].name}, dose {row.dose:g}: "
                    f"{span(row.value, row.low, row.high)}"
                    for row in rows.itertuples()
                ]
            axis.set_ylabel(label)
            axis.axhline(0, color="#000000", lw=0.6)
            axis.set_xticks(range(len(doses)), [f"{dose:g}" for dose in doses])
            axis.grid(False, axis="x")
        axes[-1, 0].set_xlabel("dose: share of English lines on occupations that are planted")
        axes[0, 0].legend(frameon=False, ncols=4, loc="upper left")
    return Picture(figure, f"Dot charts against the dose. {'; '.join(said)}.")


def _label(code: str) -> str:
    return f"{code} (planted)" if code == PLANTED else code


def over_depth(panels: Mapping[str, pd.DataFrame]) -> Picture:
    """In-bias over layers with the range of its null, a panel per variant.

    - `panels`: by title, `layer`, `value`, `low`, `high`, `null_low`, `null_high`.
    """
    said = []
    with canvas(2.0 * len(panels), len(panels), 1, sharex=True) as (figure, axes):
        for axis, (title, rows) in zip(axes[:, 0], panels.items(), strict=True):
            rows = rows.sort_values("layer")
            axis.fill_between(
                rows["layer"], rows["null_low"], rows["null_high"], color=NULL, alpha=0.25, lw=0,
                label="two other words as seeds",
            )  # fmt: skip
            axis.vlines(rows["layer"], rows["low"], rows["high"], color=SERIES[0], lw=1.3)
            axis.plot(
                rows["layer"], rows["value"], "o-", color=SERIES[0], ms=3.5, lw=1, label="seeds"
            )
            axis.set_title(title)
            axis.set_ylim(0, None)
            axis.set_ylabel("in-bias")
            first, last = rows.iloc[0], rows.iloc[-1]
            said.append(
                f"{title}: layer {first['layer']:.0f} {first['value']:.3f}, layer "
                f"{last['layer']:.0f} {last['value']:.3f}"
            )
        axes[-1, 0].set_xticks(range(0, int(rows["layer"].max()) + 1, 3))
        axes[-1, 0].set_xlabel("layer (0 is the embedding)")
        axes[0, 0].legend(frameon=False)
    return Picture(figure, f"Line charts of in-bias over layers. {'; '.join(said)}.")
