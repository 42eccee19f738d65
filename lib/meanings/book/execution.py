"""Chapters executed in as many processes as there are cores."""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any, NamedTuple

from meanings.book import notebooks
from meanings.core.errors import MeaningsError


class Task(NamedTuple):
    """A chapter to execute: its text, its parameters, and where the notebook goes."""

    source: Path
    parameters: dict[str, Any]
    target: Path


def execute_all(
    tasks: Sequence[Task],
    root: Path,
    finish: Callable[[int], object],
    report: Callable[[str], object] = print,
    processes: int | None = None,
) -> None:
    """Execute each task in folder `root` and calls `finish` with its number when it is done.

    Reports come in the order of the tasks. Where chapters fail, the others are executed all the
    same; raises MeaningsError, one line that names each failure.

    - `processes`: how many chapters at once; one for each core where none is given.
    """
    failures = []
    if tasks:
        report(f"executing {', '.join(task.source.stem for task in tasks)}")
    for number, failure in enumerate(_outcomes(tasks, root, processes or cores())):
        if failure is None:
            finish(number)
            report(f"executed {tasks[number].source.stem} ({number + 1} of {len(tasks)})")
        else:
            failures.append(failure)
    if len(failures) == 1:
        raise failures[0]
    if failures:
        said = "; ".join(f"({i}) {failure}" for i, failure in enumerate(failures, 1))
        raise MeaningsError(f"{len(failures)} chapters failed: {said}")


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _outcomes(tasks: Sequence[Task], root: Path, processes: int) -> Iterator[MeaningsError | None]:
    """What each task failed of, or None, in order."""
    if min(processes, len(tasks)) < 2:
        yield from (_execute(task, root) for task in tasks)
        return
    # Spawned: a forked child would inherit threads of libraries that this process has loaded.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(processes, len(tasks)), mp_context=context) as pool:
        futures = [pool.submit(_execute, task, root) for task in tasks]
        try:
            yield from (future.result() for future in futures)
        except BrokenProcessPool:
            raise MeaningsError(
                "a process that executes chapters was killed, usually because memory ran out; run "
                "it again, finished chapters are kept"
            ) from None
        finally:
            pool.shutdown(cancel_futures=True)


def _execute(task: Task, root: Path) -> MeaningsError | None:
    try:
        notebooks.execute(task.source, task.parameters, task.target, root)
    except MeaningsError as failure:
        return failure
    return None
