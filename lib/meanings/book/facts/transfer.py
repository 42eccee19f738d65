"""What the chapter *What makes transfer possible?* says."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from meanings.book.facts import wording
from meanings.book.facts.shared_vocabulary import agrees
from meanings.statistics import world_alignment, worlds

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
        "over the worlds that transfer at all the correlation's interval lies at or below .3",
    ),
)


def levels(
    points: pd.DataFrame, scores: pd.DataFrame, groups: world_alignment.Groups
) -> dict[str, object]:
    """How far transfer can fall, and how many worlds without parallel text have none to speak of.

    - `points`: of `world_alignment.alignments`; `scores`: of the categories, every world.
    """
    clone = worlds.levels(scores, groups.without).set_index("world").loc["clone"]
    without = points[points["world"].isin(groups.without)]
    return {
        "wt_clone": wording.interval(clone),
        "wt_chance": f"{points.set_index('world')['chance']['clone']:.2f}",
        "wt_at_chance": int((~without["transfers"]).sum()),
        "wt_without": len(without),
        "wt_worlds": len(points),
    }


def alone(correlations: pd.DataFrame) -> dict[str, object]:
    """What predictors that know nothing of alignment reach over all worlds."""
    rows = correlations[correlations["scope"] == "all"].set_index("alignment")["rho"]
    return {f"wt_alone_{name}": f"{rows[name]:.2f}" for name in ("group", "english", "transfers")}


def spelled(read: Mapping[str, pd.DataFrame]) -> dict[str, object]:
    """Retrieval of twin tokens where words mean the same and where they do not."""
    table = read["clones-embeddings"].astype({"world": str, "variant": str})
    means = table[table["variant"] == "raw"].groupby("world")["value"].mean()
    null = table[(table["variant"] == "raw") & (table["world"] == "clone")]["null"].mean()
    return {
        "wt_twins_clone": f"{means['clone']:.2f}",
        "wt_twins_other": f"{means['other-meanings']:.2f}",
        "wt_twins_most": f"{means['prealign-0']:.2f}",
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
    said = {n.removeprefix("transfer_"): t for n, t in wording.statements(claims).items()}
    verdicts = {row["id"].removeprefix("transfer-"): row["verdict"] for row in claims}
    return [
        (
            "Shared subwords matter where languages differ in word order.",
            f"{said['overlap_inverted']} {said['overlap_permuted']}",
            "cannot be tested here",
            "Without shared words these worlds transfer nothing in natural order either, so there "
            "is nothing for another order to take away.",
        ),
        (
            "Transfer and the alignment of embeddings go together (Spearman .94 on NLI).",
            f"{said['embeddings_all']} {said['embeddings_transferring']}",
            agrees(verdicts["embeddings-all"], verdicts["embeddings-transferring"]),
            "Over all worlds, whether a world transfers at all correlates as highly as alignment.",
        ),
        (
            "Multilingual models should be improved by aligning their embeddings.",
            f"{said['spelling']} {said['other_meanings']}",
            "in part" if verdicts["spelling"] == "holds" else "not decided",
            "Embeddings can be aligned without a meaning in common. Where a dictionary aligns "
            "them, transfer rises: see the chapter on early alignment.",
        ),
    ]
