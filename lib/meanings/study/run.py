"""Run a grid of cells: each checkpoint loaded once, each cell written as soon as it is measured.

What lies in the results folder is not measured again, so that a killed run goes on where it was and
a finished one does nothing. Two runs may share a folder: each takes what it finds missing, and a
cell measured twice is the same twice.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

from tqdm import tqdm

from meanings.core.errors import MeaningsError
from meanings.core.provenance import versions
from meanings.lexicon.languages import parse_pair
from meanings.lexicon.lexicon import Lexicon
from meanings.measures.cells import Cell
from meanings.measures.patching import Measurer
from meanings.measures.results import (
    cell_path,
    finished,
    read_metadata,
    remove_leftovers,
    write_cell,
)
from meanings.models.checkpoints import Checkpoint, seen_languages, weights_identity
from meanings.patching.conditions import condition
from meanings.patching.self_test import check_patching
from meanings.prompts.draws import Drawn
from meanings.prompts.shared import SharedPrompts
from meanings.study.estimate import Estimate, estimated
from meanings.study.grid import Asked, Grid, check_grid


@dataclass(frozen=True)
class Plan:
    """All cells of a grid in the order in which they are run, those that are missing, and how long
    these may take.

    - `units`: what is missing, by checkpoint; `failed`: checkpoints that cannot be read, where
      these are passed over.
    - `estimate`: how long it may take, from cells of the folder or a short trial; None where it was
      not asked for.
    """

    cells: tuple[Cell, ...]
    units: tuple["Unit", ...]
    estimate: Estimate | None
    failed: tuple[MeaningsError, ...] = ()

    @property
    def missing(self) -> tuple[Cell, ...]:
        return tuple(cell for unit in self.units for cell in unit.cells)

    @property
    def keys(self) -> tuple[str, ...]:
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
    """What running the grid, or a shard of it, into `out` would do. Nothing is written.

    - `keep_going`: checkpoints that cannot be read are passed over and listed; `drop`: see `Unit`.

    Raises MeaningsError where the grid asks for what does not exist.
    """
    asked, there = check_grid(grid), finished(out)
    failed: list[MeaningsError] | None = [] if keep_going else None
    whole = [
        (checkpoint, [cell for _, cells in groups for cell in cells])
        for checkpoint, groups in groupby(_groups(asked, failed), key=itemgetter(0))
    ]
    part, parts = shard
    mine = whole[part::parts]
    units = tuple(
        Unit(checkpoint, asked.lexicon, missing, tuple(cells), drop, asked.prompts)
        for checkpoint, cells in mine
        if (missing := tuple(cell for cell in cells if cell.key not in there))
    )
    plan = Plan(
        tuple(cell for _, cells in mine for cell in cells), units, None, tuple(failed or ())
    )
    return replace(plan, estimate=estimated(asked, plan.missing, out, device)) if estimate else plan


def run_study(
    grid: Grid,
    out: Path,
    *,
    dry_run: bool = False,
    progress: bool = True,
    device: str = "auto",
    executor: "Executor | None" = None,
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
    if dry_run:
        return plan
    failures = list(plan.failed)
    if plan.missing:
        _run(plan, out, device, executor, progress, failures if keep_going else None)
    if failures:
        said = "; ".join(f"({i}) {failure}" for i, failure in enumerate(failures, 1))
        raise MeaningsError(
            f"{len(failures)} checkpoints could not be measured, all others are in {out}: {said}"
        )
    return plan


def _run(
    plan: Plan,
    out: Path,
    device: str,
    executor: "Executor | None",
    progress: bool,
    failures: list[MeaningsError] | None,
) -> None:
    """Measure the plan's units; what a unit fails of is raised, or put into `failures` where that
    is given.
    """

    def failed(failure: MeaningsError) -> None:
        if failures is None:
            raise failure
        failures.append(failure)

    remove_leftovers(out)
    done = len(plan.cells) - len(plan.missing)
    # Shown after a second, so that what fails at once fails in one line.
    with tqdm(
        total=len(plan.cells), initial=done, unit="cell", disable=not progress, delay=1
    ) as bar:
        run = executor or in_process(device)
        run(
            plan.units,
            out,
            Progress(bar.update, lambda text: bar.set_description(text, refresh=False), failed),
        )


@dataclass(frozen=True)
class Unit:
    """What is done at a time, in one process: a checkpoint, and those of its cells that are
    missing.

    - `planned`: all its cells of the grid, the finished ones too.
    - `drop`: a checkpoint of the hub leaves the cache when they are measured; `prompts`: none where
      they are drawn.
    """

    checkpoint: Checkpoint
    lexicon: Lexicon
    cells: tuple[Cell, ...]
    planned: tuple[Cell, ...]
    drop: bool = False
    prompts: SharedPrompts | None = None

    def __str__(self) -> str:
        return f"{self.checkpoint.model} seed {self.checkpoint.training_seed} step {self.checkpoint.step}"


class Progress(NamedTuple):
    """Where an executor tells what is done: so many cells more, what is being worked on, and of a
    unit that fails.

    `failed` raises the failure where nothing more is to be measured.
    """

    cells: Callable[[int], object]
    doing: Callable[[str], object]
    failed: Callable[[MeaningsError], object]


Executor = Callable[[Sequence[Unit], Path, Progress], None]


def in_process(device: str = "auto") -> Executor:
    """One checkpoint after the other, here."""

    def run(units: Sequence[Unit], out: Path, progress: Progress) -> None:
        station = Station(device)
        for unit in units:
            progress.doing(str(unit))
            try:
                station.measure(unit, out, progress.cells)
            except MeaningsError as failure:
                progress.failed(failure)

    return run


@dataclass
class Station:
    """One process's workplace: what it keeps from one checkpoint to the next."""

    device: str
    drawn: Drawn = field(default_factory=Drawn)
    tested: set[str] = field(default_factory=set)

    def measure(
        self, unit: Unit, out: Path, report: Callable[[int], object] = lambda cells: None
    ) -> None:
        """Measure the unit's cells and write each into `out`; the weights are loaded once, and only
        where they are needed.
        """
        with unit.checkpoint.held(drop=unit.drop):
            measurer = None
            for _, group in groupby(unit.cells, key=_group):
                cells = list(group)
                # Looked at again for each group: another run may have been here in the meantime.
                there = finished(out)
                missing = [cell for cell in cells if cell.key not in there]
                if missing:
                    measurer = measurer or self._measurer(unit, missing[0].dtype)
                    _measure_and_write(measurer, _together(unit, missing, out), missing, out, unit)
                report(len(cells))

    def _measurer(self, unit: Unit, dtype: str) -> Measurer:
        model = unit.checkpoint.load(dtype=dtype, device=self.device)
        if unit.checkpoint.model not in self.tested:
            with named(unit):
                check_patching(model)
            self.tested.add(unit.checkpoint.model)
        return Measurer(model, unit.lexicon, self.drawn, unit.planned, unit.prompts)


