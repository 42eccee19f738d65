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
        "`prealign-20` minus `clone-20` has an interval at or below the smallest effect, or the "
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
        "`prealign-20` minus `align-late-20` has an interval at or below the smallest effect",
    ),
    (
        "Code-switching of the input keeps the alignment.",
        "pretraining with and without switching",
        "`prealign-switch-20` minus `prealign-20` has an interval at or below the smallest effect",
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
    said = wording.statements(claims)
    verdicts = {row["id"]: row["verdict"] for row in claims}
    return [
        (
            "Early alignment improves the use of knowledge told in another language.",
            " ".join(said[f"alignment_{name}"] for name in ("facts", "equal_cost", "no_piece")),
            agrees(verdicts["alignment-equal-cost"]),
            "Some of the gain is spelling: it is larger for words whose tokens the dictionary has.",
        ),
        (
            "Early alignment improves zero-shot transfer.",
            f"{said['alignment_class']} {said['alignment_class_dictionary']}",
            agrees(verdicts["alignment-class-dictionary"]),
            "A shuffled dictionary is a control that the paper does not have.",
        ),
        (
            "Early alignment makes cross-lingual sharing come earlier.",
            f"{said['alignment_emergence']} {said['alignment_patching']}",
            agrees(verdicts["alignment-emergence"]),
            "Patching measures translation, which the parallel text teaches with or without "
            "alignment.",
        ),
        (
            "Alignment should come early.",
            said["alignment_early"],
            agrees(verdicts["alignment-early"]),
            "The late alignment has the same number of steps, from a third of the training on.",
        ),
        (
            "Code-switching of the input helps to keep the alignment.",
            said["alignment_switching"],
            agrees(verdicts["alignment-switching"]),
            "The labels stay in the line's own language, as the paper describes; the published "
            "code takes the switched words as labels, which is `switch-labels-20` here.",
        ),
    ]
