"""Figures of targeted query words: before and after a patch, and held against their controls."""

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.axes import Axes

from meanings.book.figures.palette import look
from meanings.book.figures.style import SMALL, Picture, canvas, label_ends, tokens_axis
from meanings.core.formatting import span
from meanings.statistics.targeted import KIND_NAMES

KIND_COLOURS = {"false_friend": "#D55E00", "polysemous": "#0072B2", "cognate": "#009E73"}
CONTROL = "#777777"
OUTCOME_NAMES = {"right": "right answers", "copied": "copies of the query word"}


def before_and_after(tables: Mapping[str, pd.DataFrame], outcome: str) -> Picture:
    """For each model, kind of word and its controls: the share of an outcome asked directly (open
    mark) and with the patch (filled mark).

    - `tables`: by model, `meanings.statistics.targeted.rates`.
    """
    with canvas(0.9 + 1.75 * len(tables), len(tables), sharex=True) as (figure, axes):
        for axis, (model, table) in zip(axes[:, 0], tables.items(), strict=True):
            _dumbbells(axis, table, outcome)
            axis.set_title(model)
        axis.set_xlabel(f"share of {OUTCOME_NAMES[outcome]}")
        axis.plot([], [], "o", color="black", mfc="white", label="asked directly")
        axis.plot([], [], "o", color="black", label="with the patch")
        handles = axis.get_legend_handles_labels()
        figure.legend(*handles, loc="outside lower center", ncols=2, frameon=False)
    said = "; ".join(
        f"{model}, {_name(row)}: {row[f'{outcome}_before']:.0%} asked directly, "
        f"{row[f'{outcome}_after']:.0%} with the patch"
        for model, table in tables.items()
        for _, row in table.iterrows()
    )
    return Picture(figure, f"Share of {OUTCOME_NAMES[outcome]} before and after a patch. {said}.")


def _name(row: pd.Series) -> str:
    name = KIND_NAMES[row["kind"]]
    return name if row["role"] == "query" else f"controls of {name}"


def _dumbbells(axis: Axes, table: pd.DataFrame, outcome: str) -> None:
    labels, place = [], 0.0
    for kind in KIND_NAMES:
        for role in ("query", "control"):
            own = table[(table["kind"] == kind) & (table["role"] == role)]
            if own.empty:
                continue
            row = own.iloc[0]
            colour = KIND_COLOURS[kind] if role == "query" else CONTROL
            ends = [row[f"{outcome}_before"], row[f"{outcome}_after"]]
            axis.plot(ends, [place] * 2, color=colour, lw=2.2, zorder=1)
            axis.plot(ends[0], place, "o", ms=6.5, color=colour, mfc="white", mew=1.5)
            axis.plot(ends[1], place, "o", ms=6.5, color=colour)
            words = KIND_NAMES[kind] if role == "query" else "their controls"
            labels.append((place, f"{words} (n = {row['n']:.0f})"))
            place += 0.8 if role == "query" else 1.3
    axis.set_yticks(*map(list, zip(*labels, strict=True)))
    axis.set_ylim(place - 0.8, -0.7)
    axis.set_xlim(-0.03, 1.03)
    axis.grid(False, axis="y")


def differences(tables: Mapping[str, pd.DataFrame], conditions: Sequence[str]) -> Picture:
    """For each model, kind of word and condition: the change of accuracy, less that of the
    controls, with its interval; 0 means that the patch does to them what it does to plain words.

    - `tables`: by model, rows of `meanings.statistics.targeted.compared` with `condition`.
    """
    with canvas(0.9 + 2.1 * len(tables), len(tables), sharex=True) as (figure, axes):
        for axis, (model, table) in zip(axes[:, 0], tables.items(), strict=True):
            rows = table[table["what"] == "difference"]
            _intervals(axis, rows, conditions)
            axis.set_title(model)
        axis.set_xlabel("change of accuracy minus that of the controls")
        handles = axes[0, 0].get_legend_handles_labels()
        figure.legend(*handles, loc="outside lower center", ncols=3, frameon=False)
    said = "; ".join(
        f"{model}, {KIND_NAMES[row['kind']]} under {row['condition']}: "
        f"{span(row['mean'], row['low'], row['high'])}"
        for model, table in tables.items()
        for _, row in table[table["what"] == "difference"].iterrows()
    )
    return Picture(figure, f"Differences to the controls with intervals. {said}.")


def _intervals(axis: Axes, rows: pd.DataFrame, conditions: Sequence[str]) -> None:
    kinds = [kind for kind in KIND_NAMES if kind in set(rows["kind"])]
    labels = []
    for place, kind in enumerate(kinds):
        own = rows[rows["kind"] == kind].set_index("condition")
        labels.append(f"{KIND_NAMES[kind]} (n = {own['n'].max():.0f})")
        for step, name in enumerate(conditions):
            if name not in own.index:
                continue
            row, drawn = own.loc[name], look(name)
            height = place + 0.24 * (step - (len(conditions) - 1) / 2)
            axis.plot([row["low"], row["high"]], [height] * 2, color=drawn.colour, lw=1.8)
            if row["n"] < own["n"].max():
                said = {"transform": axis.get_yaxis_transform(), "va": "center", "fontsize": SMALL}
                axis.text(1.01, height, f"n = {row['n']:.0f}", **said)
            axis.plot(
                row["mean"],
                height,
                drawn.mark,
                color=drawn.colour,
                ms=5,
                label=name if place == 0 else None,
            )
    axis.axvline(0, color="black", lw=0.8)
    axis.set_yticks(range(len(kinds)), labels)
    axis.set_ylim(len(kinds) - 0.5, -0.5)
    axis.grid(False, axis="y")


def over_training(table: pd.DataFrame) -> Picture:
    """The difference to the controls over training, one line per kind of word, with intervals.

    - `table`: of `meanings.statistics.targeted.over_training`.
    """
    rows = table[table["what"] == "difference"].sort_values("tokens")
    ends, said = [], []
    with canvas(2.9) as (figure, axes):
        axis = axes[0, 0]
        tokens_axis(axis, rows["tokens"])
        axis.set_xlim(left=rows["tokens"].min() * 0.85)
        for kind in KIND_NAMES:
            own = rows[rows["kind"] == kind]
            colour = KIND_COLOURS[kind]
            axis.plot(own["tokens"], own["mean"], "o-", color=colour, ms=4)
            axis.fill_between(own["tokens"], own["low"], own["high"], color=colour, alpha=0.13)
            name = f"{KIND_NAMES[kind]}\n(n = {own['n'].max():.0f})"
            ends.append((float(own["mean"].iloc[-1]), name, colour))
            said.append(f"{KIND_NAMES[kind]} {span(*own.iloc[-1][['mean', 'low', 'high']])}")
        axis.axhline(0, color="black", lw=0.8)
        axis.set_ylabel("change of accuracy\nminus that of the controls")
        label_ends(axis, ends, gap=0.17)
    return Picture(
        figure,
        "Differences to the controls over training, with intervals. At the last checkpoint: "
        f"{'; '.join(said)}.",
    )
