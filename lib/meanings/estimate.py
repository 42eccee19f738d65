"""How long cells may take: from like cells that are finished, or from a short trial."""

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from meanings.cells import Cell
from meanings.conditions import condition
from meanings.grid import Asked
from meanings.languages import parse_pair
from meanings.measure import Drawn, Measurer
from meanings.results import finished, provenance_of

TRIAL_PAIRS = 8


def seconds_for(asked: Asked, missing: tuple[Cell, ...], out: Path, device: str) -> float:
    """Seconds for the missing cells on this machine as it is now. Nothing is written.

    From the median of finished cells of the same model and kind, where the folder has them; else from a trial with a few
    concept pairs at the last missing checkpoint, where source prompts, which cells share, are counted apart.
    """
    if not missing:
        return 0.0
    kinds = Counter(map(_kind, missing))
    costs = _finished_costs(missing[0], out)
    if all(kind in costs for kind in kinds):
        return sum(costs[kind] * count for kind, count in kinds.items())
    last = missing[-1]
    run = next(run for run in asked.trajectories if run.training_seed == last.training_seed)
    measurer = Measurer(run.at(last.step).load(dtype=asked.grid.dtype, device=device), asked.lexicon, Drawn())
    scale = min(TRIAL_PAIRS, last.n_pairs) / last.n_pairs
    group = [cell for cell in missing if (cell.training_seed, cell.step, cell.prompt_seed, cell.pair) == _place(last)]
    _timed(measurer, group[:1], scale)  # draws the concept pairs, which is done once
    cold = _timed(measurer, group, scale)
    warm = {kind: _warm(measurer, kind, group, missing, scale) for kind in kinds}
    shared = max(0.0, cold - sum(warm[_kind(cell)] for cell in group)) / max(1, _source_prompts(group))
    return sum(warm[kind] * count for kind, count in kinds.items()) + shared * _source_prompts(missing)


def _finished_costs(like: Cell, out: Path) -> dict[tuple, float]:
    if not finished(out):
        return {}
    table = provenance_of(out)
    same = table[
        (table["model"] == like.model)
        & (table["n_pairs"] == like.n_pairs)
        & (table["shots"] == like.shots)
        & (table["dtype"] == like.dtype)
    ]
    patched = same["condition"].map(lambda name: condition(name).patched)
    return same.groupby([patched, same["generate"]])["seconds"].median().to_dict()


def _warm(measurer: Measurer, kind: tuple, group: list[Cell], missing: tuple[Cell, ...], scale: float) -> float:
    """Seconds a cell of this kind once its source prompts are there."""
    cells = [cell for cell in group if _kind(cell) == kind]
    if not cells:  # only other checkpoints have this kind; what is measured is the trial's model all the same
        one = next(cell for cell in missing if _kind(cell) == kind)
        cells = [cell for cell in missing if _kind(cell) == kind and _place(cell) == _place(one)]
        _timed(measurer, cells, scale)
    return _timed(measurer, cells, scale) / len(cells)


def _timed(measurer: Measurer, cells: list[Cell], scale: float) -> float:
    start = time.perf_counter()
    measurer.measure([replace(cell, n_pairs=round(cell.n_pairs * scale)) for cell in cells])
    return (time.perf_counter() - start) / scale


def _source_prompts(cells: Iterable[Cell]) -> int:
    """How many source prompts the cells need, each checkpoint and prompt seed computing each once."""
    needed = {}
    for cell in cells:
        asked, pair = condition(cell.condition), parse_pair(cell.pair)
        if not asked.patched:
            continue
        where, role = (cell.training_seed, cell.step, cell.prompt_seed), "source" if asked.concept == "mean" else asked.concept
        if cell.source_pairs or asked.varies == "shots":  # drawn for each concept: hardly any is shared
            count = min(cell.source_pairs or asked.prompts_at_most(pair, cell.seen_languages), asked.prompts_at_most(pair, cell.seen_languages))
            needed[*where, cell.pair, cell.condition, cell.source_pairs] = cell.n_pairs * count
            continue
        for source in asked.source_pairs(pair, cell.seen_languages):
            needed[*where, source, role, asked.solved] = cell.n_pairs
    return sum(needed.values())


def _kind(cell: Cell) -> tuple:
    return condition(cell.condition).patched, cell.generate


def _place(cell: Cell) -> tuple:
    return cell.training_seed, cell.step, cell.prompt_seed, cell.pair
