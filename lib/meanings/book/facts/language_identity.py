"""What the chapter Language identity and expert units says."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from meanings.book.facts import companions, wording


def coverage(rows: pd.DataFrame, label: str) -> dict[str, object]:
    """What the page's rows are of."""
    return {"li_label": label, "li_words": companions.words(rows)}


def levels(curves: pd.DataFrame, floor: pd.DataFrame | None) -> dict[str, object]:
    """Accuracy at the end of training, with shuffled labels, and at the floor."""
    last = curves[curves["tokens"] == curves["tokens"].max()].iloc[0]
    return {
        "li_end": f"{last['value']:.0%} of the words",
        "li_chance": f"{last['null']:.0%}",
        "li_floor": companions.floor_at_end(floor),
    }


def claimed(claims: Sequence[Mapping[str, Any]]) -> dict[str, object]:
    """The statements of the chapter's claims."""
    return {
        f"li_says_{name.removeprefix('identity_')}": text
        for name, text in wording.statements(claims).items()
    }


def the_paper(claims: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, str, str]]:
    """Rows of the table that sets the paper beside this page."""
    said = wording.statements(claims)
    return [
        (
            "The language of a text becomes harder to read off the states as training goes on "
            "(Riemenschneider and Frank).",
            said["identity_stays"],
            "no",
            "We read single words from the state of their last token; the paper reads longer "
            "texts of a larger model. A word's language follows from its letters and does not "
            "have to be inferred.",
        ),
        (
            "The same neurons come to answer to a concept in several languages.",
            said["identity_experts"],
            "in part",
            "The alignment of single words gives most of the overlap, category or not.",
        ),
    ]
