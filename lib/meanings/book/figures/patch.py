"""Drawings of the method: one patch between two prompts, and what a sweep of patches has to run."""

from typing import NamedTuple

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from meanings.book.figures.style import Picture, canvas, escape

SOURCE, TARGET, PLAIN, INK = "#D55E00", "#0072B2", "#E6E6E6", "#333333"


class Column(NamedTuple):
    """A column of layers in the drawing: its title and colour, and where it and its line stand."""

    title: str
    colour: str
    x: float
    line_x: float


COLUMNS = (Column("source prompt", SOURCE, 2.1, 2.1), Column("target prompt", TARGET, 6.6, 7.0))


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
    """Source prompt below left, target prompt below right, a column of layers over each query word.

    Layers from `first_layer` on are overwritten in the target's column by the source's.
    """
    lines = (
        f"{escape(source_line)}\n(cut there) {others}",
        f"{escape(target_line)}\n(the answer follows the open quote)",
    )
    with canvas(3.7) as (figure, axes):
        axis = axes[0, 0]
        axis.set_axis_off()
        axis.set_xlim(0, 10)
        axis.set_ylim(-0.3 * n_layers - 0.9, n_layers + 1.7)
        for column, word, line in zip(COLUMNS, (source_word, target_word), lines, strict=True):
            for layer in range(n_layers):
                _layer(axis, column, layer, overwritten=layer >= first_layer)
            bold = {"ha": "center", "color": column.colour, "weight": "bold"}
            axis.text(column.x, n_layers + 1.05, column.title, fontsize=9.5, **bold)
            axis.text(column.x, -0.35, escape(word), va="top", fontsize=10, **bold)
            style = {"ha": "center", "va": "top", "fontsize": 8, "color": INK}
            axis.text(column.line_x, -0.1 * n_layers - 0.75, line, **style)
        for layer in range(first_layer, n_layers):
            _arrow(axis, layer)
        axis.text(4.35, n_layers + 0.35, "concept vector", ha="center", fontsize=8.5, color=SOURCE)
        out = {"arrowstyle": "-|>", "color": INK, "lw": 1.1}
        axis.annotate("", (8.95, n_layers - 0.1), (7.2, n_layers - 0.5), arrowprops=out)
        said = f"“{escape(answer)}”?"
        axis.text(9.0, n_layers + 0.05, said, ha="center", va="bottom", fontsize=9)
    return Picture(
        figure,
        f"Drawing: a column of {n_layers} layers over the source word {source_word} and one over "
        f"the target word {target_word}; "
        f"arrows carry the source's vectors of layers {first_layer} to {n_layers - 1} into the "
        "target's column, and the answer is read there.",
    )


def _layer(axis: Axes, column: Column, layer: int, *, overwritten: bool) -> None:
    """The box of one layer: the source's colour where its output is written, or comes from."""
    source = column.colour == SOURCE
    fill = SOURCE if overwritten else (PLAIN if source else TARGET)
    box = FancyBboxPatch(
        (column.x - 0.55, layer + 0.1),
        1.1,
        0.72,
        boxstyle="round,pad=0.02",
        fc=fill,
        ec=column.colour,
        lw=1.1,
        alpha=1 if overwritten or not source else 0.9,
    )
    axis.add_patch(box)
    style = {"ha": "center", "va": "center", "fontsize": 7}
    colour = INK if fill == PLAIN else "white"
    axis.text(column.x, layer + 0.46, f"layer {layer}", color=colour, **style)


def _arrow(axis: Axes, layer: int) -> None:
    """From the source's layer to the target's."""
    ends = (2.75, layer + 0.46), (5.95, layer + 0.46)
    style = {"arrowstyle": "-|>", "mutation_scale": 8, "color": SOURCE, "lw": 1.1}
    axis.add_patch(FancyArrowPatch(*ends, **style))


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
