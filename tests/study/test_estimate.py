"""An estimate on a machine that is made up: a clock that a measurer moves by known costs must be
told back.
"""

from dataclasses import dataclass, field

import pandas as pd
import pytest

from meanings.cli.study import time_range
from meanings.measures.cell_files import write_cell
from meanings.measures.patching_trial import from_trial, source_prompts
from meanings.measures.timing import NOTHING, Estimate, Spent, on_a_line
from meanings.patching.conditions import CONDITIONS
from meanings.study import estimate
from meanings.study.estimate import from_finished
from stand_ins.cells import CELL

SEEN = ("de", "en", "es", "fr", "pl", "ru")
PLACE = CELL.with_values(
    languages=SEEN, seen_languages=SEEN, pair="fr-es", prompt_seed=1, n_pairs=100, generate=0
)


def grid(
    steps=(0, 10),
    pairs=("fr-es", "de-fr", "pl-ru"),
    n_pairs=100,
    conditions=tuple(CONDITIONS),
    seeds=(1,),
    generate=0,
):
    """Cells in the order of a study; patched ones are answered at the last step only."""
    return tuple(
        PLACE.with_values(
            step=step,
            pair=pair,
            condition=name,
            n_pairs=n_pairs,
            prompt_seed=seed,
            generate=generate * (step == steps[-1] or not CONDITIONS[name].patched),
        )
        for step in steps
        for seed in seeds
        for pair in pairs
        for name in conditions
    )


@dataclass
class Machine:
    """Seconds: a cell costs 2 + n / 10 (patched; twice that where it is answered) or n / 100, a
    source prompt 1 / 100, concept pairs 5.

    - `share`: of the wall's time that the process gets.
    """

    share: float = 1.0
    fixed: float = 2.0
    grows: float = 0.1
    alone: float = 0.0
    bank: set = field(default_factory=set)
    drawn: set = field(default_factory=set)
    step: int = 0
    largest: int = 0

    def clock(self):
        return Spent(self.alone / self.share, self.alone)

    def measure(self, requests):
        n = requests[0].n_pairs
        self.largest = max(self.largest, n)
        asked = (requests[0].prompt_seed, n)
        self.alone += 0 if asked in self.drawn else 5
        self.drawn.add(asked)
        if {key[:2] for key in self.bank} != {(self.step, asked)}:
            self.bank = set()
        for request in requests:
            condition = CONDITIONS[request.condition]
            if not condition.patched:
                self.alone += n / 100
                continue
            self.alone += (self.fixed + n * self.grows) * (2 if request.generate else 1)
            role = "source" if condition.concept == "mean" else condition.concept
            for source in condition.source_pairs(request.pair, SEEN):
                key = (self.step, asked, source, role, condition.solved)
                self.alone += 0 if key in self.bank else n / 100
                self.bank.add(key)

    def estimate(self, cells, load=NOTHING):
        """What a trial on this machine says of the cells."""
        return from_trial(self.measure, by_step(cells), self.clock, load)


def by_step(cells):
    """The cells' requests by checkpoint."""
    requests = {}
    for cell in cells:
        requests.setdefault(cell.subject.step, []).append(cell.request)
    return requests


def real(cells, machine):
    """What measuring all of it takes on a machine, checkpoint by checkpoint and pair by pair."""
    groups = {}
    for cell in cells:
        place = (cell.subject.step, cell.request.prompt_seed, cell.request.pair)
        groups.setdefault(place, []).append(cell.request)
    for (step, *_), group in groups.items():
        machine.step = step
        machine.measure(group)
    return machine.clock()


@pytest.mark.parametrize(
    "cells",
    [
        grid(),
        grid(generate=8),
        grid(pairs=("fr-es",)),
        grid(n_pairs=5),
        grid(n_pairs=3),
        grid(seeds=(1, 2)),
        grid(conditions=("tgt", "tgt_unpatched")),
        grid(conditions=("tgt_unpatched",)),
        grid()[:-1],
        grid(generate=8)[9:],
    ],
)
def test_what_it_will_take_is_told_from_a_little(cells):
    machine = Machine()
    found = machine.estimate(cells)
    assert machine.largest <= 12
    assert found.low == found.high == pytest.approx(real(cells, Machine()).wall)


def test_a_small_trial_scaled_up_would_say_far_too_much():
    cells, machine = grid(conditions=("tgt",)), Machine(fixed=50.0)
    found = machine.estimate(cells)
    assert found.high == pytest.approx(real(cells, Machine(fixed=50.0)).wall)
    assert found.high < 0.2 * 6 * (50 + 12 * 0.1) * 100 / 12


