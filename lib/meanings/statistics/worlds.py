"""Comparisons between trained worlds: the same concepts and training seeds, one treatment apart.

A score is one number for each world, training seed and concept:

patching   P(source concept) under `seen` minus that under `null_concept`, mean over language pairs
class      1 where the letter of the concept's category is the most probable, over the languages
           that were not fine-tuned, concepts whose letter was not told
english    the same in the fine-tuned language: what there is to carry over
facts      1 where the letter that was told for the concept in the first language is, in the others

All intervals resample concepts and training seeds, crossed; all sides of a comparison have the
same draws.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float

from meanings.core.errors import MeaningsError
from meanings.statistics.bootstrap import differences, interval, paired_difference
from meanings.statistics.matching import shared_cells
from meanings.statistics.onset import Rule, onsets_together
from meanings.statistics.remembering import remembered
from meanings.statistics.resampling import RESAMPLES, SEED_COLUMN

CONCEPT = "source_concept"
FIRST = "en"  # the language of which the others are copies, in which tasks are told
KEY = ["world", SEED_COLUMN, CONCEPT]
SCORES = ("patching", "class", "english", "facts")
SHIFTED = Rule(fraction=0.5, minimum_rise=0.02)


@remembered(4)
def patched(table: pd.DataFrame, touched: bool = False) -> pd.DataFrame:
    """Score `patching` at every step: columns `world`, the training seed, `step`, the concept and
    `score`.

    - `table`: published `clones-patching`; `touched`: of the concepts that treatments may reach.

    Raises MeaningsError where the table lacks one of the two conditions.
    """
    half = "touched" if touched else "untouched"
    rows = table[table["half"] == half].astype({"world": str, CONCEPT: str})
    means = (
        rows.groupby(["condition", "world", SEED_COLUMN, "step", CONCEPT], observed=True)[
            "p_source"
        ]
        .mean()
        .unstack("condition")
    )
    if missing := [name for name in ("seen", "null_concept") if name not in means]:
        raise MeaningsError(
            f"no rows of condition {missing[0]!r} on {half} words"
            "; measure and publish it with 'meanings miniature worlds'"
        )
    score = (means["seen"] - means["null_concept"]).dropna()
    return score.rename("score").reset_index()


def at_end(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows at the end of each world's training."""
    last = rows.groupby("world", observed=True)["step"].transform("max")
    return rows[rows["step"] == last]


@remembered(8)
def transferred(
    table: pd.DataFrame, task: str, touched: bool = False, apart: bool = False
) -> pd.DataFrame:
    """Score `class`, `english` or `facts`: columns `world`, the training seed, the concept and
    `score`.

    - `table`: published `clones-tasks`; `touched`: as in `patched`; `apart`: only words that have
      no token in common with the words of touched concepts.
    """
    rows = asked(table, task, touched)
    if apart:
        rows = rows[rows["pieces"] == 0]
    right = rows.assign(score=(rows["letter"] == rows["answer_letter"]).astype(float))
    right = right.rename(columns={"concept": CONCEPT})
    return right.groupby(KEY)["score"].mean().reset_index()


def by_chance(table: pd.DataFrame, task: str) -> pd.Series:
    """Each world's expected accuracy, had its answers been dealt out anew over the concepts of a
    language: mean over languages and training seeds.

    It is more than one in eight where a model favours a letter that is often right.
    """
    rows = asked(table, task)
    place = ["world", SEED_COLUMN, "language"]
    shares = [
        rows.groupby(place)[name].value_counts(normalize=True).rename_axis([*place, "letter"])
        for name in ("letter", "answer_letter")
    ]
    product = (shares[0] * shares[1]).fillna(0).groupby(place).sum()
    return product.groupby(["world", SEED_COLUMN]).mean().groupby("world").mean()


def asked(table: pd.DataFrame, task: str, touched: bool = False) -> pd.DataFrame:
    """The rows of a task that its score is made of."""
    name = "class" if task == "english" else task
    rows = table[(table["task"] == name) & (table["touched"] == touched)]
    rows = rows[(rows["language"] == FIRST) == (task == "english")]
    if name == "class":
        rows = rows[~rows["told"]]
    return rows.astype(
        {c: str for c in ("world", "language", "concept", "letter", "answer_letter")}
    )


def scored(tables: Mapping[str, pd.DataFrame], score: str, touched: bool = False) -> pd.DataFrame:
    """A score of every world at the end of its training, from the published tables by name."""
    if score == "patching":
        return at_end(patched(tables["clones-patching"], touched)).drop(columns="step")
    return transferred(tables["clones-tasks"], score, touched)


def levels(scores: pd.DataFrame, worlds: Sequence[str]) -> pd.DataFrame:
    """Each world's mean with its interval, in this order, over the training seeds that all have:
    `world`, `mean`, `low`, `high`, `n_units`, `n_seeds`.
    """
    rows = in_common(scores[scores["world"].isin(worlds)])
    return _ordered(interval(rows, "score", ["world"], unit=CONCEPT), worlds)


