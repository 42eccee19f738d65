"""The figure of P(source concept) by how a prompt's line is written."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from meanings.book.figures.curves import PROBABILITY
from meanings.book.figures.palette import CONDITIONS
from meanings.book.figures.style import Picture, canvas, escape
from meanings.core.formatting import span


def lines(
    found: pd.DataFrame, labels: Mapping[str, str], groups: Mapping[str, Sequence[str]]
) -> Picture:
    """A row per template, a mark per condition, with 95 % intervals; templates in named groups.

    - `found`: columns `template`, `condition`, `mean`, `low`, `high`; `labels`: how each template's
      line is written; `groups`: heading -> templates.
    """
    names = [name for name in CONDITIONS if name in set(found["condition"])]
    places, headings, row = {}, {}, 0
    for heading, templates in groups.items():
        headings[heading] = row
        places |= {name: row + 1 + i for i, name in enumerate(templates)}
        row += 1 + len(templates)
    with canvas(1.1 + 0.3 * row) as (figure, axes):
        axis = axes[0, 0]
        for index, name in enumerate(names):
            part = found[(found["condition"] == name) & found["template"].isin(list(places))]
            look = CONDITIONS[name]
            shift = 0.1 * (index - (len(names) - 1) / 2)
            axis.errorbar(
                part["mean"],
                np.array([places[template] for template in part["template"]]) + shift,
                xerr=[part["mean"] - part["low"], part["high"] - part["mean"]],
                color=look.colour,
                marker=look.mark or "|",
                ms=4.5,
                ls="",
                elinewidth=1.1,
                label=look.label,
            )
        for heading, place in headings.items():
            axis.text(0, place, heading, va="center", fontsize=9, weight="bold")
        axis.set_yticks(list(places.values()), [escape(labels[name]) for name in places])
        axis.tick_params(axis="y", length=0, labelsize=9)
        axis.set_ylim(row - 0.4, -0.6)
        axis.set_xlim(-0.02, 1.02)
        axis.set_xlabel("P(source concept)")
        figure.legend(loc="outside lower center", ncols=3, frameon=False, columnspacing=1.2)
    lead = found[found["condition"] == "seen"].set_index("template")
    said = "; ".join(
        f"{labels[name]} {span(*lead.loc[name, ['mean', 'low', 'high']])}"
        for name in places
        if name in lead.index
    )
    return Picture(
        figure,
        f"{PROBABILITY} by template, one mark per condition, with 95 % intervals. Of the "
        f"other-language mean: {said}.",
    )
