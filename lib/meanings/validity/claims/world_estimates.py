"""Estimates of claims on trained worlds, from their published tables.

See `meanings.statistics.worlds` for scores, and for what intervals resample.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

import pandas as pd

from meanings.core.errors import MeaningsError
from meanings.core.paths import data_folder
from meanings.miniature.worlds import load_world, world_names
from meanings.statistics import world_alignment, worlds
from meanings.statistics.effects import SMALLEST_EFFECT, Effect, Side
from meanings.validity.claims import estimates
from meanings.validity.claims.claim import Claim, Tables

SCORED = {"patching": ("clones-patching",), "class": ("clones-tasks",), "facts": ("clones-tasks",)}
ALIGNED = ("clones-embeddings", "clones-retrieval", "clones-tasks")
NO_GAIN = "an accuracy that is higher by at most .02"
COPIES = 3
UNUSED = "full"  # its languages' own tokens are never read, so their embeddings say nothing
Estimate = Callable[[Tables], Effect]


@lru_cache(maxsize=1)
def groups() -> world_alignment.Groups:
    """The worlds of clones by whether a document of their text has two languages; without the one
    that has no tokens of a language's own.
    """
    recipe = data_folder() / "miniature"
    names = [name for name in world_names(recipe, "clones") if name != UNUSED]
    shares = {name: load_world(recipe, name).mix.parallel_share for name in names}
    return world_alignment.Groups(
        tuple(name for name in names if not shares[name]),
        tuple(name for name in names if shares[name]),
    )


def score_claim(
    chapter: str,
    name: str,
    statement: str,
    effect: Estimate,
    refuted_by: str,
    score: str,
    side: Side = "above",
) -> Claim:
    """A claim on a score of worlds, against the book's smallest effect.

    - `name`: its id; `score`: whose tables it reads.
    """
    unit = "probability" if score == "patching" else "accuracy"
    return Claim(
        id=name,
        chapter=chapter,
        statement=statement,
        unit=unit,
        side=side,
        smallest_effect=SMALLEST_EFFECT,
        refuted_by=refuted_by,
        tables=SCORED[score],
        effect=effect,
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
        return _effect(worlds.gains(scores, [world], base).iloc[0])

    return estimate


def gain_beyond_english(world: str, base: str) -> Estimate:
    """How much more a world gains in the categories of the copies' words than in those of English
    words.
    """

    def estimate(tables: Tables) -> Effect:
        copies, english = (worlds.scored(tables, score) for score in ("class", "english"))
        return _effect(worlds.gain_beyond(copies, english, world, base))

    return estimate


def over_chance(world: str, score: str) -> Estimate:
    """How far a world's accuracy lies above that of its answers dealt out anew over concepts."""

    def estimate(tables: Tables) -> Effect:
        rows = worlds.levels(worlds.scored(tables, score), [world])
        if rows.empty:
            raise MeaningsError(
                f"the tables have no world {world!r}; measure it with 'meanings miniature worlds'"
            )
        chance = worlds.by_chance(tables["clones-tasks"], score)[world]
        moved = rows.assign(**{name: rows[name] - chance for name in ("mean", "low", "high")})
        return _effect(moved.iloc[0])

    return estimate


def interaction(one: tuple[str, str], other: tuple[str, str], score: str) -> Estimate:
    """How much more the first treatment gains than the second."""

    def estimate(tables: Tables) -> Effect:
        return _effect(worlds.interaction(worlds.scored(tables, score), one, other))

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
            raise MeaningsError(f"patching does not rise in both {world} and {base}; train longer")
        both = scores[scores["world"].isin([world, base])]
        numbers = (both[worlds.CONCEPT].nunique(), COPIES, both[worlds.SEED_COLUMN].nunique())
        value = float(row["earlier"])
        return Effect(value, min(value, row["low"]), max(value, row["high"]), *numbers)

    return estimate


def correlation(alignment: str, scope: str, over_group: bool = False) -> Estimate:
    """Spearman's correlation of an alignment with transfer over worlds.

    - `over_group`: how far it lies above that of parallel text alone.
    """
    names = ("over_group", "over_low", "over_high") if over_group else ("rho", "low", "high")

    def estimate(tables: Tables) -> Effect:
        points = world_alignment.alignments(tables, groups().all)
        rows = world_alignment.rank_correlations(points, groups())
        rows = rows[(rows["alignment"] == alignment) & (rows["scope"] == scope)]
        if rows.empty:
            raise MeaningsError(
                f"too few worlds for a correlation of {alignment} ({scope})"
                "; measure more with 'meanings miniature worlds'"
            )
        row = rows.iloc[0]
        seeds = worlds.in_common(tables["clones-tasks"])[worlds.SEED_COLUMN].nunique()
        return Effect(*(row[name] for name in names), 0, int(row["n_worlds"]), seeds)

    return estimate


def embedded(world: str) -> Estimate:
    """How much more often than under permutation a token's twin is the nearest by input embeddings.

    The interval resamples language pairs and training seeds.
    """

    def estimate(tables: Tables) -> Effect:
        rows = tables["clones-embeddings"]
        rows = _pairs(rows[(rows["variant"] == "raw") & (rows["world"] == world)])
        return _over_pairs(rows.assign(score=rows["value"] - rows["null"]), world)

    return estimate


def nearer(world: str, base: str) -> Estimate:
    """How much more alike than in another world the states of translations that are not shared are,
    above those of unrelated words: cosines at the middle layer, each language's mean taken off.

    The interval resamples language pairs and training seeds.
    """

    def estimate(tables: Tables) -> Effect:
        rows = tables["clones-cosines"]
        rows = rows[(rows["variant"] == "centred") & (rows["layer"] == world_alignment.MIDDLE)]
        rows = _pairs(rows)
        wide = rows.pivot_table("value", ["world", worlds.SEED_COLUMN, worlds.CONCEPT], "bin")
        if not {"translation", "unrelated"} <= set(wide):
            raise MeaningsError(
                "the table of cosines has no translations and unrelated words"
                "; make it again with 'meanings miniature worlds'"
            )
        scores = (wide["translation"] - wide["unrelated"]).rename("score").reset_index()
        return _of_pairs(worlds.gains(scores, [world], base).iloc[0])

    return estimate


def _pairs(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with their language pair in the place of a concept."""
    text = rows.astype({c: str for c in ("world", "language_a", "language_b")})
    pair = text["language_a"] + "-" + text["language_b"]
    names = {"bin": str} if "bin" in text else {}
    return text.assign(**{worlds.CONCEPT: pair}).astype(names)


def _over_pairs(rows: pd.DataFrame, world: str) -> Effect:
    if rows.empty:
        raise MeaningsError(
            f"the tables have no world {world!r}; measure it with 'meanings miniature worlds'"
        )
    return _of_pairs(worlds.levels(rows, [world]).iloc[0])


def _effect(row: pd.Series) -> Effect:
    """The effect of a row over concepts, in the pairs of the first language with each copy."""
    return replace(estimates.from_row(row), n_pairs=COPIES)


def _of_pairs(row: pd.Series) -> Effect:
    """The effect of a row whose units are language pairs."""
    found = estimates.from_row(row)
    return replace(found, n_concepts=0, n_pairs=found.n_concepts)
