"""A process that measures the tasks of a plan: each checkpoint loaded once, each cell written as
soon as it is measured.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any

from meanings.core.errors import MeaningsError
from meanings.core.provenance import versions
from meanings.core.status_line import Report, unreported
from meanings.measures.base import Shared
from meanings.measures.catalogue import measure_named
from meanings.measures.cell_files import (
    cell_path,
    read_metadata,
    there,
    write_cell,
)
from meanings.measures.cells import Cell
from meanings.study.plan import Task, group_of
from meanings.study.running import Claim, Journal

POLL = 1.0  # seconds between two looks at what another run is measuring


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
