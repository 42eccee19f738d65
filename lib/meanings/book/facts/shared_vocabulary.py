"""What the chapter *Does shared vocabulary help?* says."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from meanings.book.facts import wording

WORLDS = ("clone", "true-50", "false-50", "full", "clone-twice")
# What the paper predicts, what it rests on, and what would refute it here.
PREDICTIONS = (
    (
        "Any overlap helps transfer, compared with none.",
        "XNLI and XQuAD, English with each of six languages",
        "`true-50` or `false-50` minus `clone` has an interval at or below the smallest effect",
    ),
    (
        "Overlap of words that mean the same helps most.",
        "high-similarity against low-similarity overlap",
        "`true-50` minus `false-50` has an interval at or below the smallest effect",
    ),
    (
        "With overlap of any kind translations lie near each other; without, much less.",
        "hidden states of shared and other tokens",
        "translations that are not shared lie no nearer in `false-50` than in `clone`",
    ),
)


def text(read: Mapping[str, pd.DataFrame]) -> dict[str, object]:
    """Whose signs the running text is written in."""
    shares = read["clones-text"].astype({"world": str, "block": str})
    means = shares.groupby(["world", "block"])["share"].mean()
    return {
        "sv_common": f"{means['clone', 'common']:.0%}",
        "sv_shared": f"{means['true-50', 'shared']:.0%}",
    }


def alike(read: Mapping[str, pd.DataFrame]) -> dict[str, object]:
    """Cosines of words by what they have in common, and retrieval where nothing is shared."""
    table = read["clones-cosines"].astype({"world": str, "bin": str, "variant": str})
    table = table[table["layer"] == 2].groupby(["world", "variant", "bin"])["value"].mean()
    found = read["clones-retrieval"].astype({"world": str, "variant": str})
    found = found[(found["world"] == "clone") & (found["variant"] == "csls")]
    last = found[(found["layer"] == 2) & (found["step"] == found["step"].max())]
    return {
        "sv_true": f"{table['true-50', 'raw', 'friend']:.2f}",
        "sv_false": f"{table['false-50', 'raw', 'false friend']:.2f}",
        "sv_near_clone": f"{table['clone', 'centred', 'translation']:.2f}",
        "sv_near_true": f"{table['true-50', 'centred', 'translation']:.2f}",
        "sv_near_false": f"{table['false-50', 'centred', 'translation']:.2f}",
        "sv_found": f"{last['value'].mean():.2f}",
        "sv_found_null": f"{last['null'].mean():.2f}",
    }


def claimed(claims: Sequence[Mapping[str, Any]]) -> dict[str, object]:
    """The statements of the chapter's claims."""
    return {
        f"sv_says_{name.removeprefix('vocabulary_')}": said
        for name, said in wording.statements(claims).items()
    }


def the_paper(claims: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, str, str]]:
    """Rows of the table that sets the paper beside this page."""
    said = wording.statements(claims)
    verdicts = {row["id"]: row["verdict"] for row in claims}
    return [
        (
            "Models with overlapping vocabularies transfer better than models with disjoint ones.",
            f"{said['vocabulary_true_friends']} {said['vocabulary_longer']}",
            agrees(verdicts["vocabulary-true-friends"]),
            "Half of the words are shared here, and a longer training is a control that the paper "
            "does not have.",
        ),
        (
            "Overlap of any kind helps, also of words with different meanings.",
            said["vocabulary_false_friends"],
            agrees(verdicts["vocabulary-false-friends"]),
            "Every shared word of `false-50` misleads, in three languages in three ways. Natural "
            "false friends are few among names, numbers and cognates.",
        ),
        (
            "Overlap of words with similar meanings helps most.",
            said["vocabulary_meaning"],
            agrees(verdicts["vocabulary-meaning"]),
            "",
        ),
    ]


def agrees(verdict: str) -> str:
    """What a claim's verdict says of the paper's finding."""
    return {"holds": "yes", "refuted": "no", "undecided": "not decided"}[verdict]
