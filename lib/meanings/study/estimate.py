"""How long cells may take: from like cells that are finished, or from a short trial.

Where other jobs have the cores, the clock on the wall says what it takes now and the processor's
time what it would take alone: both are given, as the ends of a range.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

from meanings.measures.catalogue import measure_named
from meanings.measures.cell_files import finished, read_metadatas, there
from meanings.measures.cells import Cell
from meanings.measures.timing import NOTHING, Clock, Estimate, Spent
from meanings.models.checkpoint import Checkpoint
from meanings.study.grid import CheckedGrid


def estimated(
    checked: CheckedGrid, missing: Sequence[Cell], out: Path, device: str
) -> Estimate | None:
    """Time for the missing cells on this machine. Nothing is written, nor fetched.

    From finished cells of the same model and kind on the same device, where the folder has them:
    the range is that of their checkpoints. Else from a trial at the last missing checkpoint that is
    on this machine; None where none is.
    """
    if not missing:
        return Estimate(0.0, 0.0, "nothing is missing")
    found = from_finished(missing, out, device)
    if found is not None:
        return found
    at = last_here(checked, missing)
    return from_trial(checked, missing, device, at) if at is not None else None


def last_here(checked: CheckedGrid, missing: Sequence[Cell]) -> Checkpoint | None:
    """The last missing checkpoint whose weights are on this machine."""
    runs = {run.training_seed: run for run in checked.trajectories}
    places = dict.fromkeys(map(_checkpoint, reversed(missing)))
    here = (runs[seed].at(step) for seed, step in places)
    return next((checkpoint for checkpoint in here if checkpoint.is_here), None)


def from_finished(missing: Sequence[Cell], out: Path, device: str = "auto") -> Estimate | None:
    """From the mean seconds per cell of each finished checkpoint; None where a kind of cell has
    none.

    The first group of a checkpoint computes for all what they share: means have it, medians would
    not.
    """
    keys = there(out, finished(out))
    if not keys:
        return None
    wanted = Counter(map(_kind, missing))
    seconds: dict[tuple, dict[tuple, list[float]]] = defaultdict(lambda: defaultdict(list))
    place = _device_type(device)
    for content in read_metadatas(out, sorted(keys)):
        cell, said = Cell.from_dict(content["cell"]), content["provenance"]
        kind = _kind(cell)
        if kind in wanted and "seconds" in said and said.get("device", place) == place:
            seconds[kind][_checkpoint(cell)].append(said["seconds"])
    if set(seconds) != set(wanted):
        return None
    low = high = 0.0
    for kind, count in wanted.items():
        means = [sum(each) / len(each) for each in seconds[kind].values()]
        low, high = low + count * min(means), high + count * max(means)
    cells = sum(len(each) for kind in seconds.values() for each in kind.values())
    checkpoints = len({place for kind in seconds.values() for place in kind})
    return Estimate(
        low, high, f"from {cells} finished cells of {checkpoints} checkpoints in this folder"
    )


def from_trial(
    checked: CheckedGrid, missing: Sequence[Cell], device: str, at: Checkpoint
) -> Estimate:
    """From a trial of each measure at the checkpoint `at`."""
    clock = machine_clock(device)
    start = clock()
    model = at.load(dtype=checked.grid.dtype, device=device, way=checked.grid.tokenizer)
    load = clock() - start
    found = []
    for name, each in checked.measures.items():
        requests: dict[tuple, list] = defaultdict(list)
        for cell in missing:
            if cell.measure == name:
                requests[_checkpoint(cell)].append(cell.request)
        if requests:
            found.append(
                measure_named(name).estimate(
                    model, each.data, dict(requests), clock, NOTHING if found else load
                )
            )
    return Estimate(
        sum(one.low for one in found),
        sum(one.high for one in found),
        "; ".join(dict.fromkeys(one.basis for one in found)),
    )


def machine_clock(device: str) -> Clock:
    """The wall's clock and, on a CPU, the processor's time over the threads; a GPU's work is not in
    that time.
    """
    import torch

    gpu = _device_type(device) != "cpu"

    def now() -> Spent:
        wall = time.perf_counter()
        return Spent(wall, wall if gpu else time.process_time() / torch.get_num_threads())

    return now


def _device_type(device: str) -> str:
    """`cpu`, `cuda`, ...: what a device's name says, or what `auto` takes here."""
    if device != "auto":
        return device.partition(":")[0]
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def _kind(cell: Cell) -> tuple:
    """What cells have in common that take about as long as each other."""
    subject, measure = cell.subject, measure_named(cell.measure)
    return subject.model, subject.dtype, cell.measure, measure.cost_class(cell.request)


def _checkpoint(cell: Cell) -> tuple[int, int]:
    return cell.subject.training_seed, cell.subject.step
