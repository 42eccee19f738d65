"""Run a grid of cells: each checkpoint loaded once, each cell written as soon as it is measured.

What lies in the results folder is not measured again, so that a killed run goes on where it was and
a finished one does nothing. Runs of a grid may share a folder, also from several machines: each
passes over the groups of cells that another one is measuring, and waits at the end until these are
there too (`meanings.study.running`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from meanings.core.errors import MeaningsError
from meanings.core.processes import process_name
from meanings.core.status_line import StatusLine
from meanings.measures.cell_files import (
    remove_leftovers,
)
from meanings.study.grid import Grid
from meanings.study.plan import Plan, Task, plan_study
from meanings.study.progress import StudyProgress
from meanings.study.running import Claim, Journal, Status, StatusFile, running_folder, tidy
from meanings.study.worker import Worker, groups


class Progress(NamedTuple):
    """Where an executor tells what is done: keys of cells that are there now, what the run's
    processes are doing, and of a task that fails.

    - `run`: the name that the run has beside its results.
    - `failed` raises the failure where nothing more is to be measured.
    """

    run: str
    cells: Callable[[Collection[str]], object]
    doing: Callable[[Sequence[Status]], object]
    failed: Callable[[MeaningsError], object]


# Measures tasks and writes their cells into a folder.
Executor = Callable[[Sequence[Task], Path, Progress], None]


def run_study(
    grid: Grid,
    out: Path,
    *,
    dry_run: bool = False,
    progress: bool = True,
    device: str = "auto",
    executor: Executor | None = None,
    shard: tuple[int, int] = (0, 1),
    keep_going: bool = False,
    drop: bool = False,
) -> Plan:
    """Measure what is missing of the grid and write it into `out`; the plan, as it was before.

    - `dry_run`: only the plan is made, with an estimate of the time, and nothing is written.
    - `executor`: where checkpoints are measured; in this process where none is given (see
      `meanings.study.executors`).
    - `shard`: `(i, n)` takes every n-th checkpoint from the i-th on, so that n runs share the grid.
    - `keep_going`: after a checkpoint that is damaged or cannot be had, the others are measured all
      the same.
    - `drop`: a checkpoint of the hub leaves the cache after its last use.

    Raises MeaningsError where the grid asks for what does not exist, or a checkpoint is damaged: at
    once, or with `keep_going` when all others are measured, naming each.
    """
    plan = plan_study(
        grid, out, shard=shard, estimate=dry_run, device=device, keep_going=keep_going, drop=drop
    )
    if not dry_run:
        run_plan(
            plan, out, progress=progress, device=device, executor=executor, keep_going=keep_going
        )
    return plan


def run_plan(
    plan: Plan,
    out: Path,
    *,
    progress: bool = True,
    device: str = "auto",
    executor: Executor | None = None,
    keep_going: bool = False,
) -> None:
    """Measure the tasks of a plan; see `run_study`."""
    failures = list(plan.failed)

    def failed(failure: MeaningsError) -> None:
        if not keep_going:
            raise failure
        failures.append(failure)

    name = process_name()
    new = [folder for folder in (out, *out.parents) if not folder.exists()]
    if plan.tasks or running_folder(out).exists():
        remove_leftovers(out)
        tidy(out, name)
    if plan.tasks:
        study = StudyProgress(plan.tasks, len(plan.cells))
        try:
            with StatusLine(study.text, shown=progress):
                told = Progress(name, study.finished, study.told, failed)
                (executor or in_process(device))(plan.tasks, out, told)
        finally:
            tidy(out, name)
            with suppress(OSError):  # folders in which nothing was written
                for folder in new:
                    folder.rmdir()
    if failures:
        listed = "; ".join(f"({i}) {failure}" for i, failure in enumerate(failures, 1))
        raise MeaningsError(
            f"{len(failures)} checkpoints could not be measured, all others are in {out}: {listed}"
        )


def in_process(device: str = "auto") -> Executor:
    """One checkpoint after the other, in this process; those at which no other run is first."""

    worker = Worker(device)  # what its measures keep serves all plans that it runs

    def run(tasks: Sequence[Task], out: Path, progress: Progress) -> None:
        file = StatusFile(out, progress.run)

        def tell(status: Status) -> None:
            file.write(status)
            progress.doing([status])

        journal, left = Journal(tell), list(tasks)
        while left:
            free = (i for i, task in enumerate(left) if not is_busy(task, out))
            task = left.pop(next(free, 0))
            try:
                worker.measure(task, out, progress.cells, journal)
            except MeaningsError as failure:
                progress.failed(failure)

    return run


def is_busy(task: Task, out: Path) -> bool:
    """Whether another run is measuring cells of the task."""
    return running_folder(out).exists() and any(
        Claim(out, group).is_there for group in groups(task).values()
    )
