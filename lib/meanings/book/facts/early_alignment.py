"""What the chapter *Can alignment be given in advance?* says."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from meanings.book.facts import wording
from meanings.book.facts.shared_vocabulary import agrees

WORLDS = (
    "clone-20", "prealign-20", "prealign-wrong-20", "align-late-20", "clone-20-longer",
    "switch-20", "switch-labels-20", "prealign-switch-20",
)  # fmt: skip
WITHOUT = ("clone", "prealign-0", "prealign-wrong-0", "switch-0")
PREDICTIONS = (
    (
        "Alignment before pretraining improves zero-shot transfer and the use of knowledge told in "
        "another language.",
        "English and English-Clone, from scratch",
        "prealign-20 minus clone-20 has an interval at or below the smallest effect, or the "
        "gain is gone at equal processor time",
    ),
    (
        "It helps words outside the dictionary, too.",
        "words that the dictionary does not have",
        "the gain is found on words of the dictionary alone",
    ),
    (
        "Early alignment is better than alignment later.",
        "alignment during or after pretraining",
        "prealign-20 minus align-late-20 has an interval at or below the smallest effect",
    ),
    (
        "Code-switching of the input keeps the alignment.",
        "pretraining with and without switching",
        "prealign-switch-20 minus prealign-20 has an interval at or below the smallest effect",
    ),
)


def cost(read: Mapping[str, pd.DataFrame]) -> dict[str, object]:
    """What alignment costs: processor seconds of three trainings, medians over runs."""
    table = read["clones-training"].astype({"world": str})
    whole = table.groupby(["world", "training_seed"])["seconds"].max().groupby("world").median()
    return {
        "ea_seconds_clone": f"{whole['clone-20']:.0f}",
        "ea_seconds_prealign": f"{whole['prealign-20']:.0f}",
        "ea_seconds_longer": f"{whole['clone-20-longer']:.0f}",
    }


def claimed(claims: Sequence[Mapping[str, Any]]) -> dict[str, object]:
    """The statements of the chapter's claims."""
    return {
        f"ea_says_{name.removeprefix('alignment_')}": said
        for name, said in wording.statements(claims).items()
    }


def the_paper(claims: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, str, str]]:
    """Rows of the table that sets the paper beside this page."""
    said = {n.removeprefix("alignment_"): t for n, t in wording.statements(claims).items()}
    verdicts = {row["id"].removeprefix("alignment-"): row["verdict"] for row in claims}

    def row(paper: str, names: Sequence[str], why: str) -> tuple[str, str, str, str]:
        text = " ".join(said[name.replace("-", "_")] for name in names)
        return paper, text, agrees(*(verdicts[name] for name in names)), why

    return [
        row(
            "Early alignment improves the use of knowledge told in another language.",
            ["facts", "longer", "no-piece"],
            "Words without a token of the dictionary exclude help through spelling; the longer "
            "training excludes that of more steps.",
        ),
        row(
            "Early alignment improves zero-shot transfer.",
            ["class", "class-dictionary", "class-beyond-english"],
            "A shuffled dictionary and the accuracy in English are controls that the paper does "
            "not have.",
        ),
        row(
            "Early alignment makes cross-lingual sharing come earlier.",
            ["emergence", "patching"],
            "Patching asks for a translation, which the parallel text teaches with or without "
            "alignment.",
        ),
        row(
            "Alignment should come early.",
            ["early"],
            "Their alignment is a stage of its own before pretraining; ours is a second loss in "
            "its first 150 steps, and the late one begins at step 450 of 1,200.",
        ),
        row(
            "Code-switching of the input helps to keep the alignment.",
            ["switching"],
            "The labels stay in the line's own language, as the paper describes; the published "
            "code takes the switched words as labels, which is switch-labels-20 here.",
        ),
    ]
