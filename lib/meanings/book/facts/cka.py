"""What the chapter CKA says."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from meanings.book.chapter_parameters import CompanionChapter
from meanings.book.facts import companions, wording
from meanings.book.tables import experiments
from meanings.core.formatting import span
from meanings.lexicon.languages import LANGUAGES
from meanings.measures.results import published
from meanings.statistics import reinitialisation
from meanings.statistics.companions import at_best, over_seeds
from meanings.statistics.effects import SMALLEST_EFFECT


def coverage(page: CompanionChapter, rows: pd.DataFrame, label: str) -> dict[str, object]:
    """What the page's rows are of."""
    return {"ck_label": label, "ck_words": companions.words(rows)}


def levels(
    curves: pd.DataFrame,
    floor: pd.DataFrame | None,
    biased: pd.DataFrame,
    unbiased: pd.DataFrame,
) -> dict[str, object]:
    """Heights at the end of training, beside the floor; and both estimates before training."""
    start = biased[biased["step"] == biased["step"].min()]
    right = unbiased[unbiased["step"] == unbiased["step"].min()]
    return {
        "ck_end": companions.at_end(curves),
        "ck_floor": companions.floor_at_end(floor),
        "ck_biased": f"{start['value'].mean():.2f}",
        "ck_unbiased": f"{right['value'].mean():.2f}",
    }


def moments(
    onset: pd.DataFrame, band: tuple[float, float] | None, rows: pd.DataFrame
) -> dict[str, object]:
    """When CKA rises, and whether that is before the onset of patching."""
    return {
        "ck_onset": companions.onset(onset, rows),
        "ck_before": companions.before(onset, band),
    }


def reset() -> dict[str, object]:
    """What a block that is reset costs the other languages more than the language trained on."""
    if not experiments.there("reinitialisation"):
        return {"ck_reset": "(Not measured.)"}
    gaps = reinitialisation.gaps(published("reinitialisation"))
    gaps = gaps[gaps["part"] == "gap"]
    rows = {True: [], False: []}
    for row in gaps.itertuples():
        effect = (
            f"block {row.block}, {LANGUAGES[row.source].name} {span(row.mean, row.low, row.high)}"
        )
        rows[row.low > SMALLEST_EFFECT].append(effect)
    costs = "; ".join(rows[True]) or "none"
    none = "; ".join(rows[False]) or "none"
    blocks = ", ".join(str(block) for block in sorted(gaps["block"].unique()))
    return {
        "ck_reset": (
            f"Of blocks {blocks}, resetting costs the other languages more than the language "
            f"trained on (difference of the losses above {SMALLEST_EFFECT:g}) for: {costs}. For "
            f"the others the cost is smaller, or not decided: {none}. One training run, "
            f"{int(gaps['n_units'].max())} held-out concepts."
        )
    }


def floors(world: pd.DataFrame | None) -> dict[str, object]:
    """The null of the world with nothing to share, which keeps length and frequency of words."""
    if world is None:
        return {"ck_apart_null": "(not published)"}
    chosen = at_best(world[world["step"] == world["step"].max()], "rbf")
    row = over_seeds(chosen).iloc[0]
    return {"ck_apart_null": span(row["null"], row["null_low"], row["null_high"])}


def claimed(claims: Sequence[Mapping[str, Any]]) -> dict[str, object]:
    """The statements of the chapter's claims."""
    return {
        f"ck_says_{name.removeprefix('cka_')}": text
        for name, text in wording.statements(claims).items()
    }


def the_paper(claims: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, str, str]]:
    """Rows of the table that sets the paper beside this page."""
    said = wording.statements(claims)
    return [
        (
            "Transfer to other languages needs the lower layers; the upper ones hardly matter "
            "(Muller et al.).",
            str(reset()["ck_reset"]),
            "in part",
            "Our score shows what other languages keep, in one training run and for one task; in "
            "the paper they never see the task.",
        ),
        (
            "States of parallel sentences in two languages are alike, most so in the middle layers "
            "of a multilingual encoder (Muller et al.).",
            said["cka_above_floor"],
            "in part",
            "We compare words, in a small model that reads left to right, and subtract what a "
            "model with nothing to share reaches.",
        ),
        (
            "CKA is read as a sign that languages are aligned.",
            said["cka_apart"],
            "in part",
            "Words of like frequency and length give two languages a like shape. With both "
            "regressed out, little is left.",
        ),
    ]
