"""Train the short miniatures, ask all of them the same, and publish what they answer.

data/published/worlds.parquet   cells: P(source) of every world, training seed, checkpoint, pair,
condition and first layer data/published/reach.csv        means of `meanings.measures.recovery` at
the end of training, with intervals, verdict and attention
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from meanings.core.paths import data_folder
from meanings.lexicon.lexicon import load_lexicon
from meanings.miniature.corpus import load_corpus
from meanings.miniature.recipe import load_world, world_names
from meanings.miniature.training import SIGNS, train
from meanings.models.checkpoints import trajectory
from meanings.statistics.recovery import recovery_row, write_recovery
from meanings.study.grid import Grid
from meanings.study.publish import publish
from meanings.study.run import run_study

PAIRS = ("en-fr", "de-en", "en-es")
REACHED = ("en-fr", "de-en")  # pairs whose reach is asked
STEPS_MEASURED = (0, 200, 400, 600, 1000)
CONDITIONS = ("seen", "tgt", "null_concept", "src_unpatched")


def train_worlds(
    folder: Path, names: Iterable[str], seeds: Iterable[int], progress: bool = True
) -> list[Path]:
    """Train what is not trained, into `folder/WORLD/seed-SEED`; the trajectories' folders."""
    recipe, lexicon = data_folder() / "miniature", load_lexicon("embedded")
    homes = []
    for seed in seeds:
        for name in names:
            home = folder / name / f"seed-{seed}"
            if not (home / "trajectory.json").is_file():
                train(
                    load_corpus(recipe, load_world(recipe, name), lexicon),
                    seed,
                    folder / name,
                    progress,
                    name=name,
                )
            homes.append(home)
    return homes


def grid_of(home: Path) -> Grid:
    """What every short miniature is asked: the same pairs, conditions and moments, in its own
    words.
    """
    run = trajectory(home)
    return Grid(
        model=str(home),
        training_seeds=(run.training_seed,),
        steps=STEPS_MEASURED,
        lexicon=words_of(home),
        languages=run.seen,
        pairs=PAIRS,
        conditions=CONDITIONS,
        generate=0,
    )


def words_of(home: Path) -> str:
    """The lexicon of a run: signs of its own, or the embedded one."""
    return str(home / SIGNS) if (home / SIGNS).is_file() else "embedded"


def measure_worlds(homes: Sequence[Path], out: Path, progress: bool = True) -> list[str]:
    """Measure what is missing of all runs into `out`; the keys of all cells."""
    keys: list[str] = []
    for home in homes:
        keys += run_study(grid_of(home), out, progress=progress).keys
    return keys


def publish_worlds(
    folder: Path, seeds: Sequence[int] = (0, 1, 2), progress: bool = True
) -> list[Path]:
    """Train, measure and write both tables, with the shipped miniature beside the short ones in
    `reach.csv`.
    """
    homes = train_worlds(folder, world_names(data_folder() / "miniature"), seeds, progress)
    table = publish(
        folder / "results", "worlds", measure_worlds(homes, folder / "results", progress)
    )
    rows = [
        recovery_row(trajectory(home), words_of(home), pair) for home in homes for pair in REACHED
    ]
    rows += [
        recovery_row(trajectory("miniature"), "embedded", pair)
        for pair in (*REACHED, "fr-es", "en-fi")
    ]
    return [table, write_recovery(rows)]
