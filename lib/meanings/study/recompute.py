"""Measure single cells again, as they were asked: how published numbers are checked."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import pandas as pd

from meanings.core.errors import MeaningsError
from meanings.lexicon.lexicon import Lexicon, load_lexicon
from meanings.measures.base import Shared
from meanings.measures.catalogue import measure_named
from meanings.measures.cells import Cell
from meanings.models.checkpoint import Checkpoint, weights_identity
from meanings.models.checkpoints import trajectory
from meanings.models.trajectories import Trajectory
from meanings.study.plan import group_of


def recompute(
    cells: Sequence[Cell], *, device: str = "auto", prompts: Any = None
) -> dict[str, pd.DataFrame]:
    """The rows of these cells, by key, measured again: side by side what a study measures together.

    - `prompts`: `meanings.prompts.shared.SharedPrompts`, where a cell was asked with a file of
      them.

    Raises MeaningsError where a checkpoint or the lexicon is not the one that a cell was measured
    with.
    """
    found: dict[str, pd.DataFrame] = {}
    process: dict[str, Any] = {}
    for _, loaded in groupby(sorted(cells, key=_loaded), key=_loaded):
        members = sorted(loaded, key=group_of)
        for cell in members:
            checkpoint = checkpoint_of(cell)
        subject = members[0].subject
        model = checkpoint.load(dtype=subject.dtype, device=device, way=subject.tokenizer)
        shared = Shared((), process, {})
        for (name, _), group in groupby(members, key=group_of):
            asked = {cell.request: cell for cell in group}
            measure = measure_named(name)
            data = measure.data(lexicon_of(cell), run_of(cell), prompts)
            measured = measure.measure(model, data, list(asked), shared)
            found |= {cell.key: measured[request].rows for request, cell in asked.items()}
    return found


def _loaded(cell: Cell) -> tuple:
    """What cells have in common that are measured with one loaded checkpoint."""
    subject = cell.subject
    languages = cell.data.languages
    loaded = subject.model, subject.training_seed, subject.step, subject.dtype, subject.tokenizer
    return *loaded, languages


def run_of(cell: Cell) -> Trajectory:
    """The training run of the cell's checkpoint."""
    return trajectory(cell.subject.model, cell.subject.training_seed)


def checkpoint_of(cell: Cell) -> Checkpoint:
    """The cell's checkpoint. Raises MeaningsError where it is not there or has other weights."""
    subject = cell.subject
    checkpoint = run_of(cell).at(subject.step)
    if weights_identity(checkpoint) != subject.weights_sha256:
        raise MeaningsError(
            f"cell {cell}: the checkpoint has other weights than it was measured with; publish its "
            "results again"
        )
    return checkpoint


def lexicon_of(cell: Cell) -> Lexicon:
    """The cell's lexicon. Raises MeaningsError where it has changed, or the method has."""
    lexicon = load_lexicon(cell.data.name).restrict(languages=cell.data.languages)
    if lexicon.sha256 != cell.data.sha256:
        raise MeaningsError(
            f"cell {cell}: lexicon {cell.data.name!r} is not the one it was measured with; publish "
            "its results again"
        )
    version = measure_named(cell.measure).version
    if cell.version != version:
        raise MeaningsError(
            f"cell {cell}: measured with method version {cell.version}, and this is {version}; "
            "publish its results again"
        )
    return lexicon
