"""Figures of gains and losses taken apart by kind."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.ticker import MaxNLocator

from meanings.book.figures.answers import ink
from meanings.book.figures.style import Picture, canvas, tokens_axis
from meanings.core.formatting import span
from meanings.labels.gains import KINDS

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
    names = table[of].astype(str)
    lead = table[~names.str.contains("null")] if (~names.str.contains("null")).any() else table
    reach = max(
        0.06,
        float(lead[lead["kind"] == "all"][["mean", "low", "high"]].abs().to_numpy().max()) * 1.1,
    )
    with canvas(1.7 + 0.46 * len(groups)) as (figure, axes):
        axis = axes[0, 0]
        for place, group in enumerate(groups):
            rows = table[table[of].astype(str) == group].set_index(["change", "kind"])
            for change, sign in (("loss", -1), ("gain", 1)):
                left = 0.0
                for kind in KINDS:
                    width = sign * float(rows["mean"].get((change, kind), 0.0))
                    label = TITLES[kind] if place == 0 and change == "gain" else None
                    axis.barh(
                        place,
                        width,
                        left=left,
                        height=0.62,
                        color=KIND_COLOURS[kind],
                        edgecolor="white",
                        lw=0.8,
                        label=label,
                    )
                    shown = (
                        min(left + width, reach) - left
                        if sign > 0
                        else max(left + width, -reach) - left
                    )
                    if sign * shown >= 0.1 * reach:
                        axis.text(
                            left + shown / 2,
                            place,
                            f"{abs(width):.0%}",
                            ha="center",
                            va="center",
                            fontsize=7.5,
                            color=ink(KIND_COLOURS[kind]),
                        )
                    left += width
            net = rows.loc[("net", "all")]
            if abs(net["mean"]) < reach:
                axis.plot(
                    [net["low"], net["high"]],
                    [place - 0.4] * 2,
                    color="black",
                    lw=1.6,
                    solid_capstyle="butt",
                )
                axis.plot(
                    net["mean"],
                    place - 0.4,
                    "D",
                    ms=4.5,
                    color="black",
                    label="net change, with interval" if place == 0 else None,
                )
            else:
                axis.text(
                    -reach,
                    place - 0.38,
                    f" ◂ net {net['mean']:.0%} [{net['low']:.0%}, {net['high']:.0%}]".replace(
                        "-", "−"
                    ),
                    ha="left",
                    va="center",
                    fontsize=7,
                )
        axis.axvline(0, color="black", lw=0.9)
        axis.set_yticks(range(len(groups)), groups)
        axis.invert_yaxis()
        axis.set_xlim(-reach, reach)
        axis.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
        axis.xaxis.set_major_formatter(lambda value, _: f"{100 * abs(value):.3g} %")
        axis.set_xlabel(f"← lost    {xlabel}    gained →", fontsize=8.5)
        axis.grid(False, axis="y")
        figure.legend(
            *axis.get_legend_handles_labels(),
            loc="outside lower center",
            ncols=2,
            frameon=False,
            handlelength=1.1,
            columnspacing=1.0,
        )
    said = []
    for group in groups:
        rows = table[table[of].astype(str) == group].set_index(["change", "kind"])
        parts = ", ".join(
            f"{kind} {rows['mean'][('gain', kind)]:.0%}"
            for kind in KINDS
            if rows["mean"].get(("gain", kind), 0) >= 0.005
        )
        said.append(
            f"{group}: gained {rows['mean'][('gain', 'all')]:.0%} ({parts or 'nothing'}), lost "
            f"{rows['mean'][('loss', 'all')]:.0%}, net "
            f"{span(*rows.loc[('net', 'all'), ['mean', 'low', 'high']])}"
        )
    return Picture(figure, f"Stacked bars of gains and losses by kind. {'; '.join(said)}.")


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
