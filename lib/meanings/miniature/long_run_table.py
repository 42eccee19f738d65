"""Measure the long run's checkpoints like the shipped run's, and publish them.

data/published/long_run.parquet   cells of the trunk's and the finished models' checkpoints
"""

from collections.abc import Iterator
from pathlib import Path

from meanings.miniature.long_run import FINISHED, TRUNK
from meanings.study.grid import Grid
from meanings.study.publish import publish
from meanings.study.run import run_study

NAME = "long_run"
CONDITIONS = ("seen", "self", "tgt", "null_concept", "src_unpatched")


def grids(folder: Path) -> Iterator[Grid]:
    """The grid of each branch that has checkpoints: the book's own pairs, prompts and words."""
    for branch in (TRUNK, FINISHED):
        home = folder / branch
        if (home / "trajectory.json").is_file():
            yield Grid(model=str(home), checkpoints="all", conditions=CONDITIONS, generate=0)


def publish_long_run(folder: Path, progress: bool = True) -> Path:
    """Path of the published table, after measuring what is missing of the checkpoints there are."""
    out = folder / "results"
    keys = [key for grid in grids(folder) for key in run_study(grid, out, progress=progress).keys]
    return publish(out, NAME, keys)
