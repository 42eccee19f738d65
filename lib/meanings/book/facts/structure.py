"""What the chapter Structure: categories and relations says."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pandas as pd

from meanings.book.facts import companions, wording
from meanings.book.tables import experiments
from meanings.core.formatting import span
from meanings.measures.results import published
from meanings.statistics.companions import at_best, at_layer, over_seeds
from meanings.validity.claims.companion_estimates import TRAINED


def coverage(rows: pd.DataFrame, label: str) -> dict[str, object]:
    """What the page's rows are of."""
    return {"st_label": label, "st_words": companions.words(rows)}


def levels(
    curves: pd.DataFrame, within: pd.DataFrame, floor: pd.DataFrame | None
) -> dict[str, object]:
    """RSA at the end of training between languages, within one, and at the floor."""
    last = curves[curves["tokens"] == curves["tokens"].max()].iloc[0]
    own = over_seeds(at_layer(within[within["step"] == within["step"].max()])).iloc[0]
    return {
        "st_end": span(last["value"], last["low"], last["high"]),
        "st_within": span(own["value"], own["low"], own["high"]),
        "st_floor": companions.floor_at_end(floor),
    }


def moments(
    onset: pd.DataFrame, band: tuple[float, float] | None, rows: pd.DataFrame
) -> dict[str, object]:
    """When RSA rises, and whether that is before the onset of patching."""
    return {
        "st_onset": companions.onset(onset, rows),
        "st_before": companions.before(onset, band),
    }


def relations(languages: Collection[str]) -> dict[str, object]:
    """Which comparison of steps lies above its null."""
    table = experiments.relations(languages)
    if table.empty:
        return {"st_relations": "(Not measured.)"}
    said = "; ".join(
        f"{relation}, {row['compared']}: {row['value']}, null up to {row['null up to']}"
        for relation, row in table.iterrows()
    )
    return {
        "st_relations": (
            f"At the last checkpoint: {said}. A few frequent words are associates of many "
            "concepts, so the agreement of the mean step of associates may be frequency. Only the "
            "step of the same pair shows which concept belongs to which; its null is high because "
            "both languages hold the same concept."
        )
    }


def mapped() -> str:
    """How often a linear map learned on other concepts leads a word to its category."""
    rows = published("structure", where={"model": ["miniature"]})
    chosen = at_best(rows[rows["step"] == rows["step"].max()], "nearest", TRAINED)
    row = over_seeds(chosen).iloc[0]
    value = span(row["value"], row["low"], row["high"])
    return (
        f"A linear map learned on other concepts leads {value} of the words to the prototype of "
        f"their category; always naming the largest category is right for {row['null']:.2f}."
    )


def claimed(claims: Sequence[Mapping[str, Any]]) -> dict[str, object]:
    """The statements of the chapter's claims."""
    return {
        f"st_says_{name.removeprefix('structure_')}": text
        for name, text in wording.statements(claims).items()
    }


def the_paper(claims: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, str, str]]:
    """Rows of the table that sets the paper beside this page."""
    said = wording.statements(claims)
    return [
        (
            "Grammatical concepts have a similar structure in the spaces of different languages "
            "(Xu et al.).",
            said["structure_above"],
            "yes",
            "Our concepts are categories of words and not grammatical classes.",
        ),
        (
            "A linear map learned on some concepts of two languages carries over to others.",
            mapped(),
            "yes",
            "Words of other concepts are mapped, in one training run.",
        ),
    ]
