"""Run a grid of cells: each checkpoint loaded once, each cell written as soon as it is measured.

What lies in the results folder is not measured again, so that a killed run goes on where it was and a finished one does
nothing. Two runs may share a folder: each takes what it finds missing, and a cell measured twice is the same twice.
"""

import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from itertools import groupby
from pathlib import Path
from platform import python_version

from tqdm import tqdm

from meanings.cells import Cell
from meanings.checkpoints import Checkpoint
from meanings.conditions import CONDITIONS
from meanings.errors import MeaningsError
from meanings.estimate import seconds_for
from meanings.grid import Asked, Grid, check_grid, seen_languages
from meanings.languages import parse_pair
from meanings.measure import Drawn, Measurer
from meanings.patching import self_test
from meanings.results import finished, remove_leftovers, write_cell

VERSIONS = ("meanings", "torch", "transformers", "tokenizers", "nnsight", "numpy")


@dataclass(frozen=True)
class Plan:
    """All cells of a grid in the order in which they are run, those that are missing, and how long these may take.

    - `seconds`: an estimate, from cells of the folder or a short trial; NaN where none was asked for.
    """

    cells: tuple[Cell, ...]
    missing: tuple[Cell, ...]
    seconds: float

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(cell.key for cell in self.cells)


def plan_study(grid: Grid, out: Path, *, estimate: bool = False, device: str = "auto") -> Plan:
    """What running the grid into `out` would do. Nothing is written.

    Raises MeaningsError where the grid asks for what does not exist.
    """
    asked = check_grid(grid)
    cells = tuple(cell for _, group in _groups(asked) for cell in group)
    there = finished(out)
    missing = tuple(cell for cell in cells if cell.key not in there)
    seconds = seconds_for(asked, missing, out, device) if estimate else float("nan")
    return Plan(cells, missing, seconds)


def run_study(grid: Grid, out: Path, *, dry_run: bool = False, progress: bool = True, device: str = "auto") -> Plan:
    """Measure what is missing of the grid and write it into `out`; the plan, as it was before.

    With `dry_run` only the plan is made, with an estimate of the time, and nothing is written.

    Raises MeaningsError where the grid asks for what does not exist, or a checkpoint is damaged.
    """
    plan = plan_study(grid, out, estimate=dry_run, device=device)
    if dry_run or not plan.missing:
        return plan
    asked, drawn, tested = check_grid(grid), Drawn(), False
    remove_leftovers(out)
    done = len(plan.cells) - len(plan.missing)
    # Shown after a second, so that what fails at once fails in one line.
    with tqdm(total=len(plan.cells), initial=done, unit="cell", disable=not progress, delay=1) as bar:
        for checkpoint, groups in groupby(_groups(asked), key=lambda item: item[0]):
            measurer = None
            for _, cells in groups:
                # Looked at again for each group: another run may have been here in the meantime.
                there = finished(out)
                missing = [cell for cell in cells if cell.key not in there]
                wanted = {cell.key for cell in plan.missing}
                if missing and measurer is None:
                    bar.set_description(f"{checkpoint.model} seed {checkpoint.training_seed} step {checkpoint.step}", refresh=False)
                    model = checkpoint.load(dtype=grid.dtype, device=device)
                    if not tested:
                        self_test(model)
                        tested = True
                    measurer = Measurer(model, asked.lexicon, drawn)
                if missing:
                    _measure_and_write(measurer, missing, out)
                bar.update(sum(cell.key in wanted for cell in cells))
    return plan


def _measure_and_write(measurer: Measurer, cells: list[Cell], out: Path) -> None:
    start = time.perf_counter()
    measured = measurer.measure(cells)
    seconds = (time.perf_counter() - start) / len(cells)
    for cell in cells:
        rows, provenance = measured[cell.key]
        write_cell(out, cell, rows, provenance | {"seconds": round(seconds, 3), "versions": versions()})


def _groups(asked: Asked) -> Iterator[tuple[Checkpoint, list[Cell]]]:
    """Cells that are measured together, in order of training seed, step, prompt seed and pair."""
    grid = asked.grid
    for run in asked.trajectories:
        seen = seen_languages(run, asked.lexicon)
        for checkpoint in run.checkpoints:
            weights = weights_identity(checkpoint)
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
                                generate=grid.generate if _answers(grid, name, checkpoint is run.last) else 0,
                                seen_languages=seen,
                                dtype=grid.dtype,
                            )
                            for name in asked.conditions
                            if CONDITIONS[name].source_pairs(parse_pair(pair), seen)
                        ],
                    )


def _answers(grid: Grid, condition: str, last: bool) -> bool:
    return not CONDITIONS[condition].patched or grid.generate_patched == "every" or (grid.generate_patched == "last" and last)


def weights_identity(checkpoint: Checkpoint) -> str:
    """SHA-256 of the weights of a local checkpoint; of source and revision of one on the hub, which names its content."""
    if checkpoint.path is None:
        return hashlib.sha256(f"{checkpoint.source}@{checkpoint.revision}".encode()).hexdigest()
    from meanings.models import hash_weights

    try:
        return hash_weights(checkpoint.path)
    except OSError as error:
        raise MeaningsError(
            f"{checkpoint.path}: the checkpoint cannot be read ({error.strerror}: {Path(error.filename or '').name})"
        ) from None


def versions() -> dict[str, str]:
    """Versions of Python and of the libraries that a number may depend on."""
    found = {"python": python_version()}
    for name in VERSIONS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found
