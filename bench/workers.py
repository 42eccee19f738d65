"""How much faster two worker processes measure the miniature than one, each with one thread."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from meanings.study.executors import local_workers
from meanings.study.grid import Grid
from meanings.study.run import run_study

GRID = Grid(checkpoints=8, pairs=("fr-es",), generate=0)
WARM = Grid(checkpoints=2, pairs=("fr-es",), n_pairs=8, generate=0, conditions=("tgt",))


def seconds(workers: int, grid: Grid = GRID) -> float:
    """Seconds for the grid's cells with so many worker processes that are there and have loaded a
    model before.
    """
    with (
        tempfile.TemporaryDirectory() as folder,
        local_workers(workers, "cpu", threads=1) as executor,
    ):
        # Twice, since nothing says which worker takes which unit.
        for warm in ("a", "b"):
            run_study(WARM, Path(folder) / warm, progress=False, executor=executor)
        start = time.perf_counter()
        run_study(grid, Path(folder) / "timed", progress=False, executor=executor)
        return time.perf_counter() - start
