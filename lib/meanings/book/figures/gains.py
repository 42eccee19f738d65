"""Figures of gains and losses taken apart by kind."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from meanings.book.figures.answers import ink
from meanings.book.figures.style import SMALL, Picture, canvas, tokens_axis
from meanings.core.formatting import span
from meanings.labels.gains import KINDS
from meanings.patching.conditions import NULLS

KIND_COLOURS = {
    "translation": "#0072B2",
    "sense": "#009E73",
    "copying": "#F0E442",
    "language": "#D55E00",
    "form": "#56B4E9",
    "prompt": "#E69F00",
}
TITLES = {
    "translation": "translation: the word was not found",
    "sense": "sense, broader or narrower",
    "copying": "copying, homograph",
    "language": "wrong language",
    "form": "other form",
    "prompt": "target prompt's concept",
}


def gains_and_losses(
    table: pd.DataFrame,
    groups: Sequence[str],
    *,
    of: str = "group",
    xlabel: str = "share of concept pairs",
) -> Picture:
    """Losses to the left of zero, gains to the right, stacked by kind; the diamond is the net
    change with its interval.

    A null loses nearly all that was right; its bar is cut off where the others end, and says how
    much it is.

    - `table`: `of`, `change` (gain, loss, net), `kind`, `mean`, `low`, `high` (shares, 0 to 1).
    """
    rows = {
        group: table[table[of].astype(str) == group].set_index(["change", "kind"])
        for group in groups
    }
    limit = _widest(table, table[of].astype(str))
    with canvas(1.7 + 0.46 * len(groups)) as (figure, axes):
        axis = axes[0, 0]
        for place, group in enumerate(groups):
            for change in ("loss", "gain"):
                _kinds(axis, place, rows[group], change, limit)
            _net(axis, place, rows[group].loc[("net", "all")], limit)
        axis.axvline(0, color="black", lw=0.9)
        axis.set_yticks(range(len(groups)), groups)
        axis.invert_yaxis()
        axis.set_xlim(-limit, limit)
        axis.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
        axis.xaxis.set_major_formatter(lambda value, _: f"{100 * abs(value):.3g} %")
        axis.set_xlabel(f"← lost    {xlabel}    gained →", fontsize=SMALL)
        axis.grid(False, axis="y")
        layout = {"ncols": 2, "frameon": False, "handlelength": 1.1, "columnspacing": 1.0}
        figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", **layout)
    said = "; ".join(f"{group}: {_in_words(rows[group])}" for group in groups)
    return Picture(figure, f"Stacked bars of gains and losses by kind. {said}.")


def _widest(table: pd.DataFrame, names: pd.Series) -> float:
    """How far the axis goes to either side: as far as what is no null."""
    # A group is named as `Gemma: null_concept (n = 64)`.
    null = names.map(lambda name: name.split(": ")[-1].split(" (")[0] in NULLS)
    lead = table if null.all() else table[~null]
    sizes = lead[lead["kind"] == "all"][["mean", "low", "high"]].abs().to_numpy()
    return max(0.06, float(sizes.max()) * 1.1)


def _kinds(axis: Axes, place: int, rows: pd.DataFrame, change: str, limit: float) -> None:
    """The gains, or the losses, of one group, stacked by kind."""
    sign = 1 if change == "gain" else -1
    left = 0.0
    for kind in KINDS:
        width = sign * float(rows["mean"].get((change, kind), 0.0))
        axis.barh(
            place,
            width,
            left=left,
            height=0.62,
            color=KIND_COLOURS[kind],
            edgecolor="white",
            lw=0.8,
            label=TITLES[kind] if place == 0 and change == "gain" else None,
        )
        shown = float(np.clip(left + width, -limit, limit)) - left
        text = f"{abs(width):.0%}"
        if sign * shown >= 0.07 * len(text) * limit:  # as wide as the text
            style = {"ha": "center", "va": "center", "fontsize": SMALL}
            colour = ink(KIND_COLOURS[kind])
            axis.text(left + shown / 2, place, text, color=colour, **style)
        left += width


def _net(axis: Axes, place: int, net: pd.Series, limit: float) -> None:
    """The net change as a diamond with its interval, or in words where it lies beyond the axis."""
    if abs(net["mean"]) < limit:
        ends = [net["low"], net["high"]]
        axis.plot(ends, [place - 0.4] * 2, color="black", lw=1.6, solid_capstyle="butt")
        label = "net change, with interval" if place == 0 else None
        axis.plot(net["mean"], place - 0.4, "D", ms=4.5, color="black", label=label)
        return
    text = f" ◂ net {net['mean']:z.0%} [{net['low']:z.0%}, {net['high']:z.0%}]".replace("-", "−")
    axis.text(-limit, place - 0.38, text, ha="left", va="center", fontsize=SMALL)


def _in_words(rows: pd.DataFrame) -> str:
    mean = rows["mean"]
    parts = ", ".join(
        f"{kind} {mean[('gain', kind)]:.0%}"
        for kind in KINDS
        if mean.get(("gain", kind), 0) >= 0.005
    )
    net = span(*rows.loc[("net", "all"), ["mean", "low", "high"]])
    return (
        f"gained {mean[('gain', 'all')]:.0%} ({parts or 'nothing'}), lost "
        f"{mean[('loss', 'all')]:.0%}, net {net}"
    )


def gains_over_training(table: pd.DataFrame) -> Picture:
    """Gains by kind over training tokens, stacked; the dashed line is all losses.

    - `table`: `tokens`, `change`, `kind`, `mean`.
    """
    gains = table[(table["change"] == "gain") & (table["kind"] != "all")].pivot_table(
        index="tokens", columns="kind", values="mean"
    )
    kinds = [kind for kind in KINDS if kind in gains and gains[kind].max() > 0]
    losses = table[(table["change"] == "loss") & (table["kind"] == "all")].sort_values("tokens")
    with canvas(3.3) as (figure, axes):
        axis = axes[0, 0]
        tokens_axis(axis, gains.index)
        if kinds:
            axis.stackplot(
                gains.index,
                *(gains[kind] for kind in kinds),
                colors=[KIND_COLOURS[kind] for kind in kinds],
                labels=[TITLES[kind] for kind in kinds],
                lw=0,
            )
        axis.plot(
            losses["tokens"],
            losses["mean"],
            color="black",
            ls=(0, (4, 2)),
            lw=1.4,
            label="all losses",
        )
        axis.fill_between(
            losses["tokens"], losses["low"], losses["high"], color="black", alpha=0.1, lw=0
        )
        axis.set_ylim(0, None)
        axis.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
        axis.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.3g} %")
        axis.set_ylabel("share of concept pairs")
        figure.legend(
            *axis.get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False
        )
    last = gains.iloc[-1]
    said = ", ".join(f"{kind} {last[kind]:.1%}" for kind in kinds) or "none"
    return Picture(
        figure,
        "Stacked areas of gains by kind over training tokens, with all losses as a dashed line. "
        f"At the last checkpoint gains are {said}; losses {losses['mean'].iloc[-1]:.1%}.",
    )
