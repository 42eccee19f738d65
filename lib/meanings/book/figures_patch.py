"""The drawing of one patch: two prompts, the layers above their query words, and the arrow between them."""

from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from meanings.book.figures import Picture, canvas, escape

SOURCE, TARGET, PLAIN = "#D55E00", "#0072B2", "#E6E6E6"


def patch_drawing(source_line: str, target_line: str, source_word: str, target_word: str, n_layers: int, first_layer: int, answer: str, others: str = "") -> Picture:
    """Source prompt below left, target prompt below right, a column of layers over each query word.

    Layers from `first_layer` on are overwritten in the target's column by the source's.
    """
    with canvas(3.7) as (figure, axes):
        axis = axes[0, 0]
        axis.set_axis_off()
        axis.set_xlim(0, 10)
        axis.set_ylim(-0.3 * n_layers - 0.9, n_layers + 1.7)
        for x, colour, written in ((2.1, SOURCE, True), (6.6, TARGET, False)):
            for layer in range(n_layers):
                taken = layer >= first_layer
                fill = SOURCE if taken else (PLAIN if written else TARGET)
                box = FancyBboxPatch((x - 0.55, layer + 0.1), 1.1, 0.72, boxstyle="round,pad=0.02", fc=fill, ec=colour, lw=1.1, alpha=1 if taken or not written else 0.9)
                axis.add_patch(box)
                dark = fill != PLAIN
                axis.text(x, layer + 0.46, f"layer {layer}", ha="center", va="center", fontsize=7, color="white" if dark else "#333333")
        for layer in range(first_layer, n_layers):
            axis.add_patch(FancyArrowPatch((2.75, layer + 0.46), (5.95, layer + 0.46), arrowstyle="-|>", mutation_scale=8, color=SOURCE, lw=1.1))
        axis.text(4.35, n_layers + 0.35, "concept vector", ha="center", fontsize=8.5, color=SOURCE)
        axis.text(2.1, n_layers + 1.05, "source prompt", ha="center", fontsize=9.5, color=SOURCE, weight="bold")
        axis.text(6.6, n_layers + 1.05, "target prompt", ha="center", fontsize=9.5, color=TARGET, weight="bold")
        axis.annotate("", (8.95, n_layers - 0.1), (7.2, n_layers - 0.5), arrowprops={"arrowstyle": "-|>", "color": "#333333", "lw": 1.1})
        axis.text(9.0, n_layers + 0.05, f"“{escape(answer)}”?", ha="center", va="bottom", fontsize=9)
        axis.text(2.1, -0.35, escape(source_word), ha="center", va="top", fontsize=10, weight="bold", color=SOURCE)
        axis.text(6.6, -0.35, escape(target_word), ha="center", va="top", fontsize=10, weight="bold", color=TARGET)
        axis.text(2.1, -0.1 * n_layers - 0.75, escape(source_line) + f"\n(cut there) {others}", ha="center", va="top", fontsize=8, color="#333333")
        axis.text(7.0, -0.1 * n_layers - 0.75, escape(target_line) + "\n(the answer follows the open quote)", ha="center", va="top", fontsize=8, color="#333333")
    return Picture(
        figure,
        f"Drawing: a column of {n_layers} layers over the source word {source_word} and one over the target word {target_word}; "
        f"arrows carry the source's vectors of layers {first_layer} to {n_layers - 1} into the target's column, and the answer is read there.",
    )
