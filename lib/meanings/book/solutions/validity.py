"""Solutions of error analysis, how far to trust this, and the real model."""

from __future__ import annotations

from functools import cache

import pandas as pd

from meanings.book.exercises import Exercise
from meanings.book.solutions.tables import table

# --- Error analysis --------------------------------------------------------------------------


@cache
def _changes() -> pd.Series:
    """Change of Gemma's accuracy on words of several senses under `seen`, by role."""
    from meanings.statistics import targeted

    rows = targeted.at_one_layer(targeted.answered(table("targeted"), "gemma-3-270m"))
    compared = targeted.compared(targeted.changes(rows, "seen"))
    return compared[compared["kind"] == "polysemous"].set_index("what")["mean"]


ASKED, RIGHT_BEFORE, RIGHT_AFTER, RIGHT_TWICE = 64, 40, 42, 36  # concepts of the example


# --- How far to trust this -------------------------------------------------------------------


def _recovered(reached: float, target: float = 0.1, direct: float = 0.8) -> float:
    return (reached - target) / (direct - target)


def _upper_end(found: int, networks: int) -> float:
    from meanings.statistics.proportions import wilson

    return float(wilson(found, networks)[1])


# --- The real model --------------------------------------------------------------------------


@cache
def _lexica() -> dict[str, pd.DataFrame]:
    """Gemma's means over concepts, by lexicon."""
    from meanings.book.tables import real_model

    return real_model.gemma()


def _gemma(lexicon: str = "embedded lexicon") -> pd.DataFrame:
    """The means by pair and condition where all layers are patched."""
    cells = _lexica()[lexicon]
    cells = cells[(cells["first_layer"] <= 0) & (cells["pair"] != "all")]
    return cells.pivot_table("mean", "pair", "what", observed=True)


def _without_best() -> pd.DataFrame:
    means = _gemma("Multi-SimLex")
    return means.drop(index=means["seen"].idxmax())


def _share(means: pd.DataFrame) -> float:
    return float(means["seen"].mean() / means["src_unpatched"].mean())


def _last_with(share: float) -> float:
    """The last first layer that keeps more than a share of the gain over the null, in de-en."""
    cells = _lexica()["embedded lexicon"]
    cells = cells[(cells["pair"] == "de-en") & (cells["first_layer"] >= 0)]
    means = cells.pivot_table("mean", "first_layer", "what", observed=True)
    gain = means["seen"] - means["null_concept"]
    return float(gain.index[gain > share * gain.loc[0]].max())


EXERCISES: dict[str, Exercise] = {
    "errors-control": Exercise(
        lambda: float(_changes()["difference"]),
        {
            "take off what the patch does to the controls.": lambda: float(_changes()["query"]),
            "that is the change of the controls.": lambda: float(_changes()["control"]),
        },
    ),
    "errors-gains": Exercise(
        lambda: (RIGHT_AFTER - RIGHT_TWICE) / ASKED,
        {
            "that is the net change, in which losses cancel gains.": lambda: (
                (RIGHT_AFTER - RIGHT_BEFORE) / ASKED
            ),
            "these are the losses.": lambda: (RIGHT_BEFORE - RIGHT_TWICE) / ASKED,
        },
    ),
    "errors-words": Exercise(
        lambda: 60 * (0.18 / 0.1) ** 2,
        {"it falls with the square root of the number of words.": lambda: 60 * 0.18 / 0.1},
        tolerance=1.0,
    ),
    "trust-verdict": Exercise(
        lambda: "undecided",
        {
            "the interval excludes zero, but not the smallest effect.": lambda: "holds",
            "part of the interval lies beyond the smallest effect.": lambda: "refuted",
        },
    ),
    "trust-alarms": Exercise(
        lambda: _upper_end(0, 15),
        {
            "none in fifteen does not show that there are none.": lambda: 0.0,
            "the interval is over the networks with nothing to find.": lambda: _upper_end(0, 30),
        },
    ),
    "trust-recovery": Exercise(
        lambda: _recovered(0.17),
        {
            "take off what the target prompt gives without a patch.": lambda: 0.17 / 0.8,
            "that is the recovery with the embedding.": lambda: _recovered(0.78),
        },
    ),
    "real-without-best": Exercise(
        lambda: _share(_without_best()),
        {
            "that is over all pairs.": lambda: _share(_gemma("Multi-SimLex")),
            "divide the means; a mean of ratios weighs pairs that hardly translate.": lambda: float(
                (_without_best()["seen"] / _without_best()["src_unpatched"]).mean()
            ),
        },
    ),
    "real-shared-pairs": Exercise(
        lambda: float((_gemma()["self"] - _gemma()["seen"]).mean()),
        {
            "the two means are over other pairs: `self` lacks one.": lambda: float(
                _gemma()["self"].mean() - _gemma()["seen"].mean()
            ),
        },
    ),
    "real-layer": Exercise(
        lambda: _last_with(0.5),
        {
            "less than half is left here.": lambda: _last_with(0.5) + 1,
            "a little is left here, but not half.": lambda: _last_with(0.1),
        },
        tolerance=0.1,
    ),
}
