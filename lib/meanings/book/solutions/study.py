"""Solutions of the study's first chapters: miniature, method, emergence, language dependence."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd

from meanings.book.exercises import Exercise
from meanings.book.solutions.tables import table

# --- The miniature ---------------------------------------------------------------------------


def _beside(code: str) -> int:
    """With how many languages one shares documents."""
    from meanings.book.tables import miniature

    return len(miniature.languages(miniature.recipe()).loc[code, "beside"].split())


def _trained() -> int:
    """The number of languages that the miniature was trained on."""
    from meanings.book.tables import miniature

    return int((miniature.languages(miniature.recipe())["tier"] != "unseen").sum())


def _chosen_by(score: str) -> pd.Series:
    """The variant of the recipe with the highest score."""
    from meanings.book.tables import miniature

    variants = miniature.variants()
    return variants.loc[variants[score].idxmax()]


def _lost(score: str) -> float:
    """How much of a score the variant lacks that has the highest accuracy."""
    return float(abs(_chosen_by("P(source)")[score] - _chosen_by("accuracy")[score]))


def _test_format(parts: tuple[str, ...]) -> float:
    """Quoted lines as a share of some kinds of documents."""
    from meanings.book.tables import miniature

    shares = miniature.documents(miniature.recipe())["share"]
    return float(shares["quoted lines"] / (shares[list(parts)].sum() if parts else shares.sum()))


TRANSLATED = (
    "glossary",
    "separated glossary",
    "dictionary lines",
    "quoted lines",
    "translated list",
)

# --- Method ----------------------------------------------------------------------------------

STATES = np.array([[1.0, 4.0], [2.0, 4.0], [3.0, 1.0]])  # the page's example: pair, dimension
LOGITS = np.array([2.0, 1.0, 0.0, 1.5])


def _probability(*tokens: int) -> float:
    chances = np.exp(LOGITS) / np.exp(LOGITS).sum()
    return float(sum(chances[token] for token in tokens))


# --- Emergence -------------------------------------------------------------------------------

PATCH = ("tokens", "pair", "condition", "first_layer", "prompt", "p_source")


def _patched(condition: str, pair: str = "") -> pd.DataFrame:
    """Rows of the miniature's first run under a condition."""
    of = {"pair": pair} if pair else {}
    rows = table("miniature", PATCH, training_seed=0, condition=condition, **of)
    return rows.astype({"pair": str})


def _last(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows["tokens"] == rows["tokens"].max()]


def _at_layer(choosing: slice, reported: slice) -> float:
    """P(source) of some prompts at the layer that is best on some."""
    rows = _last(_patched("seen", "fr-es"))
    cells = rows.pivot_table("p_source", "prompt", "first_layer")
    best = cells.loc[choosing].mean().idxmax()
    return float(cells.loc[reported, best].mean())


FIRST, SECOND, BOTH = slice(0, 31), slice(32, 63), slice(0, 63)  # prompts, both ends included


def _half_way(of: str = "seen", between: bool = True) -> float:
    """The share of the training after which `seen` has half of a final height.

    - `of`: the condition whose height it is; `between`: between two checkpoints, or at the next.
    """
    rows = _patched("seen", "fr-es")
    curve = rows[rows["first_layer"] == 1].groupby("tokens")["p_source"].mean().loc[1:]
    half = curve.iloc[-1] / 2
    if of != "seen":
        half = _last(_patched(of, "fr-es"))["p_source"].mean() / 2
    after = int(np.flatnonzero((curve < half).to_numpy())[-1]) + 1
    around, tokens = curve.iloc[after - 1 : after + 1], curve.index[after - 1 : after + 1]
    moment = np.exp(np.interp(half, around, np.log(tokens))) if between else tokens[1]
    return float(moment / curve.index[-1])


def _own_minus_seen(same_pairs: bool) -> float:
    """`self` minus `seen` when the patch begins at the second layer."""
    means = {}
    for condition in ("self", "seen"):
        rows = _last(_patched(condition))
        means[condition] = rows[rows["first_layer"] == 1].groupby("pair")["p_source"].mean()
    if same_pairs:
        return float((means["self"] - means["seen"]).mean())  # pairs that lack one drop out
    return float(means["self"].mean() - means["seen"].mean())


# --- Language dependence ---------------------------------------------------------------------


