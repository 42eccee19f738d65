"""The plan of a study: all cells of a grid, in the order in which they are measured, and those that
are missing.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from meanings.core.errors import MeaningsError, one_of
from meanings.measures.base import Data, Moment
from meanings.measures.catalogue import measure_named
from meanings.measures.cell_files import damaged, there
from meanings.measures.cells import Cell, Subject
from meanings.measures.timing import Estimate
from meanings.models.checkpoint import Checkpoint, weights_identity
from meanings.models.trajectories import Trajectory, seen_languages
from meanings.study.grid import CheckedGrid, Grid, check_grid


@dataclass(frozen=True)
class Task:
    """What one process does at a time: a checkpoint, and those of its cells that are missing.

    - `data`: what each measure reads.
    - `planned`: all cells of the checkpoint in the grid, finished ones too.
    - `drop`: whether a checkpoint of the hub leaves the cache when they are measured.
    - `tokenizer`: how it is read (`meanings.models.tokenizers.WAYS`).
    """

    checkpoint: Checkpoint
    data: Mapping[str, Data]
    cells: tuple[Cell, ...]
    planned: tuple[Cell, ...]
    drop: bool = False
    tokenizer: str = "agreed"

    def __str__(self) -> str:
        place = self.checkpoint
        return f"{place.model} seed {place.training_seed} step {place.step}"


def group_of(cell: Cell) -> tuple[str, Hashable]:
    """What cells of a checkpoint have in common that are measured together."""
    return cell.measure, measure_named(cell.measure).together(cell.request)


@dataclass(frozen=True)
class Download:
    """What is to be fetched before it can be measured.

    - `checkpoints`: how many; `files` and `bytes`: of the last of them.
    """

    source: str
    checkpoints: int
    files: int
    bytes: int


@dataclass(frozen=True)
class Plan:
    """All cells of a grid, or of a shard of it, and what is to be done.

    - `tasks`: what is missing, by checkpoint; `failed`: why checkpoints that cannot be read are
      passed over.
    - `estimate`: how long it may take; None where it was not asked for, or nothing tells it:
      neither finished cells nor a checkpoint on this machine.
    - `notes`: what a user should know: what of the grid is left out, which result files are
      damaged.
    - `download`: what is to be fetched first; None where nothing is, or no estimate was asked for.
    """

    cells: tuple[Cell, ...]
    tasks: tuple[Task, ...]
    estimate: Estimate | None = None
    failed: tuple[MeaningsError, ...] = ()
    download: Download | None = None
    notes: tuple[str, ...] = ()

    @property
    def missing(self) -> tuple[Cell, ...]:
        """The cells that are not in the folder."""
        return tuple(cell for task in self.tasks for cell in task.cells)

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of all cells, in order."""
        return tuple(cell.key for cell in self.cells)


def plan_study(
    grid: Grid,
    out: Path,
    *,
    shard: tuple[int, int] = (0, 1),
    estimate: bool = False,
    device: str = "auto",
    keep_going: bool = False,
    drop: bool = False,
) -> Plan:
    """What running the grid, or a shard of it, into `out` would do. Nothing is written or fetched.

    - `shard`: `(i, n)` takes every n-th checkpoint from the i-th on.
    - `keep_going`: checkpoints that cannot be read are passed over and listed; `drop`: see `Task`.

    Raises MeaningsError where the grid asks for what does not exist.
    """
    checked = check_grid(grid)
    data = {name: each.data for name, each in checked.measures.items()}
    failed: list[MeaningsError] = []
    cells: list[Cell] = []
    tasks: list[Task] = []
    for checkpoint, whole in checkpoint_cells(checked, shard, failed if keep_going else None):
        cells += whole
        # Asked for by name: listing a large folder takes longer than all of the plan.
        measured = there(out, (cell.key for cell in whole))
        if missing := tuple(cell for cell in whole if cell.key not in measured):
            tasks.append(Task(checkpoint, data, missing, tuple(whole), drop, grid.tokenizer))
    notes = [note for each in checked.measures.values() for note in each.notes]
    if broken := damaged(out, (cell.key for task in tasks for cell in task.cells)):
        notes.append(
            f"{len(broken)} result files in {out} are cut off or written over and are measured "
            f"again: {one_of(sorted(key[:12] for key in broken), 4)}"
        )
    plan = Plan(tuple(cells), tuple(tasks), None, tuple(failed), notes=tuple(notes))
    if not estimate:
        return plan
    from meanings.study.estimate import estimated

    return replace(
        plan,
        estimate=estimated(checked, plan.missing, out, device),
        download=download_of(plan.tasks),
    )


def download_of(tasks: Sequence[Task]) -> Download | None:
    """What the tasks' checkpoints lack on this machine; None where they are all here.

    The hub is asked for the last one's files, of which the others have about as many.
    """
    away = [t.checkpoint for t in tasks if t.checkpoint.source and not t.checkpoint.is_here]
    if not away:
        return None
    from meanings.models.hub import bytes_of, files

    last = away[-1]
    count, size = bytes_of(files(str(last.source), str(last.commit)), last.subfolder)
    return Download(str(last.source), len(away), count, size)


def checkpoint_cells(
    checked: CheckedGrid,
    shard: tuple[int, int] = (0, 1),
    failed: list[MeaningsError] | None = None,
) -> Iterator[tuple[Checkpoint, list[Cell]]]:
    """Each checkpoint with its cells, in order of training seed, step and measure.

    - `shard`: `(i, n)` takes every n-th checkpoint from the i-th on.

    What cannot be read is raised, or put into `failed` where that is given, and passed over.
    """
    part, parts = shard
    places = [(run, place) for run in checked.trajectories for place in run.checkpoints]
    for run, checkpoint in places[part::parts]:
        try:
            weights = weights_identity(checkpoint)
        except MeaningsError as failure:
            if failed is None:
                raise
            failed.append(failure)
            continue
        yield checkpoint, _cells(checked, run, checkpoint, weights)


def _cells(
    checked: CheckedGrid, run: Trajectory, checkpoint: Checkpoint, weights: str
) -> list[Cell]:
    subject = Subject(
        model=run.model,
        training_seed=run.training_seed,
        step=checkpoint.step,
        tokens=checkpoint.tokens,
        weights_sha256=weights,
        dtype=checked.grid.dtype,
        tokenizer="library" if checked.grid.tokenizer == "library" else "file",
    )
    moment = Moment(seen_languages(run, checked.lexicon), checkpoint is run.last)
    cells = []
    for name, each in checked.measures.items():
        measure, data = measure_named(name), each.data.identity
        cells += [
            Cell(name, measure.version, subject, data, request)
            for request in measure.plan(each, moment)
        ]
    return cells
