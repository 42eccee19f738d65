"""What the chapter *Does shared vocabulary help?* says."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from meanings.book.facts import wording
from meanings.statistics import world_alignment, worlds

WORLDS = ("clone", "true-50", "false-50", "full", "clone-twice")
# What the paper predicts, what it rests on, and what would refute it here.
PREDICTIONS = (
    (
        "Any overlap helps transfer, compared with none.",
        "XNLI and XQuAD, English with each of six languages",
        "true-50 or false-50 minus clone has an interval at or below the smallest effect",
    ),
    (
        "Among partial overlaps, tokens of similar meaning help most.",
        "high-similarity against low-similarity overlap",
        "true-50 minus false-50 has an interval at or below the smallest effect",
    ),
    (
        "With overlap of any kind translations lie near each other; without, much less.",
        "hidden states of shared and other tokens",
        "translations that are not shared lie no nearer in false-50 than in clone",
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


def chance(read: Mapping[str, pd.DataFrame]) -> dict[str, object]:
    """How often the most frequent letter is right, of the concepts that are asked for."""
    rows = worlds.asked(read["clones-tasks"], "class")
    letters = rows.drop_duplicates("concept")["letter"].value_counts(normalize=True)
    return {"sv_majority": f"{letters.max():.2f}"}


def prompted(read: Mapping[str, pd.DataFrame]) -> dict[str, object]:
    """How well a translation prompt works without a patch, without and with parallel text."""
    rows = read["clones-patching"].astype({"world": str})
    rows = rows[(rows["condition"] == "src_unpatched") & (rows["half"] == "untouched")]
    means = worlds.at_end(rows).groupby("world")["p_source"].mean()
    return {
        "sv_unpatched": f"{means['clone']:.3f}",
        "sv_unpatched_parallel": f"{means['clone-20']:.2f}",
    }


def alike(read: Mapping[str, pd.DataFrame]) -> dict[str, object]:
    """Cosines of words by what they have in common, and retrieval where nothing is shared."""
    table = read["clones-cosines"].astype({"world": str, "bin": str, "variant": str})
    table = table[table["layer"] == world_alignment.MIDDLE]
    table = table.groupby(["world", "variant", "bin"])["value"].mean()

    def over(world: str) -> str:
        centred = table[world, "centred"]
        return f"{centred['translation'] - centred['unrelated']:.2f}"

    return {
        "sv_true": f"{table['true-50', 'raw', 'friend']:.2f}",
        "sv_false": f"{table['false-50', 'raw', 'false friend']:.2f}",
        "sv_near_clone": over("clone"),
        "sv_near_true": over("true-50"),
        "sv_near_false": over("false-50"),
        "sv_found": _found(read, "clone", "value"),
        "sv_found_null": _found(read, "clone", "null"),
        "sv_found_other": _found(read, "other-meanings", "value"),
    }


def _found(read: Mapping[str, pd.DataFrame], world: str, column: str) -> str:
    """Of the training runs that the page's table has, so that text and table say the same."""
    rows = read["clones-retrieval"].astype({"world": str})
    rows = rows[(rows["variant"] == "csls") & (rows["layer"] == world_alignment.MIDDLE)]
    rows = worlds.at_end(worlds.in_common(rows[rows["world"].isin([*WORLDS, world])]))
    rows = rows[rows["world"] == world]
    return f"{rows[column].mean():.2f}"


def claimed(claims: Sequence[Mapping[str, Any]]) -> dict[str, object]:
    """The statements of the chapter's claims."""
    return {
        f"sv_says_{name.removeprefix('vocabulary_')}": said
        for name, said in wording.statements(claims).items()
    }


def the_paper(claims: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, str, str]]:
    """Rows of the table that sets the paper beside this page."""
    said = wording.statements(claims)
    verdicts = {row["id"].removeprefix("vocabulary-"): row["verdict"] for row in claims}
    text = (
        "Their models read a parallel corpus, sentences of both languages in turn; ours have no "
        "line in two languages."
    )
    return [
        (
            "Models with overlapping vocabularies transfer better than models with disjoint ones.",
            f"{said['vocabulary_true_friends']} {said['vocabulary_longer']}",
            agrees(verdicts["true-friends"], verdicts["longer"]),
            f"{text} A longer training is a control that the paper does not have.",
        ),
        (
            "Overlap of any kind helps, also of tokens with dissimilar meanings.",
            said["vocabulary_false_friends"],
            agrees(verdicts["false-friends"]),
            f"{text} Every shared word of false-50 misleads, in each copy in another way.",
        ),
        (
            "Among partial overlaps, tokens of similar meaning help most.",
            said["vocabulary_meaning"],
            agrees(verdicts["meaning"]),
            "",
        ),
        (
            "Overlap of any kind makes an embedding space in which translations are near.",
            said["vocabulary_near"],
            agrees(verdicts["near"]),
            "We ask for words that are not shared. Shared ones are near by their spelling.",
        ),
    ]


def agrees(*verdicts: str) -> str:
    """What the verdicts of claims say of a finding of the paper that takes all of them."""
    if "refuted" in verdicts:
        return "no"
    held = [verdict == "holds" for verdict in verdicts]
    return "yes" if all(held) else "in part" if any(held) else "not decided"