@contextmanager
def named(unit: Unit) -> Iterator[None]:
    """What is refused says of which checkpoint it is."""
    try:
        yield
    except MeaningsError as failure:
        raise MeaningsError(f"{unit}: {failure}") from None


def _group(cell: Cell) -> tuple[int, str]:
    """What cells have in common that are measured together."""
    return cell.prompt_seed, cell.pair


def _together(unit: Unit, missing: list[Cell], out: Path) -> list[Cell]:
    """The missing cells of a group, and the finished ones that were measured with them before that
    run was killed.

    The size of a batch decides the last bits of a number. A group that was broken off is measured
    again as a whole, so that the rest of it is what it would have been; where cells are asked for
    that were not asked for then, they alone are measured.
    """
    group = {cell.key: cell for cell in unit.planned if _group(cell) == _group(missing[0])}
    lacking = {cell.key for cell in missing}
    for key in sorted(finished(out) & set(group)):
        measured = _measured_with(cell_path(out, key))
        if lacking & measured:
            return [cell for cell in group.values() if cell.key in lacking | measured]
    return missing


def _measured_with(file: Path) -> set[str]:
    try:
        return set(read_metadata(file)["provenance"].get("together", ()))
    except MeaningsError:  # whoever reads the numbers will be told
        return set()


def _measure_and_write(
    measurer: Measurer, cells: list[Cell], missing: list[Cell], out: Path, unit: Unit
) -> None:
    start = time.perf_counter()
    with named(unit):
        measured = measurer.measure(cells)
    said = unit.checkpoint.origin | {
        "seconds": round((time.perf_counter() - start) / len(cells), 3),
        "versions": versions(),
        "together": sorted(cell.key for cell in cells),
    }
    for cell in missing:
        rows, provenance = measured[cell.key]
        write_cell(out, cell, rows, provenance | said)


def _groups(
    asked: Asked, failed: list[MeaningsError] | None
) -> Iterator[tuple[Checkpoint, list[Cell]]]:
    """Cells that are measured together, in order of training seed, step, prompt seed and pair.

    What cannot be read is raised, or put into `failed` where that is given, and passed over.
    """
    grid = asked.grid
    for run in asked.trajectories:
        seen = seen_languages(run, asked.lexicon)
        for checkpoint in run.checkpoints:
            try:
                weights = weights_identity(checkpoint)
            except MeaningsError as failure:
                if failed is None:
                    raise
                failed.append(failure)
                continue
            for prompt_seed in grid.prompt_seeds:
                for pair in grid.pairs:
                    yield (
                        checkpoint,
                        [
                            Cell(
                                model=run.model,
                                training_seed=run.training_seed,
                                step=checkpoint.step,
                                tokens=checkpoint.tokens,
                                weights_sha256=weights,
                                lexicon=asked.lexicon.name,
                                lexicon_sha256=asked.lexicon.sha256,
                                languages=asked.lexicon.languages,
                                pair=pair,
                                condition=name,
                                prompt_seed=prompt_seed,
                                n_pairs=grid.n_pairs,
                                shots=grid.shots,
                                template=grid.template,
                                generate=grid.generate
                                if _answers(grid, name, checkpoint is run.last)
                                else 0,
                                seen_languages=seen,
                                dtype=grid.dtype,
                                prompts_sha256=asked.prompts.sha256 if asked.prompts else "",
                                score=grid.score,
                                **_of_patch(grid, name, pair, seen),
                            )
                            for name in asked.conditions
                            if condition(name).source_pairs(parse_pair(pair), seen)
                        ],
                    )


def _of_patch(grid: Grid, name: str, pair: str, seen: tuple[str, ...]) -> dict[str, str | int]:
    """What a condition's cell takes of the grid's ways to patch: a cell that they cannot change
    keeps its key.
    """
    asked = condition(name)
    if not asked.patched:
        return {}
    several = asked.prompts_at_most(parse_pair(pair), seen) > 1
    return {"layers": grid.layers, "source_pairs": grid.source_pairs if several else 0}


def _answers(grid: Grid, name: str, last: bool) -> bool:
    if grid.score == "word":
        return False
    return (
        not condition(name).patched
        or grid.generate_patched == "every"
        or (grid.generate_patched == "last" and last)
    )
