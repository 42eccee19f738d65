"""Where checkpoints are measured: Dask workers, on this machine or wherever a scheduler has them.

The unit is a checkpoint, each worker writes its own cells, and nothing travels back but that it is
done. What a lost worker was doing goes to another one, which finds the cells that were written.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import dask
import torch
from distributed import Client, LocalCluster, get_worker, wait
from distributed.client import Future
from distributed.comm import CommClosedError
from distributed.scheduler import KilledWorker

from meanings.core.errors import MeaningsError
from meanings.measures.cell_files import there
from meanings.study.plan import Task
from meanings.study.run import Executor, Progress
from meanings.study.running import Journal, StatusFile, statuses
from meanings.study.tls import check_configured
from meanings.study.worker import Worker

TIMEOUT = "10s"  # for a scheduler's first answer
PATIENCE = "600s"  # for processes of this machine, which other jobs may keep busy
POLL = 1.0  # seconds at least between two looks at the results folder
LOOKING = 0.05  # share of the time at most that is spent on them


def default_workers(units: int) -> int:
    """Worker processes that a small model is measured with on this machine: its matrices are too
    small for many threads.

    One where there is a GPU, else one a core, at most four (each holds a model) and at most one a
    checkpoint.
    """
    return 1 if torch.cuda.is_available() else max(1, min(cores(), 4, units))


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def local_workers(
    count: int, device: str = "auto", threads: int | None = None
) -> Iterator[Executor]:
    """Worker processes on this machine, which share its cores; where it has GPUs, worker i takes
    GPU i.

    - `threads`: of each; without it the cores are divided.

    Raises MeaningsError where there is not one worker.
    """
    if count < 1:
        raise MeaningsError(f"{count} local workers: expected 1 or more")
    threads = threads or max(1, cores() // count)
    # Dask has its workers give freed memory back at once, which costs a model's short-lived tensors
    # two fifths of the time; and where the one threshold is set, glibc no longer adapts the other.
    kept = {name: 4_000_000_000 for name in ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_")}
    environment = {"OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads} | kept
    with (
        dask.config.set(
            {
                "distributed.nanny.pre-spawn-environ": environment,
                "distributed.comm.timeouts.connect": PATIENCE,
            }
        ),
        LocalCluster(
            n_workers=count,
            threads_per_worker=1,
            processes=True,
            dashboard_address="127.0.0.1:0",
            memory_limit=None,
            silence_logs="CRITICAL",
        ) as cluster,
        Client(cluster) as client,
    ):
        yield through(client, device)


@contextmanager
def scheduler(address: str, device: str = "auto") -> Iterator[Executor]:
    """The workers of a Dask scheduler, which must see the same folders.

    - `address`: `tcp://host:8786`, or `tls://host:8786` with the certificates of Dask's
      configuration.

    Raises MeaningsError where no scheduler answers or the certificates are missing or refused.
    """
    check_configured(address)
    try:
        client = Client(address, timeout=TIMEOUT)
    except (OSError, TimeoutError, ValueError) as error:
        raise MeaningsError(
            f"no scheduler answers at {address!r} ({type(error).__name__}); expected an address "
            "such as tcp://host:8786, or tls://host:8786 where both sides have certificates"
        ) from None
    with client:
        yield through(client, device)


def through(client: Client, device: str) -> Executor:
    """The workers that a client's scheduler has, now or later."""

    def run(units: Sequence[Task], out: Path, progress: Progress) -> None:
        folder = out.resolve()
        futures = [
            client.submit(on_worker, unit, folder, device, progress.run, pure=False)
            for unit in units
        ]
        missing = {cell.key for unit in units for cell in unit.cells}
        failure: BaseException | None = None
        try:
            for future in _completed(client, futures, missing, folder, progress):
                failure = future.exception()
                if isinstance(failure, MeaningsError):
                    progress.failed(failure)
                    failure = None
                if failure is not None:
                    break
        except (CommClosedError, CancelledError, OSError) as error:
            raise MeaningsError(
                f"the connection to the scheduler is lost "
                f"({type(error).__name__}); measured cells are kept, run the study again"
            ) from None
        finally:
            client.cancel(futures)
        if isinstance(failure, KilledWorker):
            raise MeaningsError(
                "a checkpoint's worker was lost repeatedly, perhaps because memory ran out; use "
                "fewer workers"
            ) from None
        if failure is not None:
            raise failure

    return run


def _completed(
    client: Client, futures: list[Future], missing: set[str], folder: Path, progress: Progress
) -> Iterator[Future]:
    """Futures as they end; in between, the cells that have come into the folder are told, and what
    the workers say there that they are doing.
    """
    awaited = set(missing)
    waiting = set(futures)
    pause = POLL
    while waiting:
        try:
            done = wait(waiting, timeout=pause, return_when="FIRST_COMPLETED").done
        except TimeoutError:
            done = set()
        before = time.monotonic()
        found = there(folder, awaited)
        pause = max(POLL, (time.monotonic() - before) / LOOKING)
        progress.cells(found)
        progress.doing([status for status in statuses(folder) if status.run == progress.run])
        awaited -= found
        waiting -= done
        yield from done


def on_worker(unit: Task, out: Path, device: str, run: str) -> None:
    """Measure a unit of a run in this worker's process."""
    worker = _worker(_own(device, str(get_worker().name)))
    worker.measure(unit, out, journal=_journal(out, run))


def _own(device: str, name: str) -> str:
    """The worker's GPU, where it may choose and there are several: the one of its number."""
    if device != "auto" or not name.isdigit() or not torch.cuda.is_available():
        return device
    return f"cuda:{int(name) % torch.cuda.device_count()}"


@cache
def _worker(device: str) -> Worker:
    return Worker(device)


@cache
def _journal(out: Path, run: str) -> Journal:
    return Journal(StatusFile(out, run).write)