@cache
def _read() -> pd.DataFrame:
    """Reading by language at the end of the training: patched and direct score."""
    from meanings.statistics import reading, selection

    chosen = reading.at_layer_of_seen(table("reading"))
    rows = selection.last_checkpoint(reading.reading_rows(chosen))
    rows = rows[rows["pair"].isin(reading.target_pairs(chosen))]
    return rows.pivot_table("p_source", "language", "what", observed=True)


def _single(code: str) -> float:
    scores = _read().loc[code]
    return float(scores["patched"] / scores["asked directly"])


DEVIATIONS = np.array([[-0.09, 0.01], [0.02, 0.06], [-0.03, 0.12]])  # the ends of three intervals


EXERCISES: dict[str, Exercise] = {
    "miniature-never": Exercise(
        lambda: float(_trained() - 1 - _beside("de")),
        {
            "these do share documents with German; count the others.": lambda: float(_beside("de")),
            "German itself is no partner of its own.": lambda: float(_trained() - _beside("de")),
            "the two unseen languages were not trained on.": lambda: float(
                _trained() + 1 - _beside("de")
            ),
        },
        tolerance=0.1,
    ),
    "miniature-selection": Exercise(
        lambda: _lost("P(source)"),
        {"that is the difference in accuracy.": lambda: _lost("accuracy")},
    ),
    "miniature-format": Exercise(
        lambda: _test_format(TRANSLATED),
        {"that is the share of all documents.": lambda: _test_format(())},
    ),
    "method-mean": Exercise(
        lambda: float(STATES[:2].mean(axis=0)[1]),
        {
            "the third pair has a language of the target pair.": lambda: float(
                STATES.mean(axis=0)[1]
            ),
            "that is the first number of the vector.": lambda: float(STATES[:2].mean(axis=0)[0]),
        },
    ),
    "method-score": Exercise(
        lambda: _probability(1, 3),
        {
            "all accepted words count, not the first alone.": lambda: _probability(1),
            "two words begin with the same token, which counts once.": lambda: _probability(
                1, 3, 3
            ),
        },
    ),
    "method-cells": Exercise(
        lambda: float(4 * (8 - 1 - 3)),
        {
            "the later tokens' outputs of the patched layer itself stay.": lambda: float(
                4 * (8 - 3)
            ),
            "the layers below the patch stay as they are.": lambda: float(4 * 8),
        },
        tolerance=0.1,
    ),
    "emergence-half": Exercise(
        lambda: _at_layer(FIRST, SECOND),
        {
            "these prompts chose the layer; report the others.": lambda: _at_layer(FIRST, FIRST),
            "that is the mean over all prompts; report the second half.": lambda: _at_layer(
                BOTH, BOTH
            ),
        },
    ),
    "emergence-onset": Exercise(
        _half_way,
        {
            "that is a checkpoint; the curve crosses before it.": lambda: _half_way(between=False),
            "that is half of the direct score; take the curve's own height.": lambda: _half_way(
                "src_unpatched"
            ),
        },
        tolerance=0.002,
    ),
    "emergence-pairs": Exercise(
        lambda: _own_minus_seen(same_pairs=True),
        {
            "`seen` has more pairs; take those that both have.": lambda: _own_minus_seen(
                same_pairs=False
            ),
            "mind the sign: `self` minus `seen`.": lambda: -_own_minus_seen(same_pairs=True),
        },
    ),
    "language-ratio": Exercise(
        lambda: _single("zh"),
        {
            "that is the difference of the scores.": lambda: float(
                _read().loc["zh", "asked directly"] - _read().loc["zh", "patched"]
            ),
            "that is the share lost, not the share kept.": lambda: 1 - _single("zh"),
        },
    ),
    "language-lowest": Exercise(
        lambda: str((_read()["patched"] / _read()["asked directly"]).idxmin()),
        {
            "that is the lowest score; the ratio asks what is lost of the direct one.": lambda: str(
                _read()["patched"].idxmin()
            ),
            "that is the largest difference; divide instead.": lambda: str(
                (_read()["asked directly"] - _read()["patched"]).idxmax()
            ),
        },
    ),
    "language-margin": Exercise(
        lambda: float(np.abs(DEVIATIONS).max()),
        {
            "an interval counts with both of its ends, and not with its middle.": lambda: float(
                np.abs(DEVIATIONS.mean(axis=1)).max()
            ),
            "one of the intervals reaches beyond this.": lambda: float(np.abs(DEVIATIONS[0]).max()),
        },
    ),
}