def in_common(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of the training seeds that all of their worlds have, so that worlds with more runs
    are compared on the same ones.
    """
    seeds = rows.groupby("world", observed=True)[SEED_COLUMN].unique()
    shared = set.intersection(*map(set, seeds)) if len(seeds) else set()
    return rows[rows[SEED_COLUMN].isin(shared)]


def gains(scores: pd.DataFrame, worlds: Sequence[str], base: str) -> pd.DataFrame:
    """How much higher each world scores than `base`, over the concepts and seeds that both have.

    Columns as of `levels`.
    """
    rows = [
        paired_difference(scores, "score", world, base, between="world", unit=CONCEPT).assign(
            world=world
        )
        for world in worlds
    ]
    return pd.concat(rows, ignore_index=True)


def gain_beyond(scores: pd.DataFrame, others: pd.DataFrame, world: str, base: str) -> pd.Series:
    """How much more a world gains over `base` in one score than in another, such as in the copies
    than in the first language: a row as of `gains`.
    """
    parts = [
        differences(rows, "score", world, base, between="world", unit=CONCEPT).assign(part=name)
        for name, rows in (("one", scores), ("other", others))
    ]
    found = paired_difference(
        pd.concat(parts), "difference", "one", "other", between="part", unit=CONCEPT
    )
    return found.iloc[0]


def interaction(scores: pd.DataFrame, one: tuple[str, str], other: tuple[str, str]) -> pd.Series:
    """How much more the first treatment gains than the second: a row as of `gains`.

    - `one`, `other`: a world with the treatment, and the same without.
    """
    parts = [
        differences(scores, "score", *pair, between="world", unit=CONCEPT).assign(part=name)
        for name, pair in (("one", one), ("other", other))
    ]
    found = paired_difference(
        pd.concat(parts), "difference", "one", "other", between="part", unit=CONCEPT
    )
    return found.iloc[0]


def shifts(
    scores: pd.DataFrame,
    training: pd.DataFrame,
    worlds: Sequence[str],
    base: str,
) -> pd.DataFrame:
    """How much earlier than in `base` patching rises in each world.

    The moment is that at which a curve has half of the height that `base` has at its end. Columns:
    `world`; `of` (steps, tokens or seconds); `onset` in the world, `base` in the other; `earlier`,
    `low`, `high` in that unit, empty where more than a twentieth of the draws lacks one of the
    two; a draw without a rise counts as one at the end.

    - `scores`: as `patched` gives them; `training`: published `clones-training`.
    """
    rows = []
    for world in worlds:
        common = shared_cells(scores, [world, base], column="world")
        last = float(common["step"].max())
        point, drawn = onsets_together(
            common, "score", (world, base), height_of=base, column="world", unit=CONCEPT,
            rule=SHIFTED, n=RESAMPLES,
        )  # fmt: skip
        for of, convert in _units(training, world, base).items():
            one, other = (convert[place](point[place]) for place in (0, 1))
            never = ~np.isfinite(drawn).all(axis=0)
            kept = np.minimum(drawn, last)  # a rise that is not there comes at the end or later
            moved = convert[1](kept[1]) - convert[0](kept[0])
            enough = never.mean() <= 0.05 and np.isfinite(other - one)
            low, high = np.quantile(moved, [0.025, 0.975]) if enough else (np.nan, np.nan)
            rows.append(
                {
                    "world": world,
                    "of": of,
                    "onset": one,
                    "base": other,
                    "earlier": other - one if enough else np.nan,
                    "low": low,
                    "high": high,
                }
            )
    return pd.DataFrame(rows)


Convert = Callable[[Float[np.ndarray, "*draw"] | float], Float[np.ndarray, "*draw"] | float]


def _units(training: pd.DataFrame, *worlds: str) -> dict[str, list[Convert]]:
    """By unit, each world's way from steps to that unit; processor seconds are medians over
    training runs.
    """
    found: dict[str, list[Convert]] = {"steps": [], "tokens": [], "seconds": []}
    for world in worlds:
        rows = training[training["world"] == world]
        if rows.empty:
            raise MeaningsError(
                f"the table of trainings has no world {world!r}"
                "; make it again with 'meanings miniature worlds'"
            )
        known = rows.groupby("step")[["tokens", "seconds"]].median()
        steps = known.index.to_numpy(float)
        found["steps"].append(lambda moment: moment)
        for name in ("tokens", "seconds"):
            values = known[name].to_numpy(float)
            found[name].append(
                lambda moment, steps=steps, values=values: np.where(
                    np.isfinite(moment), np.interp(moment, steps, values), np.inf
                )
            )
    return found


def _ordered(rows: pd.DataFrame, worlds: Sequence[str]) -> pd.DataFrame:
    places = {name: place for place, name in enumerate(worlds)}
    return rows.sort_values("world", key=lambda names: names.map(places)).reset_index(drop=True)
