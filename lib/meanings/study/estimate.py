"""How long cells may take: from like cells that are finished, or from a short trial of two sizes.

Of one pair's cells at n concept pairs a trial tells seconds t(n), which is a + b n: forwards have
costs that do not grow with n, so that a small trial, scaled up, says too much. Where other jobs
have the cores, the clock on the wall says what it takes now and the processor's time what it would
take alone: both are given, as the ends of a range.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from numbers import Real
from pathlib import Path

from meanings.lexicon.languages import parse_pair
from meanings.measures.cells import Cell
from meanings.measures.patching import Measurer
from meanings.measures.results import finished, provenance_of
from meanings.patching.conditions import condition
from meanings.prompts.draws import Drawn
from meanings.study.grid import Asked

TRIAL_PAIRS = (4, 12)
# share of the threads' time below which others may have the cores, or the work leaves some idle
BUSY = 0.9


@dataclass(frozen=True)
class Spent:
    """Seconds on the wall, and seconds that the processor's threads would have needed alone (a
    lower bound).
    """

    wall: float
    alone: float

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(self.wall + other.wall, self.alone + other.alone)

    def __mul__(self, times: Real) -> "Spent":
        return Spent(self.wall * times, self.alone * times)


NOTHING = Spent(0.0, 0.0)
Clock = Callable[[], Spent]


@dataclass(frozen=True)
class Estimate:
    """Seconds from `low` to `high`, and what they were told from."""

    low: float
    high: float
    basis: str


def estimated(asked: Asked, missing: tuple[Cell, ...], out: Path, device: str) -> Estimate:
    """Time for the missing cells on this machine. Nothing is written.

    From finished cells of the same model and kind, where the folder has them: the range is that of
    their checkpoints. Else from a trial at the last missing checkpoint.
    """
    if not missing:
        return Estimate(0.0, 0.0, "nothing is missing")
    found = from_finished(missing, out)
    if found is not None:
        return found
    last = missing[-1]
    run = next(run for run in asked.trajectories if run.training_seed == last.training_seed)
    clock = machine_clock(device)
    start = clock()
    model = run.at(last.step).load(dtype=asked.grid.dtype, device=device)
    return from_trial(
        Measurer(model, asked.lexicon, Drawn(), prompts=asked.prompts),
        missing,
        clock,
        load=clock() + start * -1,
    )


def from_finished(missing: tuple[Cell, ...], out: Path) -> Estimate | None:
    """From the mean seconds a cell of each finished checkpoint; None where a kind of cell has none."""
    if not finished(out):
        return None
    table, like = provenance_of(out), missing[0]
    if "seconds" not in table:
        return None
    same = table[
        (table["model"] == like.model)
        & (table["n_pairs"] == like.n_pairs)
        & (table["shots"] == like.shots)
        & (table["dtype"] == like.dtype)
    ]
    patched = same["condition"].map(lambda name: condition(name).patched)
    # The first pair of a checkpoint computes source prompts for all: means have it, medians would
    # not.
    means = same.groupby([patched, same["generate"], same["training_seed"], same["step"]])[
        "seconds"
    ].mean()
    low = high = 0.0
    for kind, count in Counter(map(_kind, missing)).items():
        if kind not in means.index.droplevel([2, 3]):
            return None
        low, high = low + count * means.loc[kind].min(), high + count * means.loc[kind].max()
    checkpoints = len(same[["training_seed", "step"]].drop_duplicates())
    return Estimate(
        float(low),
        float(high),
        f"from {len(same)} finished cells of {checkpoints} checkpoints in this folder",
    )


def from_trial(
    measurer: Measurer, missing: tuple[Cell, ...], clock: Clock, load: Spent = NOTHING
) -> Estimate:
    """From the last pair's cells with few concept pairs, at two sizes: what is fixed, what grows,
    and source prompts, which cells share.

    - `load`: what loading a checkpoint took; it is done for every checkpoint with missing cells.
    """
    last, start = missing[-1], clock()
    group = [cell for cell in missing if _place(cell) == _place(last)]
    sizes = sorted({min(size, last.n_pairs) for size in TRIAL_PAIRS})
    kinds = Counter(map(_kind, missing))
    drawing = NOTHING
    shared: list[tuple[int, Spent]] = []  # source prompts, and what they took
    each: dict[tuple, list[tuple[int, Spent]]] = {
        kind: [] for kind in kinds
    }  # concept pairs, and what a cell took beside
    for size in sizes:
        cells = [replace(cell, n_pairs=size) for cell in group]
        bare = [
            replace(cells[0], condition="tgt_unpatched", generate=0)
        ]  # asks for concept pairs, and for no source prompt
        first = _timed(measurer, bare, clock)
        drawing = drawing + first + _timed(measurer, bare, clock) * -1
        cold = _timed(measurer, cells, clock)
        for kind in kinds:
            like = _alike(kind, cells, missing)
            if like[0].pair != last.pair:
                _timed(measurer, like, clock)  # its source prompts
            each[kind].append((size, _timed(measurer, like, clock) * (1 / len(like))))
        for cell in cells:
            cold = cold + each[_kind(cell)][-1][1] * -1
        shared.append((source_prompts(cells), cold))
    checkpoints, seeds, groups = (
        len({key(cell) for cell in missing})
        for key in (_checkpoint, lambda cell: cell.prompt_seed, _place)
    )
    whole = (
        load * checkpoints
        + drawing * (seeds / len(sizes))
        + on_a_line(shared, source_prompts(missing), groups)
    )
    for kind, count in kinds.items():
        whole = whole + on_a_line(each[kind], count * last.n_pairs, count)
    trial = clock() + start * -1
    share = trial.alone / trial.wall if trial.wall else 1.0
    said = f"from a trial of {' and '.join(map(str, sizes))} concept pairs at step {last.step} that took {trial.wall:.0f} s"
    if share >= BUSY:
        return Estimate(whole.wall, whole.wall, said)
    return Estimate(
        min(whole.alone, whole.wall),
        whole.wall,
        f"{said} and had {share:.0%} of its cores: less if other jobs end, up to this if not",
    )


def on_a_line(points: list[tuple[int, Spent]], amount: int, times: int) -> Spent:
    """What `amount` in all takes, in `times` parts: times a + amount b, of a line a + b x through
    one or two points.

    Neither a cost that is fixed nor one that grows is below 0; one point alone is scaled.
    """
    return Spent(
        *(
            _line([(x, getattr(t, name)) for x, t in points], amount, times)
            for name in ("wall", "alone")
        )
    )


def _line(points: list[tuple[int, float]], amount: int, times: int) -> float:
    (x1, t1), (x2, t2) = points[0], points[-1]
    if not x2:
        return 0.0
    slope = (t2 - t1) / (x2 - x1) if x2 > x1 else t2 / x2
    slope = min(max(slope, 0.0), max(t2, 0.0) / x2)
    return times * max(t2 - slope * x2, 0.0) + amount * slope


def machine_clock(device: str) -> Clock:
    """The wall's clock and, on a CPU, the processor's time over the threads; a GPU's work is not in
    that time.
    """
    import torch

    gpu = device.startswith("cuda") or (device == "auto" and torch.cuda.is_available())

    def now() -> Spent:
        wall = time.perf_counter()
        return Spent(wall, wall if gpu else time.process_time() / torch.get_num_threads())

    return now


def source_prompts(cells: Iterable[Cell]) -> int:
    """How many source prompts the cells need, each checkpoint and prompt seed computing each once."""
    needed = {}
    for cell in cells:
        asked, pair = condition(cell.condition), parse_pair(cell.pair)
        if not asked.patched:
            continue
        where, role = (
            (cell.training_seed, cell.step, cell.prompt_seed),
            "source" if asked.concept == "mean" else asked.concept,
        )
        if (
            cell.source_pairs or asked.varies == "shots"
        ):  # drawn for each concept: hardly any is shared
            count = min(
                cell.source_pairs or asked.prompts_at_most(pair, cell.seen_languages),
                asked.prompts_at_most(pair, cell.seen_languages),
            )
            needed[*where, cell.pair, cell.condition, cell.source_pairs] = cell.n_pairs * count
            continue
        for source in asked.source_pairs(pair, cell.seen_languages):
            needed[*where, source, role, asked.solved] = cell.n_pairs
    return sum(needed.values())


def _alike(kind: tuple, cells: list[Cell], missing: tuple[Cell, ...]) -> list[Cell]:
    """Cells of a kind for the trial: its own, as they would be asked at other checkpoints, or else
    those of another pair.
    """
    patched, generate = kind
    if own := [
        replace(cell, generate=generate)
        for cell in cells
        if condition(cell.condition).patched == patched
    ]:
        return own
    other = next(cell for cell in missing if _kind(cell) == kind)
    return [
        replace(cell, n_pairs=cells[0].n_pairs)
        for cell in missing
        if _kind(cell) == kind and _place(cell) == _place(other)
    ]


def _timed(measurer: Measurer, cells: list[Cell], clock: Clock) -> Spent:
    start = clock()
    measurer.measure(cells)
    return clock() + start * -1


def _kind(cell: Cell) -> tuple:
    return condition(cell.condition).patched, cell.generate


def _checkpoint(cell: Cell) -> tuple:
    return cell.training_seed, cell.step


def _place(cell: Cell) -> tuple:
    return cell.training_seed, cell.step, cell.prompt_seed, cell.pair
