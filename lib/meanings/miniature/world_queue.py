"""Worlds side by side: as many processes as there are cores take one run after another.

A run that another command is training is left to it and looked at again later. After a kill the
same command goes on where the runs were.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from meanings.core.errors import MeaningsError
from meanings.core.formatting import duration
from meanings.core.paths import data_folder
from meanings.core.status_line import StatusLine, counted
from meanings.lexicon.lexicon import load_lexicon
from meanings.miniature.corpus import load_corpus
from meanings.miniature.run_lock import BeingTrained
from meanings.miniature.world_runs import finish_run
from meanings.miniature.worlds import load_world

PAUSE = 5.0  # seconds before a run that another command holds is looked at again
TRAINED = 0.8  # of a run's time is its training, about
Run = tuple[str, int]  # world and training seed

_said: Any = None  # in a worker: the queue that the parent reads


def finish_runs(
    folder: Path, names: Sequence[str], seeds: Sequence[int], workers: int, progress: bool = True
) -> list[Path]:
    """The folders of all worlds x seeds, trained and measured, one seed after the other.

    - `workers`: processes side by side.

    Raises MeaningsError before anything is trained where a world is malformed, and where a run
    fails or a process is killed; what is done stays.
    """
    recipe, lexicon = data_folder() / "miniature", load_lexicon("embedded")
    for name in names:
        load_corpus(recipe, load_world(recipe, name).mix, lexicon)
    runs = [(name, seed) for seed in seeds for name in names]
    context = multiprocessing.get_context("spawn")
    said = context.Queue()
    state = _State(len(runs))
    homes: dict[Run, Path] = {}
    with (
        StatusLine(lambda: state.text(said), shown=progress),
        ProcessPoolExecutor(workers, context, initializer=_listen, initargs=(said,)) as pool,
    ):
        waiting = {pool.submit(_finish, folder, run): run for run in runs}
        try:
            while waiting:
                done, _ = wait(waiting, return_when=FIRST_COMPLETED)
                again = _collect(done, waiting, homes, state)
                waiting |= {pool.submit(_finish, folder, run, PAUSE): run for run in again}
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [homes[run] for run in runs]


@dataclass
class _State:
    """What the workers said last, and how much is done."""

    runs: int
    began: float = field(default_factory=time.monotonic)
    finished: set[Run] = field(default_factory=set)
    doing: dict[Run, tuple[str, int, int]] = field(default_factory=dict)

    def text(self, said: Any) -> str:
        while not said.empty():
            run, stage, done, total = said.get()
            if run not in self.finished:  # a worker's last words may come after its result
                self.doing[run] = (stage, done, total)
        each = "; ".join(
            f"{name} seed {seed}: {counted(*told)}"
            for (name, seed), told in sorted(self.doing.items())
        )
        return f"{len(self.finished)} of {self.runs} runs{self._left()}" + (
            f": {each}" if each else ""
        )

    def _left(self) -> str:
        begun = sum(
            TRAINED * (done / total if total else 1) for _, done, total in self.doing.values()
        )
        share = (len(self.finished) + begun) / self.runs
        if share <= 0.01:
            return ""
        seconds = (time.monotonic() - self.began) * (1 - share) / share
        return f", about {duration(seconds)} left"


def _collect(
    done: Iterable[Future], waiting: dict[Future, Run], homes: dict[Run, Path], state: _State
) -> list[Run]:
    """Take the finished ones; the runs that another command holds are for later."""
    again = []
    for future in done:
        run = waiting.pop(future)
        state.doing.pop(run, None)
        try:
            homes[run] = future.result()
            state.finished.add(run)
        except BeingTrained:
            again.append(run)
        except BrokenProcessPool:
            raise MeaningsError(
                f"world {run[0]}, seed {run[1]}: its process was ended from outside; run the "
                "command again, it goes on where the runs were"
            ) from None
    return again


def _listen(said: Any) -> None:
    global _said
    _said = said


def _finish(folder: Path, run: Run, pause: float = 0.0) -> Path:
    time.sleep(pause)
    name, seed = run
    last = [0.0]

    def report(stage: str, done: int = 0, total: int = 0) -> None:
        if not done or time.monotonic() - last[0] > 1:  # not at every step
            last[0] = time.monotonic()
            _said.put((run, stage, done, total))

    return finish_run(folder, name, seed, report)
