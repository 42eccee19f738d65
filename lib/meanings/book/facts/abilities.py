"""What the chapter The order of abilities says."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pandas as pd

from meanings.book.facts import companions, wording
from meanings.core.formatting import amount
from meanings.statistics.companions import STEP, at_best, over_seeds
from meanings.statistics.companions import onsets as onsets_of

LABELS = {
    "copying": "copying",
    "translation": "translation",
    "association": "association",
    "category": "category, same language",
    "category_across": "category, other language",
}


def coverage(rows: pd.DataFrame, label: str) -> dict[str, object]:
    """What the page's rows are of."""
    return {"ab_label": label, "ab_words": companions.words(rows)}


def curves(rows: pd.DataFrame, languages: Collection[str], layer: int) -> pd.DataFrame:
    """Each ability above its null over training: `ability`, `tokens` and the columns of
    `over_seeds`.
    """
    parts = []
    for name in LABELS:
        rows_of = at_best(rows, name, languages, layer)
        ends = {end: rows_of[end] - rows_of["null"] for end in ("value", "low", "high")}
        parts.append(
            over_seeds(rows_of.assign(**ends), STEP).assign(ability=name, null=float("nan"))
        )
    return pd.concat(parts, ignore_index=True)


def onsets(rows: pd.DataFrame, languages: Collection[str], layer: int) -> pd.DataFrame:
    """When each ability has come half the way from its null to its final height, in the order of
    these moments: `ability`, `onset`, `interval`, both in tokens.
    """
    found = []
    for name, label in LABELS.items():
        chosen = at_best(rows, name, languages, layer)
        row = onsets_of(chosen, float(chosen["null"].mean())).iloc[0]
        ends = f"{amount(row['low'])} to {amount(row['high'])}"
        found.append((row["onset"], label, amount(row["onset"]), ends))
    found.sort()
    columns = ["ability", "onset", "interval"]
    return pd.DataFrame([row[1:] for row in found], columns=columns)


def ordered(order: pd.DataFrame) -> dict[str, object]:
    """The abilities in the order of their onsets, with intervals."""
    said = (f"{r.ability} ({r.onset} tokens, {r.interval})" for r in order.itertuples())
    return {"ab_order": "; ".join(said)}


def claimed(claims: Sequence[Mapping[str, Any]]) -> dict[str, object]:
    """The statements of the chapter's claims."""
    return {
        f"ab_says_{name.removeprefix('abilities_')}": text
        for name, text in wording.statements(claims).items()
    }


def the_paper(claims: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, str, str]]:
    """Rows of the table that sets the paper beside this page."""
    said = wording.statements(claims)
    return [
        (
            "A model learns each language early, and transfer between languages comes later and "
            "at different times (Blevins et al.).",
            said["abilities_in_first"],
            "not decided",
            "The delay across languages is small here, and its interval contains zero.",
        ),
        (
            "When an ability reaches across two languages differs between pairs (Blevins et al.).",
            said["abilities_held_out"],
            "in part",
            "Here we know one reason: what stands side by side in the text.",
        ),
    ]
