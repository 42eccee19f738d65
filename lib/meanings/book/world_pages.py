"""What the chapters on trained worlds read: published tables, and the recipes of their worlds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version

import pandas as pd

from meanings.book.pages import READ_WITH
from meanings.core.paths import data_folder
from meanings.measures.results import published
from meanings.miniature.worlds import World, load_world
from meanings.statistics import worlds
from meanings.statistics.bootstrap import interval
from meanings.statistics.resampling import SEED_COLUMN

TABLES = ("patching", "tasks", "retrieval", "cka", "embeddings", "cosines", "training", "text")
CATEGORIES, ENGLISH = "categories (accuracy)", "categories in English (accuracy)"
FACTS, PATCHING = "facts (accuracy)", "patching (P above null)"
SCORES = {CATEGORIES: "class", ENGLISH: "english", PATCHING: "patching", FACTS: "facts"}
DRAWN = (CATEGORIES, FACTS, PATCHING)
CHANCES = {CATEGORIES: 1 / 8, FACTS: 1 / 8}  # of guessing one of eight letters


def tables() -> dict[str, pd.DataFrame]:
    """The published tables of the cloned worlds, by name."""
    return {f"clones-{name}": published(f"clones-{name}") for name in TABLES}


def recipes(names: Sequence[str]) -> list[World]:
    """The worlds of these names."""
    return [load_world(data_folder() / "miniature", name) for name in names]


def scores(read: Mapping[str, pd.DataFrame], touched: bool = False) -> dict[str, pd.DataFrame]:
    """Each score of every world at the end of its training, by heading."""
    return {heading: worlds.scored(read, name, touched) for heading, name in SCORES.items()}


def drawn(found: Mapping[str, pd.DataFrame], names: Sequence[str]) -> dict[str, pd.DataFrame]:
    """Levels of the scores that a figure shows, by heading."""
    return {name: worlds.levels(found[name], names) for name in DRAWN if name in found}


def curves(patched: pd.DataFrame, training: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Patching over training with intervals: `world`, `step`, `tokens`, `mean`, `low`, `high`."""
    rows = patched[patched["world"].isin(names)]
    found = interval(rows, "score", ["world", "step"], unit=worlds.CONCEPT)
    tokens = training.astype({"world": str}).drop_duplicates(["world", "step"])
    return found.merge(tokens[["world", "step", "tokens"]], on=["world", "step"])


def counted(found: Mapping[str, pd.DataFrame], names: Sequence[str]) -> str:
    """What a figure of scores rests on: concepts of each score, language pairs, training runs."""
    concepts, runs = [], set()
    for heading, rows in found.items():
        rows = worlds.in_common(rows[rows["world"].isin(names)])
        concepts.append(f"{rows[worlds.CONCEPT].nunique()} concepts ({heading.split(' (')[0]})")
        runs |= set(rows.groupby("world")[SEED_COLUMN].nunique())
    return f"{', '.join(concepts)}; 3 copies; {_several(runs)} training runs per world"


def _several(numbers: set[int]) -> str:
    return f"{min(numbers)} to {max(numbers)}" if len(numbers) > 1 else f"{min(numbers)}"


def provenance(read: Mapping[str, pd.DataFrame], names: Sequence[str]) -> pd.DataFrame:
    """The box at a chapter's end: `what`, `value`."""
    training = read["clones-training"].astype({"world": str})
    training = training[training["world"].isin(names)]
    seeds = training.groupby("world")[SEED_COLUMN].nunique()
    seconds = training.groupby(["world", SEED_COLUMN])["seconds"].max()
    told = {
        "tables": ", ".join(f"{name}.parquet" for name in read),
        "recipes": "data/miniature/worlds.yaml",
        "training runs": f"{int(seeds.sum())}, of {len(seeds)} worlds",
        "processor time of a training": f"median {seconds.median():.0f} s, on a machine that "
        "other work shared",
        "trained and measured by": "meanings miniature worlds NAME --seeds 0,1,2",
        "intervals": "95 %, percentile bootstrap over concepts and training seeds",
        "read with": ", ".join(f"{name} {version(name)}" for name in READ_WITH),
    }
    return pd.DataFrame({"what": list(told), "value": list(told.values())}).set_index("what")
