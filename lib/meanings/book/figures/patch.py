"""Drawings of the method: one patch between two prompts, and what a sweep of patches has to run."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import seaborn as sns
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from meanings.book.figures.style import Picture, canvas, drawable, escape

SOURCE, TARGET, PLAIN, INK = "#D55E00", "#0072B2", "#E6E6E6", "#333333"


class Column(NamedTuple):
    """A column of layers in the drawing: its title and colour, and where it stands."""

    title: str
    colour: str
    x: float


COLUMNS = (
    Column("source word", SOURCE, 1.5),
    Column("target word", TARGET, 5.1),
    Column("last quote", INK, 8.6),
)
HALF = 0.72  # of a box's width


def patch_drawing(
    source_line: str,
    target_line: str,
    source_word: str,
    target_word: str,
    n_layers: int,
    first_layer: int,
    answer: str,
    others: str = "",
) -> Picture:
    """A column of layers over the source prompt's query word, one over the target prompt's, and one
    over its last quote, where the answer is read.

    Layers from `first_layer` on are overwritten in the target word's column by the source's. At
    the last quote each layer attends to the outputs of the layer below at the target word.
    """
    lines = (
        (COLUMNS[0].x, f"{escape(source_line)}\n(source prompt, cut)\n{others}"),
        ((COLUMNS[1].x + COLUMNS[2].x) / 2, f"{escape(target_line)}\n(target prompt)"),
    )
    words = (source_word, target_word, '"')
    with canvas(3.9) as (figure, axes):
        axis = axes[0, 0]
        axis.set_axis_off()
        axis.set_xlim(0, 10)
        axis.set_ylim(-0.3 * n_layers - 0.9, n_layers + 2.4)
        for column, word in zip(COLUMNS, words, strict=True):
            for layer in range(n_layers):
                _layer(axis, column, layer, overwritten=layer >= first_layer)
            bold = {"ha": "center", "color": column.colour, "weight": "bold"}
            axis.text(column.x, n_layers + 0.25, column.title, fontsize=9.5, **bold)
            axis.text(column.x, -0.35, escape(word), va="top", fontsize=10.5, **bold)
        for x, line in lines:
            style = {"ha": "center", "va": "top", "fontsize": 9, "color": INK}
            axis.text(x, -0.12 * n_layers - 0.35, line, **style)
        for layer in range(first_layer, n_layers):
            _arrow(axis, COLUMNS[:2], (layer, layer), SOURCE)
        for layer in range(n_layers - 1):
            colour = SOURCE if layer >= first_layer else TARGET
            _arrow(axis, COLUMNS[1:], (layer, layer + 1), colour, dashed=True)
        _labels(axis, n_layers, answer)
    return Picture(
        figure,
        f"Drawing: three columns of {n_layers} layers, over the source word {source_word}, the "
        f"target word {target_word} and the target prompt's last quote. Arrows carry the source's "
        f"vectors of layers {first_layer} to {n_layers - 1} into the target word's column. Dashed "
        "arrows of attention lead from each layer there to the next layer over the last quote, "
        f"where the answer is read: {answer}.",
    )


def _labels(axis: Axes, n_layers: int, answer: str) -> None:
    """Words over the arrows, and the answer over the column that gives it."""
    source, target, last = (column.x for column in COLUMNS)
    style = {"ha": "center", "fontsize": 9}
    axis.text((source + target) / 2, n_layers + 1.0, "concept vector", color=SOURCE, **style)
    axis.text((target + last) / 2, n_layers + 1.0, "attention", color=INK, **style)
    out = {"arrowstyle": "-|>", "color": INK, "lw": 1.1}
    axis.annotate("", (last, n_layers + 1.6), (last, n_layers + 0.95), arrowprops=out)
    said = {"ha": "center", "va": "bottom", "fontsize": 10}
    axis.text(last, n_layers + 1.65, f"“{escape(answer)}”", **said)


def _layer(axis: Axes, column: Column, layer: int, *, overwritten: bool) -> None:
    """The box of one layer: the source's colour where its output is written, or comes from."""
    fill = PLAIN
    if column.colour != INK:
        fill = SOURCE if overwritten else PLAIN if column.colour == SOURCE else TARGET
    box = FancyBboxPatch(
        (column.x - HALF, layer + 0.1),
        2 * HALF,
        0.72,
        boxstyle="round,pad=0.02",
        fc=fill,
        ec=column.colour,
        lw=1.1,
    )
    axis.add_patch(box)
    style = {"ha": "center", "va": "center", "fontsize": 9}
    colour = INK if fill == PLAIN else "white"
    axis.text(column.x, layer + 0.46, f"layer {layer}", color=colour, **style)


