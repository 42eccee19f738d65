"""One way of drawing for the whole book: sizes, axes, labels, and the words beside each picture.

A figure is as wide as a phone shows without shrinking its letters, has a transparent background (a
dark page inverts its lightness and keeps its hues, see book/_static/book.css), names its units, and
carries an alternative text made from the same table.
Colours and marks are in `palette`.
"""

import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from numbers import Real

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from meanings.core.formatting import amount, unsigned_zeros

WIDTH = 4.8  # inches: letters of 9 points stay readable where the picture is 350 CSS pixels wide
DPI = 220
SMALL = 8.9  # points, the smallest letters: 9 CSS pixels where a picture is 350 wide


@dataclass(frozen=True)
class Picture:
    """A figure and the words that stand for it where it cannot be seen."""

    figure: Figure
    alt: str

    def png(self, ground: str = "none", comment: str | None = None) -> bytes:
        """The figure as PNG, without dates, so that the same table gives the same bytes.

        - `ground`: the colour behind it; `comment`: a text that the file carries.
        """
        buffer = io.BytesIO()
        if self.figure.get_layout_engine() is not None:
            # Laid out once: each further drawing would move things a little from where the last one
            # left them.
            self.figure.draw_without_rendering()
            self.figure.set_layout_engine("none")
        self.figure.savefig(
            buffer,
            format="png",
            dpi=DPI,
            facecolor=ground,
            transparent=ground == "none",
            metadata={"Software": None, "Comment": comment},
        )
        return buffer.getvalue()

    def show(self, caption: str, name: str) -> None:
        """Display the figure in a notebook; caption, name and alt text travel beside the image to
        the page. In a notebook that is read without the book's packages the caption stands below.
        """
        from IPython.display import Markdown, display

        words = {
            "alt": unsigned_zeros(" ".join(self.alt.split())),
            "caption": unsigned_zeros(" ".join(caption.split())),
            "name": name,
        }
        display(
            {"image/png": self.png(), "text/plain": words["alt"]},
            # A notebook in a dark theme puts a light ground behind the dark letters.
            metadata={"meanings": words, "needs_background": "light"},
            raw=True,
        )
        if not has_book_packages():
            display(Markdown(words["caption"]))
        plt.close(self.figure)


def has_book_packages() -> bool:
    """Whether the packages are there that put captions and values of prose on a page."""
    try:
        return find_spec("myst_nb") is not None
    except ModuleNotFoundError:
        return False


@contextmanager
def canvas(
    height: Real, rows: int = 1, columns: int = 1, **options
) -> Iterator[tuple[Figure, np.ndarray]]:
    """A figure of the book's width and its axes (always an array), drawn in the book's style."""
    style = {
        "font.size": 9,
        "axes.titlesize": 9.5,
        "axes.labelsize": 9,
        "xtick.labelsize": SMALL,
        "ytick.labelsize": SMALL,
        "legend.fontsize": SMALL,
        "axes.grid": True,
        "grid.color": "#E3E3E3",
        "grid.linewidth": 0.6,
        "axes.axisbelow": True,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlelocation": "left",
        "font.family": ["DejaVu Sans"],
    }
    with sns.axes_style("white"), plt.rc_context(style):
        figure, axes = plt.subplots(
            rows,
            columns,
            figsize=(WIDTH, height),
            dpi=DPI,  # letters are a little wider than at another resolution
            squeeze=False,
            layout="constrained",
            **options,
        )
        yield figure, axes


def tokens_axis(axis: Axes, tokens: Iterable[Real]) -> None:
    """Training tokens on a logarithmic axis on which step 0 has a place of its own, at the left
    edge.
    """
    positive = sorted({float(t) for t in tokens if t > 0})
    first, last = (positive[0], positive[-1]) if positive else (1.0, 10.0)
    axis.set_xscale("symlog", linthresh=first, linscale=0.5)
    steps = (1, 3) if last / first < 1000 else (1,)
    rounds = [
        k * 10.0**e
        for e in range(int(np.floor(np.log10(first))), int(np.ceil(np.log10(last))) + 1)
        for k in steps
    ]
    ticks = [tick for tick in rounds if first * 1.25 <= tick <= last * 1.05] or [first]
    axis.set_xticks([0.0, *ticks], ["0", *(amount(t) for t in ticks)])
    axis.minorticks_off()
    axis.set_xlim(-first * 0.12, last * 1.15)
    axis.set_xlabel("training tokens (log axis; 0 is before training)")


def label_ends(axis: Axes, ends: Sequence[tuple[Real, str, str]], gap: float = 0.062) -> None:
    """Direct labels at the right edge: (height, text, colour), pushed apart by `gap` of the axis'
    height, order kept.
    """
    places = pushed_apart([float(height) for height, _, _ in ends], *axis.get_ylim(), gap)
    for place, (height, text, colour) in zip(places, ends, strict=True):
        leader = {"arrowstyle": "-", "color": colour, "lw": 0.5, "alpha": 0.6}
        axis.annotate(
            text,
            (1.0, height),
            (1.025, place),
            xycoords=axis.get_yaxis_transform(),
            textcoords=axis.get_yaxis_transform(),
            va="center",
            color=colour,
            fontsize=SMALL,
            annotation_clip=False,
            arrowprops=leader | {"shrinkA": 0, "shrinkB": 0},
        )


def pushed_apart(heights: Sequence[float], low: float, high: float, gap: float) -> list[float]:
    """Places for labels at these heights: in the same order, `gap` (a share of high - low) apart,
    within the axis where there is room.
    """
    spread = gap * (high - low)
    order = sorted(range(len(heights)), key=lambda i: heights[i])
    places = [0.0] * len(heights)
    below = low - spread
    for i in order:
        places[i] = below = max(heights[i], below + spread)
    above = high + spread
    for i in reversed(order):
        places[i] = above = min(places[i], above - spread)
    return places


def hundredths(value: float) -> str:
    """A number of -1 to 1 as short as a cell of a heatmap needs it: `.64`, `-.03`, `1.0`; empty
    where missing.
    """
    if np.isnan(value):
        return ""
    text = f"{value:z.2f}"
    return text[:-1] if abs(value) >= 0.995 else text.replace("0.", ".", 1)


def escape(text: str) -> str:
    """Text for a figure or a table cell: `$` and control characters would be read as markup or
    break the line.
    """
    return "".join(c if c.isprintable() else "·" for c in str(text)).replace("$", r"\$")


def drawable(text: str, instead: str) -> str:
    """The text, or `instead` where the figures' font lacks one of its letters."""
    from matplotlib.font_manager import findfont, get_font

    letters = get_font(findfont("DejaVu Sans")).get_charmap()
    return (
        text if all(ord(letter) in letters for letter in text if letter.isprintable()) else instead
    )
