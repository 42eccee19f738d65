"""What the chapter Language identity and expert units says."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from meanings.book.facts import companions, wording
from meanings.book.tables import experiments
from meanings.core.formatting import span
from meanings.measures.results import published


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


def clamping() -> dict[str, object]:
    """Whether held expert units make texts name their category more often than held controls."""
    if not experiments.there("clamping"):
        return {"li_clamping": "(Not measured.)"}
    rows = published("clamping").astype({"variant": str})
    rows = rows[rows["step"] == rows["step"].max()]
    said = [
        _held(rows, variant, what)
        for variant, what in (
            ("category", "name a word of the category"),
            ("same", "are in the language in which the category's units were found"),
            ("language", "are in the language whose units are held"),
        )
    ]
    return {"li_clamping": " ".join(said) + " One training run."}


def _held(rows: pd.DataFrame, variant: str, what: str) -> str:
    """How much more often texts do something with the experts held than with the controls; the
    interval resamples the categories or languages whose units are held.
    """
    part = rows[rows["variant"] == variant]
    gaps = (part["value"] - part["null"]).groupby(part["target"].astype(str)).mean().to_numpy()
    rng = np.random.default_rng(0)
    drawn = gaps[rng.integers(len(gaps), size=(2000, len(gaps)))].mean(axis=1)
    value, (low, high) = float(gaps.mean()), np.quantile(drawn, [0.025, 0.975])
    clear = "more often" if low > 0 else "less often" if high < 0 else "not clearly more often"
    return (
        f"With the expert units held, texts {what} {clear} than with the control units "
        f"(difference {span(value, low, high)}, over {len(gaps)} sets of units)."
    )


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
            "Early on the language can be read off all layers; later it is harder to read in some "
            "layers (Riemenschneider and Frank).",
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
            "A part of the overlap is the alignment of single words, category or not.",
        ),
    ]
