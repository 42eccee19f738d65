"""Run a grid of cells: each checkpoint loaded once, each cell written as soon as it is measured.

What lies in the results folder is not measured again, so that a killed run goes on where it was and
a finished one does nothing. Runs of a grid may share a folder, also from several machines: each
passes over the groups of cells that another one is measuring, and waits at the end until these are
there too (`meanings.study.running`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Hashable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from meanings.core.errors import MeaningsError
from meanings.core.processes import process_name
from meanings.core.provenance import versions
from meanings.core.status_line import Report, StatusLine, unreported
from meanings.measures.base import Shared
from meanings.measures.catalogue import measure_named
from meanings.measures.cells import Cell
from meanings.measures.results import (
    cell_path,
    read_metadata,
    remove_leftovers,
    there,
    write_cell,
)
from meanings.study.grid import Grid
from meanings.study.plan import Plan, Task, group_of, plan_study
from meanings.study.progress import StudyProgress
from meanings.study.running import Claim, Journal, Status, StatusFile, running_folder, tidy

POLL = 1.0  # seconds between two looks at what another run is measuring


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


def groups(task: Task) -> dict[Hashable, list[Cell]]:
    """All planned cells of a task, finished ones too, by the group that is measured together."""
    found: dict[Hashable, list[Cell]] = {}
    for cell in task.planned:
        found.setdefault(group_of(cell), []).append(cell)
    return found


@dataclass
class Worker:
    """One process that measures tasks, and what its measures keep between checkpoints."""

    device: str
    process: dict[str, Any] = field(default_factory=dict)

    def measure(
        self,
        task: Task,
        out: Path,
        finished: Callable[[Collection[str]], object] = lambda keys: None,
        journal: Journal | None = None,
    ) -> None:
        """Measure the task's cells and write each into `out`; the weights are loaded once, and only
        where they are needed. Groups that another run is measuring are waited for.

        - `finished`: is given the keys of cells that are there; `journal`: is told what is done.
        """
        journal, whole = journal or Journal(), groups(task)
        left = [
            (Claim(out, whole[group]), list(cells))
            for group, cells in groupby(task.cells, key=group_of)
        ]
        # Two runs at one checkpoint meet in the middle: what groups share is computed by both.
        if any(claim.is_there for claim, _ in left):
            left.reverse()
        loaded: LoadedCheckpoint | None = None
        with task.checkpoint.held(drop=task.drop), journal.task(str(task)):
            while left:
                passed = []
                for claim, cells in left:
                    if not claim.take():
                        passed.append((claim, cells))
                        continue
                    try:
                        # Looked at again: another run may have been here in the meantime.
                        measured = there(out, (cell.key for cell in cells))
                        missing = [cell for cell in cells if cell.key not in measured]
                        if missing:
                            loaded = loaded or LoadedCheckpoint.of(task, self, journal)
                            with journal.measuring(missing):
                                loaded.measure_and_write(missing, out)
                    finally:
                        claim.leave()
                    finished([cell.key for cell in cells])
                if len(passed) == len(left):
                    journal.report("waiting for another run's cells")
                    time.sleep(POLL)
                left = passed


@dataclass
class LoadedCheckpoint:
    """A task's checkpoint, loaded, with what its measures keep while it is."""

    task: Task
    model: Any
    process: dict[str, Any]
    checkpoint: dict[str, Any] = field(default_factory=dict)
    report: Report = unreported

    @classmethod
    def of(cls, task: Task, worker: Worker, journal: Journal) -> LoadedCheckpoint:
        """Load it. Raises MeaningsError where it cannot be, or has other weights than planned."""
        subject = task.cells[0].subject
        journal.report("starting torch")  # once, so that it is not counted as loading
        import meanings.models.loading  # noqa: F401

        with journal.loading():
            model = task.checkpoint.load(
                dtype=subject.dtype, device=worker.device, way=task.tokenizer
            )
        # Of a checkpoint on the hub, its commit is what was planned.
        if task.checkpoint.path is not None and model.weights_sha256 != subject.weights_sha256:
            raise MeaningsError(
                f"{task}: its weights are not those that were planned (sha256 "
                f"{model.weights_sha256[:12]}..., planned {subject.weights_sha256[:12]}...): the "
                "files changed in the meantime; run the study again"
            )
        return cls(task, model, worker.process, report=journal.report)

    @cached_property
    def groups(self) -> dict[Hashable, list[Cell]]:
        """All planned cells by group."""
        return groups(self.task)

    @cached_property
    def provenance(self) -> dict[str, Any]:
        """What every file notes: where the checkpoint is from, what was loaded, and with what."""
        from meanings.prompts.draws import tokenizer_sha256

        return {
            "device": self.model.device.type,
            "n_layers": self.model.n_layers,
            "d_model": self.model.d_model,
            "loaded_weights_sha256": self.model.weights_sha256,
            "tokenizer_sha256": tokenizer_sha256(self.model),
            **self.task.checkpoint.origin,
            "versions": versions(),
        }

    def measure_and_write(self, missing: Sequence[Cell], out: Path) -> None:
        """Measure a group's missing cells, with those that belong to them, and write them."""
        start = time.perf_counter()
        cells = self._together(missing, out)
        name = cells[0].measure
        planned = [cell.request for cell in self.task.planned if cell.measure == name]
        shared = Shared(planned, self.process, self.checkpoint, self.report)
        with named(self.task):
            found = measure_named(name).measure(
                self.model, self.task.data[name], [cell.request for cell in cells], shared
            )
        told = (
            self.provenance
            | (self.model.read.provenance if self.model.read else {})
            | {
                "seconds": round((time.perf_counter() - start) / len(cells), 3),
                "together": sorted(cell.key for cell in cells),
            }
        )
        for cell in missing:
            measured = found[cell.request]
            write_cell(out, cell, measured.rows, measured.provenance | told)

    def _together(self, missing: Sequence[Cell], out: Path) -> Sequence[Cell]:
        """The missing cells of a group, and the finished ones that were measured with them before
        that run was killed.

        The size of a batch decides the last bits of a number. A group that was broken off is
        measured again as a whole, so that the rest of it is what it would have been; where cells
        are asked for that were not asked for then, they alone are measured.
        """
        group = {cell.key: cell for cell in self.groups[group_of(missing[0])]}
        lacking = {cell.key for cell in missing}
        for key in sorted(there(out, group)):
            measured = _measured_with(cell_path(out, key))
            if lacking & measured:
                return [cell for key, cell in group.items() if key in lacking | measured]
        return missing


@contextmanager
def named(task: Task) -> Iterator[None]:
    """What is refused says of which checkpoint it is."""
    try:
        yield
    except MeaningsError as failure:
        raise MeaningsError(f"{task}: {failure}") from None


def _measured_with(file: Path) -> set[str]:
    try:
        return set(read_metadata(file)["provenance"].get("together", ()))
    except MeaningsError:  # whoever reads the numbers will be told
        return set()