def _arrow(
    axis: Axes,
    columns: tuple[Column, ...],
    layers: tuple[int, int],
    colour: str,
    *,
    dashed: bool = False,
) -> None:
    """From a layer of the first column to one of the second."""
    start, end = columns
    ends = (start.x + HALF + 0.08, layers[0] + 0.46), (end.x - HALF - 0.08, layers[1] + 0.46)
    style = {"arrowstyle": "-|>", "mutation_scale": 7, "color": colour, "lw": 1.0}
    axis.add_patch(FancyArrowPatch(*ends, **style, ls=(0, (3, 1.5)) if dashed else "-"))


def runs_drawing(n_tokens: int, position: int, n_layers: int, conditions: int) -> Picture:
    """How often each token is run through each layer: a whole forward for every first layer, and as
    the library does it.

    - `position`: of the patched token, from 0; `conditions`: how many vectors are patched into the
      prompt.
    """
    whole = np.full((n_layers, n_tokens), float(conditions * n_layers))
    shared = np.ones((n_layers, n_tokens))
    shared[:, position] += conditions  # once unpatched, once a vector
    for layer in range(n_layers):
        shared[layer, position + 1 :] += conditions * layer  # once for each first layer below it
    marks = [1, conditions + 1, conditions * n_layers]
    with canvas(4.8, rows=2) as (figure, axes):
        for axis, runs, title in zip(
            axes[:, 0],
            (whole, shared),
            ("a whole forward for every first layer", "what no patch changes is run once"),
            strict=True,
        ):
            ends = (0, n_layers - 1)
            names = [str(layer) if layer in ends else "" for layer in range(n_layers)]
            sns.heatmap(
                runs[::-1],
                ax=axis,
                cmap="Blues",
                norm=LogNorm(0.7, whole.max()),
                cbar_kws={"label": "runs of a token", "ticks": marks, "format": "%d"},
                yticklabels=names[::-1],
            )
            axis.set_title(f"{title}: {runs.sum() / n_layers:,.0f} passes")
            axis.set_ylabel("layer")
            axis.set_xlabel("tokens of the target prompt")
            axis.tick_params(length=0)
            axis.collections[0].colorbar.minorticks_off()
            axis.set_xticks(
                [0.5, position + 0.5, n_tokens - 0.5],
                ["first token", "patched", "last"],
                rotation=0,
            )
            for label, edge in zip(axis.get_xticklabels(), ("left", "right", "left"), strict=True):
                label.set_ha(edge)
    return Picture(
        figure,
        "Two grids of layers by tokens, coloured by how often a token is run through a layer for "
        f"{conditions} conditions and {n_layers} first layers. "
        f"Above, every one of {n_tokens} tokens is run {conditions * n_layers} times. Below, "
        "tokens before the patched one are run once, the patched one "
        f"{conditions + 1} times, and the {n_tokens - position - 1} after it more often the higher "
        f"the layer: {whole.sum() / n_layers:,.0f} against {shared.sum() / n_layers:,.0f} passes "
        "of a token through all layers.",
    )


def changes(moved: Float[np.ndarray, "layer token"], tokens: Sequence[str]) -> Picture:
    """How far each output moves: layers (rows, layer 0 at the bottom) by tokens of a line.

    - `moved`: as shares of the outputs' lengths, 0 = not at all.
    """
    values = moved
    with canvas(1.2 + 0.3 * len(values)) as (figure, axes):
        axis = axes[0, 0]
        percent = np.rint(100 * values[::-1]).astype(int)
        sns.heatmap(
            values[::-1],
            ax=axis,
            cmap="Blues",
            vmin=0,
            vmax=max(1.0, float(values.max())),
            cbar_kws={"label": "change (share of length)"},
            annot=np.where(percent > 0, percent.astype(str), ""),
            fmt="",
            annot_kws={"fontsize": 8},
            xticklabels=[escape(drawable(token, "?")) for token in tokens],
            yticklabels=list(range(len(values)))[::-1],
        )
        axis.set_ylabel("layer")
        axis.set_xlabel("tokens of the target prompt's last line (numbers: per cent)")
        axis.tick_params(length=0)
        axis.tick_params(axis="x", rotation=45)
        axis.tick_params(axis="y", rotation=0)
    most = values.max(axis=0)
    said = "; ".join(f"{token} {value:.0%}" for token, value in zip(tokens, most, strict=True))
    return Picture(
        figure,
        "Heatmap of how far a patch moves each output, by layer and token of the target prompt's "
        f"last line. Largest change of each token: {said}.",
    )
