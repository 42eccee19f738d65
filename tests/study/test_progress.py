"""The time that is left, on a machine that is made up: the range must hold what it then takes."""

from itertools import groupby

import pytest

from meanings.measures.patching_trial import source_prompts
from meanings.models.checkpoint import Checkpoint
from meanings.patching.conditions import CONDITIONS
from meanings.study.pace import Pace
from meanings.study.plan import Task, group_of
from meanings.study.progress import StudyProgress
from meanings.study.running import Journal, Status
from stand_ins.cells import CELL

SEEN = ("de", "en", "es", "fr", "pl", "ru")
STEPS = (0, 10, 20, 30)
PAIRS = ("fr-es", "de-fr", "pl-ru", "es-de")


def task(step: int, seed: int = 0, answered: bool = False) -> Task:
    """All conditions in a few pairs; patched prompts are answered where `answered`."""
    cells = tuple(
        CELL.with_values(
            step=step,
            training_seed=seed,
            languages=SEEN,
            seen_languages=SEEN,
            pair=pair,
            condition=name,
            n_pairs=100,
            generate=4 * (answered or not CONDITIONS[name].patched),
        )
        for pair in PAIRS
        for name in CONDITIONS
    )
    return Task(Checkpoint("m", seed, step, 100 * step), {}, cells, cells)


class Machine:
    """Seconds: 3 for a checkpoint, 1 / 100 for a source prompt, half of which are run at a
    checkpoint's first pair, 1 for a cell, 3 where patched prompts are answered.
    """

    def __init__(self, tasks):
        self.now = 0.0
        self.tasks = tasks
        self.progress = StudyProgress(tasks, sum(len(t.cells) for t in tasks), lambda: self.now)
        self.journal = Journal(lambda status: self.progress.told([status]), lambda: self.now)
        self.seen = []  # moment, range that is left, line

    def look(self):
        self.seen.append((self.now, self.progress.seconds_left(), self.progress.text()))

    def run(self):
        for each in self.tasks:
            with self.journal.task(str(each)):
                with self.journal.loading():
                    self.now += 3
                prompts = source_prompts({0: [cell.request for cell in each.cells]})
                for number, (_, group) in enumerate(groupby(each.cells, key=group_of)):
                    self.measure(list(group), prompts // 2 if number == 0 else prompts // 6)
        self.look()
        return self

    def measure(self, cells, prompts):
        answered = any(cell.request.generate for cell in cells if cell.request.condition == "seen")
        with self.journal.measuring(cells):
            self.look()
            for done in range(0, prompts + 1, prompts // 6):
                self.journal.report("source states", done, prompts)
                self.look()
                self.now += prompts // 6 / 100 if done + prompts // 6 <= prompts else 0
            self.now += len(cells) * (3 if answered else 1)
            self.look()
        self.progress.finished([cell.key for cell in cells])


@pytest.mark.parametrize("last_answered", [False, True])
def test_the_range_holds_what_is_left_from_the_first_group_on(last_answered):
    tasks = [task(step, answered=last_answered and step == STEPS[-1]) for step in STEPS]
    machine = Machine(tasks).run()
    told = [(now, left) for now, left, _ in machine.seen if left]
    first_group = 3 + source_prompts({0: [c.request for c in tasks[0].cells]}) / 200 + 10
    assert told[0][0] <= first_group + 5  # it needs no more than one group
    for now, (low, high) in told:
        assert low <= machine.now - now <= high
        # A group takes 30 s at most and tells nothing meanwhile. Cells with answers may take five
        # times as long as others, as long as none has been measured.
        assert high <= (9 if last_answered else 1.5) * (low + 30) + 1e-9
    assert told[-1][1] == (0, 0)


def test_it_is_not_told_before_something_tells():
    machine = Machine([task(0)])
    assert machine.progress.seconds_left() is None
    assert machine.progress.text() == "0 of 36 cells after 0 s"
    machine.journal.status.pace.add("loading", 1, 3.0)
    machine.progress.told([machine.journal.status])
    assert machine.progress.seconds_left() is None


def test_the_line_says_cells_stage_and_time():
    lines = [line for _, _, line in Machine([task(0), task(10)]).run().seen]
    n = len(task(0).cells)
    assert lines[0] == f"0 of {2 * n} cells after 3 s: step 0: measuring fr-es seen prompts 42"
    assert any(": step 0: source states " in line for line in lines)
    assert any(
        f"{n} of {2 * n} cells after" in line and " left: step 10: " in line for line in lines
    )
    assert lines[-1].startswith(f"{2 * n} of {2 * n} cells after") and "left" not in lines[-1]
    two = Machine([task(0), task(0, seed=1)]).run().seen[0][2]
    assert "m seed 0 step 0: " in two


def test_workers_side_by_side_take_as_much_less():
    tasks = [task(step) for step in STEPS]
    total = sum(len(each.cells) for each in tasks)
    machine = Machine(tasks[:1]).run()
    pace = machine.journal.status.pace

    def left(count):
        progress = StudyProgress(tasks, total, lambda: 0.0)
        progress.told(
            Status(task=str(each), doing="loading", pace=pace if each is tasks[0] else Pace())
            for each in tasks[:count]
        )
        return progress.seconds_left(), progress.text()

    (low, high), _ = left(1)
    assert left(2)[0] == (low / 2, high / 2)
    assert "step 0: loading; step 10: loading; and 1 more" in left(3)[1]


def test_a_pace_is_told_from_its_spells():
    pace = Pace()
    assert pace.seconds_per_unit("a") is None
    for units, seconds in ((10, 5.0), (10, 5.0), (1, 10.0), (100, 1.0)):
        pace.add("a", units, seconds)
    # A spell of 10 s, a slow one, and one that has only begun.
    assert pace.seconds_per_unit("a") == (0.5, 10.0)
    for _ in range(20):
        pace.add("a", 5, 10.0)
    assert pace.seconds_per_unit("a") == (2.0, 2.0)  # what was long ago is forgotten
    both = Pace.of_all([pace, Pace({"a": [[1.0, 20.0]], "b": [[1.0, 1.0]]})])
    assert both.seconds_per_unit("a") == (2.0, 20.0) and both.seconds_per_unit("b") == (1.0, 1.0)
