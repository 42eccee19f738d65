"""Figures on the instrument itself: what it reports against what is true, and how often it claims
what is not there.
"""

from typing import Any

import numpy as np
import pandas as pd

from meanings.book.figures.palette import SERIES
from meanings.book.figures.style import SMALL, Picture, canvas, tokens_axis
from meanings.core.formatting import amount

VERSIONS = {
    "now": ("the book's rule", SERIES[0], "o"),
    "before": ("a rule given up", SERIES[1], "s"),
    "spared": ("avoided", SERIES[4], "^"),
    "shown": ("layer choice by itself", SERIES[3], "D"),
}


def layers_true_and_reported(table: pd.DataFrame) -> Picture:
    """Reported against true layer, three panels: where languages meet, from one layer alone and
    from all later layers, and where the word is read.

    - `table`: `meanings.book.tables.trust.known_truth`. A world without a meeting layer before the
      reading layer is at -1, `none`.
    """
    panels = [
        ("meeting layer", "one layer alone", "meeting layer,\none layer patched"),
        ("meeting layer", "all later layers", "meeting layer,\nall later patched"),
        ("reading layer", "all later layers", "reading layer,\nall later patched"),
    ]
    said = []
    with canvas(2.5, columns=3, sharex=True, sharey=True) as (figure, axes):
        for axis, (what, by, title) in zip(axes[0], panels, strict=True):
            rows = table[(table["what"] == what) & (table["by"] == by)]
            top = int(
                max(rows["true"].max(), table.loc[table["what"] == "reading layer", "true"].max())
            )
            axis.plot([-1, top], [-1, top], color="#999999", lw=1)
            counts = rows.groupby(["true", "reported"]).size().reset_index(name="n")
            right = counts["true"] == counts["reported"]
            for kind, colour, mark in ((right, SERIES[0], "o"), (~right, SERIES[1], "X")):
                some = counts[kind]
                axis.scatter(
                    some["true"], some["reported"], s=26, color=colour, marker=mark, zorder=3
                )
            axis.set_title(title)
            axis.set_xlabel("true layer")
            axis.set_xticks(range(-1, top + 1), ["no", *map(str, range(top + 1))], rotation=0)
            axis.set_yticks(range(-1, top + 1), ["none", *map(str, range(top + 1))])
            axis.tick_params(axis="x", labelsize=SMALL)
            some = rows[rows["true"] >= 0]
            said.append(
                f"{what} by patching {by}: {int((some['true'] == some['reported']).sum())} of "
                f"{len(some)} worlds that meet are right"
            )
        axes[0, 0].set_ylabel("reported layer")
    return Picture(
        figure,
        "Reported against true layer in constructed networks, with the diagonal. "
        f"{'; '.join(said)}.",
    )


def onsets_true_and_reported(table: pd.DataFrame) -> Picture:
    """Reported against true onset of `seen`, with 95 % intervals and the diagonal; worlds that
    never meet are in the alternative text.

    - `table`: `meanings.book.tables.trust.known_truth`.
    """
    rows = table[(table["by"] == "seen") & table["what"].str.startswith("onset")]
    there = rows[np.isfinite(rows["true"])]
    with canvas(3.6) as (figure, axes):
        axis = axes[0, 0]
        last = float(there[["true", "reported", "high"]].to_numpy().max()) * 1.3
        ticks = [0.0, 1e5, 2e5, 4e5, 8e5, 1.6e6, 3.2e6]
        tokens_axis(axis, ticks)
        axis.set_yscale("symlog", linthresh=1e5, linscale=0.5)
        axis.set_yticks(ticks, [amount(t) for t in ticks])
        axis.set_xticks(ticks, [amount(t) for t in ticks])
        axis.minorticks_off()
        axis.plot([0, last], [0, last], color="#999999", lw=1)
        kinds = (
            ("onset, a step", "all concepts at once", SERIES[0], "o"),
            ("onset, a ramp", "each concept in its own time", SERIES[1], "s"),
        )
        for what, label, colour, mark in kinds:
            some = there[there["what"] == what]
            spread = [some["reported"] - some["low"], some["high"] - some["reported"]]
            axis.errorbar(
                some["true"],
                some["reported"],
                yerr=np.clip(spread, 0, None),
                color=colour,
                fmt=mark,
                ms=5,
                lw=1.6,
                capsize=2,
                label=label,
            )
        axis.set_ylim(-2e4, last)
        axis.set_xlim(-2e4, last)
        axis.set_xlabel("true onset in training tokens (log axis)")
        axis.set_ylabel("reported onset in training tokens")
        axis.legend(frameon=False, loc="lower right")
    covered = (
        (there["low"] <= there["true"] * 1.01) & (there["high"] >= there["true"] * 0.99)
    ).sum()
    never = rows[~np.isfinite(rows["true"])]
    return Picture(
        figure,
        f"Reported against true onset in {len(there)} constructed training runs: {covered} "
        f"intervals hold the true moment. Of {len(never)} without a "
        f"meeting, {int(np.isinf(never['reported']).sum())} is reported to have none.",
    )


