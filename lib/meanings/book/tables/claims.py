"""The book's claims as a page shows them."""

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from meanings.core.formatting import unbroken

# What is resampled is said where intervals are explained; claims about constructed networks or
# permutations have no concepts.
HEADINGS = ("verdict", "claim", "estimate", "smallest effect", "n", "by training run", "chapter")


def claims_table(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """One row per claim of `meanings.validity.claims.catalogue`, in words."""
    found = [
        (
            row["verdict"],
            row["statement"],
            unbroken(estimate(row)),
            f"{row['smallest_effect']:g}",
            counts(row),
            runs(row["by_seed"]),
            row["chapter"].replace("_", " "),
        )
        for row in rows
    ]
    return pd.DataFrame(found, columns=list(HEADINGS)).set_index("verdict")


def verdicts(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """How many claims of each chapter hold, are refuted or undecided; the last row is their sum."""
    found = pd.DataFrame(
        [(row["chapter"].replace("_", " "), row["verdict"]) for row in rows],
        columns=["chapter", "verdict"],
    )
    counts = found.value_counts().unstack(fill_value=0).reindex(found["chapter"].unique())
    counts = counts.reindex(columns=["holds", "undecided", "refuted"], fill_value=0)
    counts.loc["together"] = counts.sum()
    return counts.rename_axis(columns=None)


def refutations(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """By claim, what result would refute it."""
    found = [(row["id"], row["refuted_by"]) for row in rows]
    return pd.DataFrame(found, columns=["claim", "refuted by"]).set_index("claim")


def estimate(row: Mapping[str, Any]) -> str:
    """`0.61 [0.55, 0.67]`, or that nothing was measured."""
    if row["value"] is None:
        return "not measured"
    digits = 4 if abs(row["smallest_effect"]) < 0.01 else 3 if row["smallest_effect"] < 0.1 else 2
    value, low, high = (f"{row[name]:z.{digits}f}" for name in ("value", "low", "high"))
    return f"{value} [{low}, {high}]"


def counts(row: Mapping[str, Any]) -> str:
    """Concepts, language pairs and training runs, those that the claim has."""
    words = {"n_concepts": "concept", "n_pairs": "pair", "n_seeds": "run"}
    if not row["n_concepts"]:
        return ""
    return ", ".join(
        f"{row[name]} {word}{'' if row[name] == 1 else 's'}"
        for name, word in words.items()
        if row[name]
    )


def runs(by_seed: Mapping[str, Mapping[str, Any]]) -> str:
    """`0.61 holds, 0.55 undecided`: each training run by itself."""
    return ", ".join(f"{found['value']:z.3f} {found['verdict']}" for found in by_seed.values())
