"""Measure single cells again, as they were asked: how published numbers are checked."""

from collections.abc import Sequence
from itertools import groupby

import pandas as pd

from meanings.core.errors import MeaningsError
from meanings.lexicon.lexicon import Lexicon, load_lexicon
from meanings.measures.cells import METHOD_VERSION, Cell
from meanings.measures.patching import Measurer
from meanings.models.checkpoints import Checkpoint, trajectory, weights_identity
from meanings.prompts.draws import Drawn
from meanings.prompts.shared import SharedPrompts


def recompute(
    cells: Sequence[Cell], *, device: str = "auto", prompts: SharedPrompts | None = None
) -> dict[str, pd.DataFrame]:
    """The rows of these cells, by key, measured again; `prompts` where a cell was asked with a file
    of them.

    Raises MeaningsError where a checkpoint or the lexicon is not the one that a cell was measured
    with.
    """
    drawn, found = Drawn(), {}
    order = sorted(
        cells,
        key=lambda cell: (
            cell.model,
            cell.training_seed,
            cell.step,
            cell.dtype,
            cell.languages,
            cell.key,
        ),
    )
    for _, group in groupby(
        order,
        key=lambda cell: (cell.model, cell.training_seed, cell.step, cell.dtype, cell.languages),
    ):
        members = list(group)
        lexicon = [lexicon_of(cell) for cell in members][0]
        measurer = Measurer(
            [checkpoint_of(cell) for cell in members][0].load(
                dtype=members[0].dtype, device=device
            ),
            lexicon,
            drawn,
            prompts=prompts,
        )
        for cell in members:
            found[cell.key] = measurer.measure([cell])[cell.key][0]
    return found


def checkpoint_of(cell: Cell) -> Checkpoint:
    """The cell's checkpoint. Raises MeaningsError where it is not there or has other weights."""
    checkpoint = trajectory(cell.model, cell.training_seed).at(cell.step)
    if weights_identity(checkpoint) != cell.weights_sha256:
        raise MeaningsError(
            f"cell {cell}: the checkpoint has other weights than it was measured with; publish its "
            "results again"
        )
    return checkpoint


def lexicon_of(cell: Cell) -> Lexicon:
    """The cell's lexicon. Raises MeaningsError where it has changed, or the method has."""
    lexicon = load_lexicon(cell.lexicon).restrict(languages=cell.languages)
    if lexicon.sha256 != cell.lexicon_sha256:
        raise MeaningsError(
            f"cell {cell}: lexicon {cell.lexicon!r} is not the one it was measured with; publish "
            "its results again"
        )
    if cell.method != METHOD_VERSION:
        raise MeaningsError(
            f"cell {cell}: measured with method version {cell.method}, and this is "
            f"{METHOD_VERSION}; publish its results again"
        )
    return lexicon