def test_where_others_have_the_cores_the_range_is_from_alone_to_now():
    machine = Machine(share=0.25)
    found = machine.estimate(grid())
    assert found.low == pytest.approx(real(grid(), Machine()).wall) and found.high == pytest.approx(
        4 * found.low
    )
    assert "25% of its cores" in found.basis and "4 and 12 concept pairs at the last" in found.basis
    quiet = Machine(share=0.95)
    assert (told := quiet.estimate(grid())).low == told.high and "cores" not in told.basis


def test_each_checkpoint_is_loaded():
    a, b = Machine(), Machine()
    with_load = a.estimate(grid(steps=(0, 5, 10)), load=Spent(7.0, 6.0))
    assert with_load.high - b.estimate(grid(steps=(0, 5, 10))).high == pytest.approx(3 * 7)


def test_a_kind_of_cell_that_only_another_pair_has_is_tried_there():
    cells = (
        *grid(steps=(0,), pairs=("fr-es",), conditions=("tgt", "seen")),
        *grid(steps=(0,), pairs=("de-fr",), conditions=("tgt_unpatched",)),
    )
    machine = Machine()
    found = machine.estimate(cells)
    # Source prompts of a pair that the trial did not try cold are not seen: 12 ordered pairs and
    # the pair itself.
    assert found.high == pytest.approx(
        real(cells, Machine()).wall - source_prompts(by_step(cells)) / 100
    )


@pytest.mark.parametrize(
    ("points", "seconds"),
    [
        ([(4, 10.0), (12, 18.0)], 3 * 6 + 100),
        ([(4, 3.0), (12, 12.0)], 100),
        ([(4, 9.0), (12, 6.0)], 3 * 6),
        ([(4, 8.0)], 200),
        ([(0, 1.0), (0, 2.0)], 0),
        ([(4, -1.0), (12, -2.0)], 0),
    ],
)
def test_a_line_through_two_sizes_by_hand(points, seconds):
    """3 parts, 100 in all: 3 a + 100 b; neither below 0."""
    found = on_a_line([(x, Spent(t, t / 2)) for x, t in points], 100, 3)
    assert (found.wall, found.alone) == (pytest.approx(seconds), pytest.approx(seconds / 2))


def test_finished_cells_give_the_range_of_their_checkpoints(tmp_path):
    columns = (
        "query",
        "source_concept",
        "target_concept",
        "null_concept",
        "answer",
        "answer_correct_source",
        "answer_correct_target",
    )
    rows = pd.DataFrame(
        {"first_layer": [0], "prompt": [0], "p_source": [0.5], "p_target": [0.5]}
        | {name: [None] for name in columns}
    )
    cells = grid(conditions=("tgt", "tgt_unpatched"), pairs=("fr-es", "de-fr"))
    # The first pair of a checkpoint has its source prompts to run: 9 s and then 1 s, 5 s and then 3
    # s.
    for cell, seconds in zip(cells, (9, 0.5, 1, 0.5, 4, 0.5, 2, 0.5), strict=True):
        write_cell(tmp_path, cell, rows, {"seconds": seconds})
    missing = grid(conditions=("tgt", "tgt_unpatched"), seeds=(2,))
    found = from_finished(missing, tmp_path)
    assert (found.low, found.high) == (
        6 * 3 + 6 * 0.5,
        6 * 5 + 6 * 0.5,
    ) and "8 finished cells of 2 checkpoints" in found.basis
    assert (
        from_finished(grid(n_pairs=50), tmp_path) is None
        and from_finished(grid(generate=8), tmp_path) is None
    )
    assert from_finished(missing, tmp_path / "none") is None


def test_a_processors_time_is_shared_out_over_its_threads(monkeypatch):
    monkeypatch.setattr("time.perf_counter", lambda: 100.0)
    monkeypatch.setattr("time.process_time", lambda: 60.0)
    monkeypatch.setattr("torch.get_num_threads", lambda: 3)
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    assert estimate.machine_clock("cpu")() == Spent(100.0, 20.0)
    assert (
        estimate.machine_clock("cuda:1")()
        == estimate.machine_clock("auto")()
        == Spent(100.0, 100.0)
    )


def test_a_range_reads_as_one():
    assert (
        time_range(Estimate(20.0, 20.2, "why")) == "about 20 s (why)"
        and time_range(Estimate(600.0, 7200.0, "why")) == "10 min to 2.0 h (why)"
    )
