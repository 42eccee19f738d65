"""Train the short miniatures, variants of the recipe, measure all of them alike, and publish the
tables.

data/published/worlds.parquet   cells of every variant, seed, checkpoint, pair and condition
data/published/reach.csv        recovery at the end of training, with verdict and attention
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from meanings.core.paths import data_folder
from meanings.lexicon.lexicon import load_lexicon
from meanings.miniature.corpus import load_corpus
from meanings.miniature.recipe import load_variant, variant_names
from meanings.miniature.run_folder import SIGNS
from meanings.miniature.training import train
from meanings.models.checkpoints import trajectory
from meanings.statistics.recovery import recovery_row, write_recovery
from meanings.study.grid import Grid
from meanings.study.publish import publish
from meanings.study.run import run_study

PAIRS = ("en-fr", "de-en", "en-es")
RECOVERY_PAIRS = ("en-fr", "de-en")
STEPS_MEASURED = (0, 200, 400, 600, 1000)
CONDITIONS = ("seen", "tgt", "null_concept", "src_unpatched")


def train_variants(
    folder: Path, names: Iterable[str], seeds: Iterable[int], progress: bool = True
) -> list[Path]:
    """Folders of the variants' training runs, `folder/VARIANT/seed-SEED`; those not there are
    trained.
    """
    recipe, lexicon = data_folder() / "miniature", load_lexicon("embedded")
    homes = []
    for seed in seeds:
        for name in names:
            home = folder / name / f"seed-{seed}"
            if not (home / "trajectory.json").is_file():
                train(
                    load_corpus(recipe, load_variant(recipe, name), lexicon),
                    seed,
                    folder / name,
                    progress,
                    name=name,
                )
            homes.append(home)
    return homes


def grid_of(home: Path) -> Grid:
    """The grid of a short miniature: the same pairs, conditions and steps for all, with its own
    lexicon.
    """
    run = trajectory(home)
    return Grid(
        model=str(home),
        training_seeds=(run.training_seed,),
        steps=STEPS_MEASURED,
        lexicon=lexicon_of(home),
        languages=run.seen,
        pairs=PAIRS,
        conditions=CONDITIONS,
        generate=0,
    )


def lexicon_of(home: Path) -> str:
    """The lexicon of a run as a grid names it: signs of its own, or the embedded one."""
    return str(home / SIGNS) if (home / SIGNS).is_file() else "embedded"


def measure_variants(homes: Sequence[Path], out: Path, progress: bool = True) -> list[str]:
    """Keys of the cells of all runs; those missing are measured into `out`."""
    keys: list[str] = []
    for home in homes:
        keys += run_study(grid_of(home), out, progress=progress).keys
    return keys


def publish_variants(
    folder: Path, seeds: Sequence[int] = (0, 1, 2), progress: bool = True
) -> list[Path]:
    """Paths of the two published tables, after training and measuring; `reach.csv` has the shipped
    miniature beside the short ones.
    """
    homes = train_variants(folder, variant_names(data_folder() / "miniature"), seeds, progress)
    table = publish(
        folder / "results", "worlds", measure_variants(homes, folder / "results", progress)
    )
    rows = [
        recovery_row(trajectory(home), lexicon_of(home), pair)
        for home in homes
        for pair in RECOVERY_PAIRS
    ]
    rows += [
        recovery_row(trajectory("miniature"), "embedded", pair)
        for pair in (*RECOVERY_PAIRS, "fr-es", "en-fi")
    ]
    return [table, write_recovery(rows)]
