"""Comparisons between trained worlds: the same concepts and training seeds, one treatment apart.

A score is one number for each world, training seed and concept:

patching   P(source concept) under `seen` minus that under `null_concept`, mean over language pairs
class      1 where the letter of the concept's category is the most probable, over the languages
           that were not fine-tuned, concepts whose letter was not told
facts      the same of letters that were told for each concept in the first language alone

All intervals resample concepts and training seeds, crossed; all sides of a comparison have the
same draws.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float

from meanings.core.errors import MeaningsError
from meanings.statistics.bootstrap import differences, interval, paired_difference
from meanings.statistics.matching import shared_cells
from meanings.statistics.onset import Rule, onsets_together
from meanings.statistics.remembering import remembered
from meanings.statistics.resampling import RESAMPLES, SEED_COLUMN
from meanings.statistics.transfer import weighted_spearman

CONCEPT = "source_concept"
FIRST = "en"  # the language of which the others are copies, in which tasks are told
MIDDLE = 2  # of four layers: the layer at which states are compared, named before measuring
KEY = ["world", SEED_COLUMN, CONCEPT]
SCORES = ("patching", "class", "facts")
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
        raise MeaningsError(f"no rows of condition {missing[0]!r} on {half} words")
    score = (means["seen"] - means["null_concept"]).dropna()
    return score.rename("score").reset_index()


def at_end(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows at the end of each world's training."""
    last = rows.groupby("world", observed=True)["step"].transform("max")
    return rows[rows["step"] == last]


@remembered(6)
def transferred(
    table: pd.DataFrame, task: str, touched: bool = False, apart: bool = False
) -> pd.DataFrame:
    """Score `class` or `facts`: columns `world`, the training seed, the concept and `score`.

    - `table`: published `clones-tasks`; `touched`: as in `patched`; `apart`: only words that have
      no token in common with the words of touched concepts.
    """
    rows = table[
        (table["task"] == task) & (table["touched"] == touched) & (table["language"] != FIRST)
    ]
    if task == "class":
        rows = rows[~rows["told"]]
    if apart:
        rows = rows[rows["pieces"] == 0]
    rows = rows.astype({"world": str, "concept": str, "letter": str, "answer": str})
    right = rows.assign(score=(rows["letter"] == rows["answer"]).astype(float))
    right = right.rename(columns={"concept": CONCEPT})
    return right.groupby(KEY)["score"].mean().reset_index()


def scored(tables: Mapping[str, pd.DataFrame], score: str, touched: bool = False) -> pd.DataFrame:
    """A score of every world at the end of its training, from the published tables by name."""
    if score == "patching":
        return at_end(patched(tables["clones-patching"], touched)).drop(columns="step")
    return transferred(tables["clones-tasks"], score, touched)


