"""An estimate on a machine that is made up: a clock that a measurer moves by known costs must be
told back.
"""

from dataclasses import dataclass, field, replace

import pandas as pd
import pytest

from meanings.cli.study import time_range
from meanings.lexicon.languages import parse_pair
from meanings.measures.cells import Cell
from meanings.measures.patching import Measurer
from meanings.measures.results import write_cell
from meanings.patching.conditions import CONDITIONS
from meanings.study import estimate
from meanings.study.estimate import (
    Estimate,
    Spent,
    from_finished,
    from_trial,
    on_a_line,
    source_prompts,
)

SEEN = ("de", "en", "es", "fr", "pl", "ru")
PLACE = Cell(
    model="m", training_seed=0, step=0, tokens=0, weights_sha256="", lexicon="l", lexicon_sha256="", languages=SEEN, pair="fr-es",
    condition="seen", prompt_seed=1, n_pairs=100, shots=5, template="quoted", generate=0, seen_languages=SEEN,
)  # fmt: skip


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
        replace(PLACE, step=step, pair=pair, condition=name, n_pairs=n_pairs, prompt_seed=seed, generate=generate * (step == steps[-1] or not CONDITIONS[name].patched))
        for step in steps for seed in seeds for pair in pairs for name in conditions
    )  # fmt: skip


@dataclass
class Machine(Measurer):
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
    largest: int = 0

    def clock(self):
        return Spent(self.alone / self.share, self.alone)

    def measure(self, cells):
        n = cells[0].n_pairs
        self.largest = max(self.largest, n)
        asked = (cells[0].prompt_seed, n)
        self.alone += 0 if asked in self.drawn else 5
        self.drawn.add(asked)
        if {key[:2] for key in self.bank} != {(cells[0].step, asked)}:
            self.bank = set()
        for cell in cells:
            condition = CONDITIONS[cell.condition]
            if not condition.patched:
                self.alone += n / 100
                continue
            self.alone += (self.fixed + n * self.grows) * (2 if cell.generate else 1)
            role = "source" if condition.concept == "mean" else condition.concept
            for source in condition.source_pairs(parse_pair(cell.pair), SEEN):
                key = (cell.step, asked, source, role, condition.solved)
                self.alone += 0 if key in self.bank else n / 100
                self.bank.add(key)


def real(cells, machine):
    """What measuring all of it takes on a machine, checkpoint by checkpoint and pair by pair."""
    groups = {}
    for cell in cells:
        groups.setdefault((cell.step, cell.prompt_seed, cell.pair), []).append(cell)
    for group in groups.values():
        machine.measure(group)
    return machine.clock()


@pytest.mark.parametrize(
    "cells",
    [
        grid(), grid(generate=8), grid(pairs=("fr-es",)), grid(n_pairs=5), grid(n_pairs=3), grid(seeds=(1, 2)), grid(conditions=("tgt", "tgt_unpatched")),
        grid(conditions=("tgt_unpatched",)), grid()[:-1], grid(generate=8)[9:],
    ],
)  # fmt: skip
def test_what_it_will_take_is_told_from_a_little(cells):
    machine = Machine()
    found = from_trial(machine, cells, machine.clock)
    assert machine.largest <= 12
    assert found.low == found.high == pytest.approx(real(cells, Machine()).wall)


def test_a_small_trial_scaled_up_would_say_far_too_much():
    cells, machine = grid(conditions=("tgt",)), Machine(fixed=50.0)
    found = from_trial(machine, cells, machine.clock)
    assert found.high == pytest.approx(real(cells, Machine(fixed=50.0)).wall)
    assert found.high < 0.2 * 6 * (50 + 12 * 0.1) * 100 / 12


def test_where_others_have_the_cores_the_range_is_from_alone_to_now():
    machine = Machine(share=0.25)
    found = from_trial(machine, grid(), machine.clock)
    assert found.low == pytest.approx(real(grid(), Machine()).wall) and found.high == pytest.approx(
        4 * found.low
    )
    assert "25% of its cores" in found.basis and "4 and 12 concept pairs at step 10" in found.basis
    quiet = Machine(share=0.95)
    assert (
        told := from_trial(quiet, grid(), quiet.clock)
    ).low == told.high and "cores" not in told.basis


def test_each_checkpoint_is_loaded():
    a, b = Machine(), Machine()
    with_load = from_trial(a, grid(steps=(0, 5, 10)), a.clock, load=Spent(7.0, 6.0))
    assert with_load.high - from_trial(b, grid(steps=(0, 5, 10)), b.clock).high == pytest.approx(
        3 * 7
    )


def test_a_kind_of_cell_that_only_another_pair_has_is_tried_there():
    cells = (
        *grid(steps=(0,), pairs=("fr-es",), conditions=("tgt", "seen")),
        *grid(steps=(0,), pairs=("de-fr",), conditions=("tgt_unpatched",)),
    )
    machine = Machine()
    found = from_trial(machine, cells, machine.clock)
    # Source prompts of a pair that the trial did not try cold are not seen: 12 ordered pairs and
    # the pair itself.
    assert found.high == pytest.approx(real(cells, Machine()).wall - source_prompts(cells) / 100)


@pytest.mark.parametrize(
    ("points", "seconds"),
    [
        ([(4, 10.0), (12, 18.0)], 3 * 6 + 100), ([(4, 3.0), (12, 12.0)], 100), ([(4, 9.0), (12, 6.0)], 3 * 6), ([(4, 8.0)], 200), ([(0, 1.0), (0, 2.0)], 0),
        ([(4, -1.0), (12, -2.0)], 0),
    ],
)  # fmt: skip
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
