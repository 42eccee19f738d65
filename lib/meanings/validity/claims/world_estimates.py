"""Estimates of claims on trained worlds, from their published tables.

See `meanings.statistics.worlds` for scores, and for what intervals resample.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import pandas as pd

from meanings.core.errors import MeaningsError
from meanings.core.paths import data_folder
from meanings.miniature.worlds import load_world, world_names
from meanings.statistics import worlds
from meanings.statistics.effects import Effect
from meanings.validity.claims import estimates
from meanings.validity.claims.claim import Tables

SCORED = {"patching": ("clones-patching",), "class": ("clones-tasks",), "facts": ("clones-tasks",)}
ALIGNED = ("clones-embeddings", "clones-retrieval", "clones-tasks")
UNUSED = "full"  # its languages' own tokens are never read, so their embeddings say nothing
CHANCE = 1 / 8  # eight letters, each right for an eighth of the concepts
Estimate = Callable[[Tables], Effect]


@lru_cache(maxsize=1)
def groups() -> worlds.Groups:
    """The worlds of clones by whether a document of their text has two languages; without the one
    that has no tokens of a language's own.
    """
    recipe = data_folder() / "miniature"
    names = [name for name in world_names(recipe, "clones") if name != UNUSED]
    shares = {name: load_world(recipe, name).mix.parallel_share for name in names}
    return worlds.Groups(
        tuple(name for name in names if not shares[name]),
        tuple(name for name in names if shares[name]),
    )


def gain(world: str, base: str, score: str, apart: bool = False) -> Estimate:
    """How much higher a world scores than another, on the same concepts and seeds.

    - `apart`: of a task, on words that have no token in common with touched ones.
    """

    def estimate(tables: Tables) -> Effect:
        if apart:
            scores = worlds.transferred(tables["clones-tasks"], score, apart=True)
        else:
            scores = worlds.scored(tables, score)
        return estimates.from_row(worlds.gains(scores, [world], base).iloc[0])

    return estimate


def level(world: str, score: str, above: float = 0.0) -> Estimate:
    """How far a world's score lies above a constant."""

    def estimate(tables: Tables) -> Effect:
        rows = worlds.levels(worlds.scored(tables, score), [world])
        moved = rows.assign(**{name: rows[name] - above for name in ("mean", "low", "high")})
        return estimates.from_row(moved.iloc[0])

    return estimate


def interaction(one: tuple[str, str], other: tuple[str, str], score: str) -> Estimate:
    """How much more the first treatment gains than the second."""

    def estimate(tables: Tables) -> Effect:
        return estimates.from_row(worlds.interaction(worlds.scored(tables, score), one, other))

    return estimate


def earlier(world: str, base: str, of: str = "steps", touched: bool = False) -> Estimate:
    """How much earlier patching rises in a world than in another, in steps, tokens or processor
    seconds.
    """

    def estimate(tables: Tables) -> Effect:
        scores = worlds.patched(tables["clones-patching"], touched)
        found = worlds.shifts(scores, tables["clones-training"], [world], base)
        row = found[found["of"] == of].iloc[0]
        if pd.isna(row["low"]):
            raise MeaningsError(f"patching does not rise in both {world} and {base}")
        both = scores[scores["world"].isin([world, base])]
        numbers = (both[worlds.CONCEPT].nunique(), 3, both[worlds.SEED_COLUMN].nunique())
        value = float(row["earlier"])
        return Effect(value, min(value, row["low"]), max(value, row["high"]), *numbers)

    return estimate


def correlation(alignment: str, scope: str) -> Estimate:
    """Spearman's correlation of an alignment with transfer over worlds."""

    def estimate(tables: Tables) -> Effect:
        points = worlds.alignments(tables, groups().all)
        rows = worlds.rank_correlations(points, groups())
        row = rows[(rows["alignment"] == alignment) & (rows["scope"] == scope)].iloc[0]
        seeds = tables["clones-tasks"][worlds.SEED_COLUMN].nunique()
        return Effect(row["rho"], row["low"], row["high"], 0, int(row["n_worlds"]), seeds)

    return estimate


def embedded(world: str, base: str) -> Estimate:
    """How much more often than in another world a token's twin is the nearest by input embeddings;
    the interval resamples language pairs and training seeds.
    """

    def estimate(tables: Tables) -> Effect:
        rows = tables["clones-embeddings"]
        rows = rows[rows["variant"] == "raw"].astype({"language_a": str, "language_b": str})
        pairs = rows["language_a"] + "-" + rows["language_b"]
        scores = rows.assign(**{worlds.CONCEPT: pairs, "score": rows["value"]})
        return estimates.from_row(worlds.gains(scores, [world], base).iloc[0])

    return estimate
