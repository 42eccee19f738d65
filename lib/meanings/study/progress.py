"""How far a study is: cells finished, what its processes are doing, and the time that is left."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import groupby

from meanings.core.formatting import duration
from meanings.measures.catalogue import measure_named
from meanings.study.pace import LOADING, KindOfCells, Pace, kind_of, seconds_left, shared_kind
from meanings.study.plan import Task, group_of
from meanings.study.running import Status

SHOWN = 2  # processes of which the line says what they do


@dataclass
class _Left:
    """What is left of a checkpoint: cells by their group's kind, and shared work as planned."""

    cells: Counter[str] = field(default_factory=Counter)
    shared: Counter[str] = field(default_factory=Counter)
    begun: bool = False


class StudyProgress:
    """Where a study is, told by its processes and read by the line that shows it.

    - `tasks`: what is to be measured; `total`: cells of the plan, finished ones too.
    - `clock`: seconds.
    """

    def __init__(
        self, tasks: Sequence[Task], total: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._lock = threading.Lock()
        self._clock, self._start, self._total = clock, clock(), total
        self._kinds: dict[str, KindOfCells] = {}
        self._shared: dict[tuple, int] = {}  # work that a measure's requests share
        self._places: dict[str, tuple[str, str]] = {}  # task and kind, of a cell's key
        self._left: dict[str, _Left] = {}
        self._statuses: list[Status] = []
        self._heard = self._start
        runs = {(task.checkpoint.model, task.checkpoint.training_seed) for task in tasks}
        self._names: dict[str, str] = {}  # of each task, on the line
        for task in tasks:
            self._left[str(task)] = self._of(task)
            step = f"step {task.checkpoint.step}"
            self._names[str(task)] = step if len(runs) == 1 else str(task)

    def _of(self, task: Task) -> _Left:
        left = _Left()
        for _, group in groupby(task.cells, key=group_of):
            cells = list(group)
            measure, kind = measure_named(cells[0].measure), kind_of(cells)
            longer = max(measure.longer_at_most(cell.request) for cell in cells)
            self._kinds[kind] = KindOfCells(measure.name, longer)
            left.cells[kind] += len(cells)
            self._places |= {cell.key: (str(task), kind) for cell in cells}
        for name in dict.fromkeys(cell.measure for cell in task.cells):
            requests = [cell.request for cell in task.cells if cell.measure == name]
            # Checkpoints are mostly asked for the same.
            asked = name, tuple(requests)
            if asked not in self._shared:
                self._shared[asked] = measure_named(name).shared_work(requests)
            left.shared[shared_kind(name)] = self._shared[asked]
        return left

    def finished(self, keys: Iterable[str]) -> None:
        """These cells are there now."""
        with self._lock:
            for key in keys:
                if key in self._places:
                    task, kind = self._places.pop(key)
                    self._left[task].cells[kind] -= 1
                    self._left[task].begun = True
                    self._heard = self._clock()

    def told(self, statuses: Iterable[Status]) -> None:
        """All that is known of what the run's processes are doing."""
        with self._lock:
            before, self._statuses = self._statuses, deepcopy(list(statuses))
            if self._statuses != before:
                self._heard = self._clock()
            for status in self._statuses:
                # A checkpoint that is being loaded counts as one to load.
                if status.task in self._left and status.shared:
                    self._left[status.task].begun = True

    def text(self) -> str:
        """`34 of 408 cells after 2 min, 4 min to 6 min left: step 200: source states 640 of 7040`;
        the steps with model and training seed where these differ.
        """
        with self._lock:
            cells = f"{self._total - len(self._places)} of {self._total} cells"
            parts = [f"{cells} after {duration(self._clock() - self._start)}"]
            left = self._seconds_left()
            if left is not None and self._places:
                low, high = (duration(seconds) for seconds in left)
                parts.append(f"{f'about {low}' if low == high else f'{low} to {high}'} left")
            doing = [
                f"{self._names.get(s.task, s.task)}: {s.doing}" for s in self._statuses if s.doing
            ]
            shown = "; ".join(doing[:SHOWN])
            if len(doing) > SHOWN:
                shown += f"; and {len(doing) - SHOWN} more"
            return ", ".join(parts) + (f": {shown}" if shown else "")

    def seconds_left(self) -> tuple[float, float] | None:
        """From the fastest to the slowest that was seen; None where nothing tells."""
        with self._lock:
            return self._seconds_left()

    def _seconds_left(self) -> tuple[float, float] | None:
        done: dict[str, dict[str, int]] = {}
        for status in self._statuses:
            done[status.task] = status.shared
        units: Counter[str] = Counter()
        cells: Counter[str] = Counter()
        tasks = 0
        for name, left in self._left.items():
            if not +left.cells:
                continue
            tasks += 1
            cells += left.cells
            units[LOADING] += not left.begun
            for kind, count in left.shared.items():
                units[kind] += max(0, count - done.get(name, {}).get(kind, 0))
        pace = Pace.of_all(status.pace for status in self._statuses)
        found = seconds_left(pace, units, cells, self._kinds)
        if found is None:
            return None
        side_by_side = max(1, min(tasks, sum(bool(status.doing) for status in self._statuses)))
        # What is in hand since something was told last may be nearly done.
        low = found[0] / side_by_side - (self._clock() - self._heard)
        return max(0.0, low), found[1] / side_by_side