def coverage(table: pd.DataFrame) -> Picture:
    """How often the onset's 95 % interval covers the true one, by true onset and number of
    concepts.

    - `table`: `meanings.book.tables.trust.known_truth`.
    """
    rows = table[table["what"] == "coverage"]
    with canvas(2.8) as (figure, axes):
        axis = axes[0, 0]
        axis.axhline(0.95, color="#555555", lw=1, ls="--", label="level: 95 %")
        for index, (name, some) in enumerate(rows.groupby("by")):
            places = np.arange(len(some)) + 0.12 * (2 * index - 1)
            spread = [some["reported"] - some["low"], some["high"] - some["reported"]]
            axis.errorbar(
                places,
                some["reported"],
                yerr=spread,
                fmt="os"[index],
                color=SERIES[index],
                ms=5,
                lw=1.6,
                capsize=2,
                label=name,
            )
            labels = [amount(t) for t in some["true"]]
        axis.set_xticks(range(len(labels)), labels)
        axis.set_xlabel("true onset in training tokens (64 concepts)")
        axis.set_ylabel("share of intervals that cover it")
        axis.set_ylim(min(0.8, rows["low"].min() - 0.02), 1)
        axis.legend(frameon=False, ncols=3, loc="lower left")
    low, high = rows["reported"].min(), rows["reported"].max()
    return Picture(
        figure,
        f"Coverage of the 95 % interval of the onset over {int(rows['worlds'].iloc[0])} worlds "
        f"each: between {low:.0%} and {high:.0%}.",
    )


def false_positives(table: pd.DataFrame) -> Picture:
    """How often each claim is made under permuted labels, with intervals; a rule's nominal rate is
    an upright mark. The rule's name stands over its row.

    - `table`: `meanings.book.tables.trust.false_positives`.
    """
    order = {"now": 0, "before": 1, "shown": 2, "spared": 3}
    rows = table.sort_values("version", key=lambda c: c.map(order), kind="stable")
    rows = rows.reset_index(drop=True)
    with canvas(1.2 + 0.33 * len(rows)) as (figure, axes):
        axis = axes[0, 0]
        for version, (label, colour, mark) in VERSIONS.items():
            some = rows[rows["version"] == version]
            spread = np.clip([some["rate"] - some["low"], some["high"] - some["rate"]], 0, None)
            style = {"fmt": mark, "color": colour, "ms": 4.5, "lw": 1.6, "label": label}
            axis.errorbar(some["rate"], some.index + 0.2, xerr=spread, **style)
        nominal = {"color": "#000000", "ms": 9, "mew": 1.4, "label": "nominal rate"}
        axis.plot(rows["nominal"], rows.index + 0.2, "|", **nominal)
        for row in rows.itertuples():
            axis.text(0, row.Index - 0.22, _rule(row), va="center", fontsize=8.9)
        axis.set_yticks([])
        axis.set_xscale("symlog", linthresh=0.1, linscale=1.2)
        axis.set_xticks([0, 0.05, 0.1, 0.3, 1], ["0", "5 %", "10 %", "30 %", "100 %"])
        axis.minorticks_off()
        axis.set_xlim(-0.005, 1.15)
        axis.set_ylim(len(rows) - 0.4, -0.6)
        axis.set_xlabel("share of permutations in which the claim is made")
        axis.grid(False, axis="y")
        layout = {"ncols": 2, "frameon": False, "columnspacing": 0.9, "handletextpad": 0.3}
        figure.legend(loc="outside lower center", fontsize=8.9, **layout)
    now = table[table["version"] == "now"]
    over = int((now["low"] > now["nominal"]).sum())
    worst = table[table["version"] == "before"].sort_values("rate").iloc[-1]
    return Picture(
        figure,
        f"False positives of {len(table)} rules over {int(table['shuffles'].min())} to "
        f"{int(table['shuffles'].max())} permutations. Of {len(now)} rules in use, {over} exceed "
        f"their nominal rate; of the rules given up, the worst claimed '{worst['claim']}' in "
        f"{worst['rate']:.0%} of permutations.",
    )


def _rule(row: Any) -> str:
    """A rule's name on its row, with its chapter where it is in use."""
    if row.version != "now":
        return row.claim
    return f"{row.claim} ({row.chapter.replace('_', ' ')})"
