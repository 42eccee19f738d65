"""Pictures of trained worlds: which words each language writes in which signs, in which order, and
what else a training has.

A panel is a world. A row is a language, a cell a word: its colour says whose signs, its letter what
the word means. Everything is read off the recipe, so that a world of one's own is drawn too.
"""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from meanings.book.figures.palette import SERIES
from meanings.book.figures.style import SMALL, Picture, canvas
from meanings.miniature.worlds import World

SHARED = "#4D4D4D"
COLUMNS = 3
MEANINGS = "ABCDEFGH"
HEAD = {"fontsize": 7.2, "ha": "center", "va": "center", "color": "#555555"}
SAID = {"fontsize": 7.6, "va": "center", "color": "#333333"}
TOUCHED, UNTOUCHED, LINE = 0.0, 1.2, 2.6  # left edges of the two words and of a line of three


def designs(worlds: Sequence[World]) -> Picture:
    """A panel for each world, in this order."""
    rows = -(-len(worlds) // COLUMNS)
    ordered = any(world.mix.clones.order != "natural" for world in worlds)
    with canvas(1.62 * rows + 0.3, rows, COLUMNS) as (figure, axes):
        for axis, world in zip(axes.ravel(), worlds, strict=False):
            _panel(axis, world, ordered)
        for axis in axes.ravel():
            axis.axis("off")
    said = "; ".join(f"{world.name}: {in_words(world)}" for world in worlds)
    return Picture(figure, f"Designs of {len(worlds)} trained worlds. {said}.")


def in_words(world: World) -> str:
    """What a world is, in words: `half of the words written alike, meanings differ; ...`."""
    clones, mix = world.mix.clones, world.mix
    parts = []
    if clones.signs == "shared":
        parts.append("all words written alike")
    elif clones.friends is not None:
        other = " with other meanings" if clones.friends.meaning == "other" else ""
        parts.append(f"{clones.friends.share:.0%} of the words written alike{other}")
    else:
        parts.append("no word written alike")
    if clones.meanings == "shuffled":
        parts.append("a clone's words mean something else")
    if clones.order != "natural":
        parts.append(f"a clone's own lines in {clones.order} order")
    parts.append(f"{mix.parallel_share:.0%} of the parallel documents in two languages")
    parts += [text for text in _extras(world) if text]
    return ", ".join(parts)


def _extras(world: World) -> list[str]:
    align, switch, steps = world.mix.align, world.mix.switch, world.mix.training.steps
    wrong = " (shuffled)" if align is not None and align.dictionary == "shuffled" else ""
    last = align.first_step + align.steps if align is not None else 0
    return [
        f"aligned, steps {align.first_step} to {last}{wrong}" if align is not None else "",
        f"{switch.share:.0%} of the places switched" if switch is not None else "",
        "switched words to be said" if switch is not None and switch.predict != "original" else "",
        f"{steps} steps",
    ]


def _panel(axis: Axes, world: World, ordered: bool) -> None:
    """- `ordered`: whether the order of words is shown."""
    clones = world.mix.clones
    codes = (clones.of, *clones.codes)
    axis.set_xlim(-0.85, 5.0)
    axis.set_ylim(6.6, -1.35)
    axis.text(-0.85, -1.0, world.name, fontsize=9, va="center", fontweight="bold")
    heads = [(TOUCHED, "half"), (UNTOUCHED, "other"), (LINE + 0.3, "order")]
    for x, text in heads if ordered else heads[:2]:
        axis.text(x + 0.5, -0.3, text, **HEAD)
    for place, code in enumerate(codes):
        own = SERIES[place]
        axis.text(-0.15, place + 0.45, code, fontsize=SMALL, ha="right", va="center")
        alike = clones.signs == "shared"
        friend = alike or clones.friends is not None
        moved = place if clones.meanings == "shuffled" else 0
        other = clones.friends is not None and clones.friends.meaning == "other"
        first = place if other else moved
        _word(axis, TOUCHED, place, SHARED if friend else own, MEANINGS[first % 4])
        _word(axis, UNTOUCHED, place, SHARED if alike else own, MEANINGS[4 + moved % 4])
        if ordered:
            _order(axis, place, clones.order if place else "natural")
    if world.mix.parallel_share:
        _side_by_side(axis, world, codes)
    _training(axis, world)


def _side_by_side(axis: Axes, world: World, codes: Sequence[str]) -> None:
    """A line between two languages that stand side by side in some document."""
    axis.text(LINE + 0.9, -0.3, "parallel", **HEAD)
    for place, pair in enumerate(world.mix.pairs):
        rows = [codes.index(code) + 0.45 for code in pair.split("-")]
        x = LINE + 0.4 * place + 0.3
        axis.plot([x, x], rows, "o-", color="#555555", ms=3, lw=1.1)


def _word(axis: Axes, x: Real, y: Real, colour: str, meaning: str) -> None:
    axis.add_patch(Rectangle((x, y), 1.0, 0.88, color=colour, lw=0))
    axis.text(x + 0.5, y + 0.46, meaning, color="white", fontsize=SMALL, ha="center", va="center")


def _order(axis: Axes, y: Real, order: str) -> None:
    said = {"natural": "1 2 3", "inverted": "3 2 1", "permuted": "2 3 1"}[order]
    axis.text(
        LINE + 0.8, y + 0.46, said, fontsize=SMALL, ha="center", va="center",
        color="#B33A00" if order != "natural" else "#555555",
    )  # fmt: skip


def _training(axis: Axes, world: World) -> None:
    """The bar of the training: when it is aligned, whether it is switched, how long it is."""
    mix = world.mix
    align, switch, steps = mix.align, mix.switch, mix.training.steps
    width, longest = 4.6, 2400
    axis.add_patch(Rectangle((-0.75, 4.45), width * steps / longest, 0.42, color="#D9D9D9", lw=0))
    if switch is not None:
        axis.add_patch(
            Rectangle(
                (-0.75, 4.45), width * steps / longest, 0.42, fill=False, hatch="////", lw=0,
                edgecolor="#009E73",
            )
        )  # fmt: skip
    if align is not None:
        wrong = align.dictionary == "shuffled"
        axis.add_patch(
            Rectangle(
                (-0.75 + width * align.first_step / longest, 4.45),
                width * align.steps / longest, 0.42,
                color="#8C8C8C" if wrong else "#D55E00", lw=0,
            )
        )  # fmt: skip
    axis.text(-0.75, 5.45, f"{steps} steps, {mix.parallel_share:.0%} parallel", **SAID)
    texts = []
    if align is not None:
        texts.append("aligned" + (" wrongly" if align.dictionary == "shuffled" else ""))
    if switch is not None:
        texts.append("switched" if switch.predict == "original" else "labels switched, too")
    axis.text(-0.75, 6.25, ", ".join(texts), **SAID)
