"""What the chapter *What makes transfer possible?* says."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from meanings.book.facts import wording
from meanings.book.facts.shared_vocabulary import agrees
from meanings.statistics import worlds

WORLDS = (
    "clone", "inverted", "permuted", "other-meanings",
    "true-50", "inverted-true-50", "permuted-true-50",
)  # fmt: skip
PREDICTIONS = (
    (
        "Without shared words transfer breaks down where word order differs.",
        "transliterated and inverted or permuted copies of four languages",
        "the gain of shared words is no larger where the order differs",
    ),
    (
        "Transfer follows the alignment of word embeddings.",
        "Spearman's correlation of .94 on NLI",
        "over worlds without parallel text the correlation's interval reaches .3 or less",
    ),
)


def levels(scores: pd.DataFrame, groups: worlds.Groups, chance: float) -> dict[str, object]:
    """How far transfer can fall, and how many worlds without parallel text have none to speak of.

    - `scores`: of the task categories, every world.
    """
    found = worlds.levels(scores, groups.without).set_index("world")
    return {
        "wt_clone": wording.interval(found.loc["clone"]),
        "wt_at_chance": int((found["low"] <= chance).sum()),
        "wt_without": len(found),
    }


def spelled(read: Mapping[str, pd.DataFrame]) -> dict[str, object]:
    """Retrieval of twin tokens where words mean the same and where they do not."""
    table = read["clones-embeddings"].astype({"world": str, "variant": str})
    means = table[table["variant"] == "raw"].groupby("world")["value"].mean()
    null = table[(table["variant"] == "raw") & (table["world"] == "clone")]["null"].mean()
    return {
        "wt_twins_clone": f"{means['clone']:.2f}",
        "wt_twins_other": f"{means['other-meanings']:.2f}",
        "wt_twins_null": f"{null:.3f}",
    }


def claimed(claims: Sequence[Mapping[str, Any]]) -> dict[str, object]:
    """The statements of the chapter's claims."""
    return {
        f"wt_says_{name.removeprefix('transfer_')}": said
        for name, said in wording.statements(claims).items()
    }


def the_paper(claims: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, str, str]]:
    """Rows of the table that sets the paper beside this page."""
    said = wording.statements(claims)
    verdicts = {row["id"]: row["verdict"] for row in claims}
    return [
        (
            "Shared subwords matter where languages differ in word order.",
            f"{said['transfer_overlap_inverted']} {said['transfer_overlap_permuted']}",
            agrees(verdicts["transfer-overlap-inverted"]),
            "Only a clone's own lines are turned round here; our tasks ask for single words, and "
            "those of the paper for sentences.",
        ),
        (
            "Transfer and the alignment of embeddings go together (Spearman .94 on NLI).",
            f"{said['transfer_embeddings_all']} {said['transfer_embeddings_without']}",
            agrees(verdicts["transfer-embeddings-without"]),
            "A correlation over all worlds is mostly one between two groups of worlds.",
        ),
        (
            "Multilingual models should be improved by aligning their embeddings.",
            f"{said['transfer_spelling']} {said['transfer_other_meanings']}",
            "in part",
            "Here embeddings align by spelling, whatever the words mean: their alignment alone "
            "carries no meaning over.",
        ),
    ]
