"""What the page The miniature says."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from meanings.book.facts.wording import claim, plain_names
from meanings.book.tables import miniature as tables


def recipe(mix: dict, tiers: pd.DataFrame) -> dict[str, object]:
    """Size, languages and schedule.

    - `mix`: the training recipe; `tiers`: one row per language.
    """
    return {
        "mi_size": tables.size(mix),
        "mi_vocab": mix["model"]["vocab_size"],
        "mi_languages": len(tiers),
        "mi_unseen": int((tiers["tier"] == "unseen").sum()),
        "mi_pairs": len(mix["pairs"]),
        "mi_untaught": tables.untaught(mix),
        "mi_level": f"{mix['training']['decay_from']:.0%}",
        "mi_folds": mix["folds"],
        "mi_steps": mix["training"]["steps"],
        "mi_seeds": tables.seeds(),
        "mi_format": f"{tables.share_of(mix, tables.TEST_FORMAT):.0%}",
        "mi_running": f"{tables.share_of(mix, tables.RUNNING_TEXT):.0%}",
    }


def targets(report: pd.DataFrame) -> dict[str, object]:
    """How many of the targets set beforehand were met.

    - `report`: one row per measure, `met` yes or no.
    """
    met = int((report["met"] == "yes").sum())
    return {
        "mi_met": met,
        "mi_all": len(report),
        "mi_missed": plain_names(report.index[report["met"] == "no"]),
    }


def variants(tried: pd.DataFrame) -> dict[str, object]:
    """How many variants were tried, and the highest P(source) among them."""
    highest = tried["P(source)"].astype(float).max() if len(tried) else 0.0
    return {"mi_tried": len(tried), "mi_top": f"{highest:.2f}"}


def claims(rows: Sequence[Mapping[str, Any]]) -> dict[str, object]:
    """The chapter's claims.

    - `rows`: of `meanings.validity.claims.catalogue`.
    """
    return {
        "mi_translates": claim(rows, "miniature-translates"),
        "mi_never_beside": claim(rows, "miniature-never-beside"),
    }
