"""Whether patching can see how a model translates: which way the query word takes to the answer.

A patch overwrites the outputs of the decoder layers at the query word's last token. What the answer
reads elsewhere passes it by: the word's other tokens, and the embedding of the last one, which the
first layer reads before anything is overwritten. A model that translates by such a way shows no
effect of any patch, whatever it shares between languages. So one prompt is turned into another step
by step, with the states of that other prompt itself, same languages and same few-shot examples:

    target     the target concept is asked for                          P(source) = where all starts
    layers     ... and every layer's output at the word's last token is the source word's
    embedding  ... and the embedding under it too
    asked      the whole word: the source concept is asked for          P(source) = the ceiling

    recovery = (layers - target) / (asked - target)

Where recovery is low, a low P(source) after patching in the other-language mean (`seen`) says
nothing about a shared space.
"""

from __future__ import annotations

import pandas as pd

STEPS = ("target", "layers", "embedding", "asked")
ENOUGH = 0.5  # of the way from target to asked that must pass through what is patched
# Probability of the right word below which there is nothing that a patch could move.
TRANSLATES = 0.05


def shares(rows: pd.DataFrame) -> dict[str, float]:
    """How much of the way from `target` to `asked` each step goes, 0 to 1, of the means over
    concepts; NaN where there is no way.
    """
    means = rows[[*STEPS, "seen", "null_concept"]].mean()
    way = means["asked"] - means["target"]
    return {
        name: float((means[name] - means["target"]) / way) if way > 0 else float("nan")
        for name in ("layers", "embedding", "seen", "null_concept")
    }


def verdict(rows: pd.DataFrame) -> str:
    """What patching can say about the model in this pair: one of five sentences."""
    if rows["asked"].mean() - rows["target"].mean() < TRANSLATES:
        return "it does not translate here: there is nothing that a patch could move"
    part = shares(rows)
    if part["layers"] < ENOUGH:
        way = (
            "the embedding of the word's last token"
            if part["embedding"] >= ENOUGH
            else "the word's other tokens"
        )
        return (
            f"the method cannot see here: most of the answer is read from {way}, which a patch of "
            "the layers does not touch"
        )
    if pd.isna(part["seen"]):
        return (
            "the method can see here, but the pair has no other seen languages to take a concept "
            "from"
        )
    if part["seen"] < ENOUGH * part["layers"]:
        return (
            "no shared space: the method can see here, and the other-language mean moves less than "
            "half of what the word itself moves"
        )
    return (
        "a shared space: the other-language mean moves more than half of what the word itself moves"
    )