def levels(scores: pd.DataFrame, worlds: Sequence[str]) -> pd.DataFrame:
    """Each world's mean with its interval, in this order: `world`, `mean`, `low`, `high`,
    `n_units`, `n_seeds`.
    """
    rows = scores[scores["world"].isin(worlds)]
    return _ordered(interval(rows, "score", ["world"], unit=CONCEPT), worlds)


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
    `low`, `high` in that unit, empty where more than a twentieth of the draws lacks one of the two.

    - `scores`: as `patched` gives them; `training`: published `clones-training`.
    """
    rows = []
    for world in worlds:
        common = shared_cells(scores, [world, base], column="world")
        point, drawn = onsets_together(
            common, "score", (world, base), height_of=base, column="world", unit=CONCEPT,
            rule=SHIFTED, n=RESAMPLES,
        )  # fmt: skip
        for of, convert in _units(training, world, base).items():
            one, other = (convert[place](point[place]) for place in (0, 1))
            moved = convert[1](drawn[1]) - convert[0](drawn[0])
            there = moved[np.isfinite(moved)]
            enough = len(there) >= 0.95 * len(moved) and np.isfinite(other - one)
            low, high = np.quantile(there, [0.025, 0.975]) if enough else (np.nan, np.nan)
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
            raise MeaningsError(f"the table of trainings has no world {world!r}")
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


@dataclass(frozen=True)
class Groups:
    """Worlds by whether a document of their text has two languages."""

    without: tuple[str, ...]
    with_: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        """Both groups."""
        return (*self.without, *self.with_)


def alignments(tables: Mapping[str, pd.DataFrame], worlds: Sequence[str]) -> pd.DataFrame:
    """A row a world: means over training seeds and language pairs of two alignments and of
    transfer.

    - `embeddings`: retrieval of twin tokens by input embeddings; `states`: CSLS retrieval of
      untouched words at the middle layer, both P@1, 0 to 1; `transfer`: score `class`, 0 to 1.

    Raises MeaningsError where the tables lack a world.
    """
    embeddings = tables["clones-embeddings"]
    embeddings = embeddings[embeddings["variant"] == "raw"]
    states = at_end(tables["clones-retrieval"])
    states = states[(states["variant"] == "csls") & (states["layer"] == MIDDLE)]
    found = pd.DataFrame(
        {
            "embeddings": _mean_of(embeddings, "value"),
            "states": _mean_of(states, "value"),
            "transfer": _mean_of(scored(tables, "class"), "score"),
        }
    )
    if missing := [name for name in worlds if name not in found.index]:
        raise MeaningsError(
            f"the tables have no world {missing[0]!r}; measure and publish it with 'meanings "
            f"miniature worlds {missing[0]} --publish'"
        )
    return found.loc[list(worlds)].rename_axis("world").reset_index()


def rank_correlations(points: pd.DataFrame, groups: Groups, seed: int = 0) -> pd.DataFrame:
    """Spearman's correlation of each alignment with transfer over worlds, within and across groups.

    Columns: `alignment`; `scope` (`all`, `without`, `with`); `rho`, `low`, `high`; `n_worlds`.
    Alignment `group` knows of a world only whether its text has documents in two languages: what
    `all` owes to that alone. Intervals resample worlds, within each group.

    - `points`: as of `alignments`.
    """
    rows = []
    known = points.assign(group=points["world"].isin(groups.with_).astype(float))
    for scope, worlds in (
        ("all", groups.all), ("without", groups.without), ("with", groups.with_),
    ):  # fmt: skip
        part = known[known["world"].isin(worlds)]
        draws = _drawn_worlds(part["group"].to_numpy(), seed)
        for name in ("embeddings", "states", *(("group",) if scope == "all" else ())):
            x, y = part[name].to_numpy(float), part["transfer"].to_numpy(float)
            drawn = weighted_spearman(x, y, draws)
            low, high = np.nanquantile(drawn, [0.025, 0.975])
            rho = float(weighted_spearman(x, y, np.ones(len(x))))
            rows.append(
                {
                    "alignment": name, "scope": scope, "rho": rho, "low": min(rho, float(low)),
                    "high": max(rho, float(high)), "n_worlds": len(part),
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


def _drawn_worlds(groups: np.ndarray, seed: int) -> Float[np.ndarray, "draw world"]:
    rng = np.random.default_rng(seed)
    drawn = np.zeros((RESAMPLES, len(groups)))
    for group in np.unique(groups):
        places = np.flatnonzero(groups == group)
        n = len(places)
        drawn[:, places] = rng.multinomial(n, np.full(n, 1 / n), size=RESAMPLES)
    return drawn


def _mean_of(rows: pd.DataFrame, value: str) -> pd.Series:
    by_seed = rows.astype({"world": str}).groupby(["world", SEED_COLUMN])[value].mean()
    return by_seed.groupby("world").mean()


def _ordered(rows: pd.DataFrame, worlds: Sequence[str]) -> pd.DataFrame:
    places = {name: place for place, name in enumerate(worlds)}
    return rows.sort_values("world", key=lambda names: names.map(places)).reset_index(drop=True)
