"""Solutions of the chapters on trained worlds."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd

from meanings.book.exercises import Exercise

# Worlds' tables are read as their pages read them; pages of other parts do not need them.


@cache
def _scores(score: str) -> pd.Series:
    """The mean of a score by world."""
    from meanings.book import world_pages

    rows = world_pages.scores(world_pages.tables())[score]
    return rows.astype({"world": str}).groupby("world")["score"].mean()


def _between(one: str, other: str, score: str = "categories (accuracy)") -> float:
    return float(_scores(score)[one] - _scores(score)[other])


@cache
def _cosines(world: str, variant: str) -> pd.Series:
    """Mean cosines of pairs of words of a world by what the pair is."""
    from meanings.book.solutions.tables import table

    rows = table("clones-cosines", world=world, variant=variant)
    return rows.astype({"bin": str}).groupby("bin")["value"].mean()


def _near(world: str, variant: str = "centred") -> float:
    """How far translations are above unrelated words."""
    means = _cosines(world, variant)
    return float(means["translation"] - means["unrelated"])


def _loss(temperature: float) -> float:
    """InfoNCE of the two words of the example, one way."""
    scores = np.exp(np.array([[0.9, 0.3], [0.2, 0.8]]) / temperature)
    return float(-np.log(np.diag(scores) / scores.sum(axis=1)).mean())


FACTS = "facts (accuracy)"


def _share_of_gain(of: str) -> float:
    """The part of the gain by early alignment that another world has, in categories."""
    return _between(of, "clone-20") / _between("prealign-20", "clone-20")


@cache
def _points() -> pd.DataFrame:
    """Each world's alignments and transfer, and whether it has parallel text."""
    from meanings.book import world_pages
    from meanings.statistics import world_alignment
    from meanings.validity.claims.world_estimates import groups

    points = world_alignment.alignments(world_pages.tables(), groups().all)
    return points.assign(parallel=points["world"].isin(groups().with_)).set_index("world")


def _rank(points: pd.DataFrame) -> float:
    return float(points["states"].corr(points["transfer"], method="spearman"))


def _kept(alignment: str) -> float:
    """What `other-meanings` keeps of an alignment of `clone`."""
    return float(_points().loc["other-meanings", alignment] / _points().loc["clone", alignment])


def _pooled(n: int) -> float:
    from scipy.stats import spearmanr

    return float(spearmanr([0.1, 0.2, 0.8, 0.9][:n], [0.2, 0.1, 0.9, 0.8][:n]).statistic)


# --- Gender ----------------------------------------------------------------------------------

TO_MALE, TO_FEMALE = np.array([0.2, 0.6]), np.array([0.5, 0.4])  # the page's example
SIGNS = np.array([-1, 1])  # the first was made male


@cache
def _signed(language: str) -> pd.Series:
    """The signed distance by dose, mean over training runs."""
    from meanings.book import gender_pages
    from meanings.statistics import gender

    runs = gender.by_dose(gender_pages.tables()["gender"], "signed")
    return runs[runs["language_a"] == language].groupby("dose")["value"].mean()


def _rise(language: str = "en") -> float:
    doses = _signed(language)
    return float(doses.loc[0.5] - doses.loc[0.0])


def _in_bias() -> float:
    return float(np.abs(TO_MALE - TO_FEMALE).mean())


EXERCISES: dict[str, Exercise] = {
    "vocabulary-times": Exercise(
        lambda: 4.0, {"that is `clone-twice`; count the languages.": lambda: 2.0}
    ),
    "vocabulary-meaning": Exercise(
        lambda: _between("true-50", "false-50"),
        {
            "`clone` shares no words; the clean comparison shares the same ones.": lambda: _between(
                "true-50", "clone"
            ),
            "that is the effect of reading more.": lambda: _between("clone-twice", "clone"),
        },
    ),
    "vocabulary-near": Exercise(
        lambda: _near("true-50") - _near("clone"),
        {
            "hold each world against its own unrelated words.": lambda: float(
                _cosines("true-50", "raw")["translation"] - _cosines("clone", "raw")["translation"]
            ),
            "that is `true-50` alone; `clone` is the floor.": lambda: _near("true-50"),
            "take the languages' means off first.": lambda: (
                _near("true-50", "raw") - _near("clone", "raw")
            ),
        },
    ),
    "alignment-temperature": Exercise(
        lambda: _loss(1.0),
        {"that is the loss at a temperature of .1.": lambda: _loss(0.1)},
    ),
    "alignment-dictionary": Exercise(
        lambda: _between("prealign-20", "prealign-wrong-20", FACTS),
        {
            "that is the whole gain; any second loss might give it.": lambda: _between(
                "prealign-20", "clone-20", FACTS
            ),
            "that is what the wrong dictionary changes.": lambda: _between(
                "prealign-wrong-20", "clone-20", FACTS
            ),
        },
    ),
    "alignment-longer": Exercise(
        lambda: _share_of_gain("clone-20-longer"),
        {
            "that is the gain itself, not its share.": lambda: _between(
                "clone-20-longer", "clone-20"
            ),
            "that is the world with a wrong dictionary.": lambda: _share_of_gain(
                "prealign-wrong-20"
            ),
        },
    ),
    "transfer-pooled": Exercise(
        lambda: _pooled(4), {"that is the correlation within each half.": lambda: _pooled(2)}
    ),
    "transfer-groups": Exercise(
        lambda: float(np.mean([_rank(part) for _, part in _points().groupby("parallel")])),
        {
            "that is over all worlds together.": lambda: _rank(_points()),
            "that is the worlds with parallel text alone.": lambda: _rank(
                _points()[_points()["parallel"]]
            ),
            "that is the worlds without parallel text alone.": lambda: _rank(
                _points()[~_points()["parallel"]]
            ),
        },
    ),
    "transfer-meanings": Exercise(
        lambda: _kept("states"),
        {
            "those are twin tokens, which are spelled alike whatever they mean.": lambda: _kept(
                "embeddings"
            )
        },
    ),
    "gender-signed": Exercise(
        lambda: float((SIGNS * (TO_MALE - TO_FEMALE)).mean()),
        {
            "mind the signs: the first one is male.": lambda: float((TO_MALE - TO_FEMALE).mean()),
            "mind the sign: male is minus one, and d is a distance.": lambda: float(
                -(SIGNS * (TO_MALE - TO_FEMALE)).mean()
            ),
        },
    ),
    "gender-narrow": Exercise(
        lambda: _in_bias() / 0.2,
        {
            "the null shrinks as well.": lambda: _in_bias() / 10 / 0.2,
            "that is in-bias after the change; divide by its null.": lambda: _in_bias() / 10,
        },
    ),
    "gender-dose": Exercise(
        _rise,
        {
            "take off what the world without a bias has.": lambda: float(_signed("en").loc[0.5]),
            "that is German; the bias was planted in English.": lambda: _rise("de"),
        },
        tolerance=0.002,
    ),
}
