"""One trainer per run: a lock in the run's folder that also works on network disks."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import SoftFileLock, Timeout

from meanings.core.errors import MeaningsError
from meanings.core.processes import is_running

LOCK = "training.lock"


class BeingTrained(MeaningsError):
    """Another process holds the run."""


@contextmanager
def only_trainer(home: Path) -> Iterator[None]:
    """Hold the run in folder `home` for this process until the block ends.

    The lock is a small file with the holder's process and machine. That of a process that has died
    on this machine is taken over; one of another machine has to be removed by hand.

    Raises BeingTrained, at once, where another process holds the run, and MeaningsError where the
    folder cannot be written.
    """
    lock = SoftFileLock(home / LOCK, timeout=0)
    try:
        _acquire(lock, home / LOCK)
    except Timeout:
        raise BeingTrained(
            f"{home}: {_holder(home / LOCK)} is training this run; wait for it, or, if it is no "
            f"longer running, remove {LOCK} there"
        ) from None
    except OSError as error:
        raise MeaningsError(
            f"{home}: cannot be locked ({error.strerror or error}); choose a place where you may "
            "write"
        ) from None
    try:
        yield
    finally:
        lock.release()


def _acquire(lock: SoftFileLock, marker: Path) -> None:
    """Take the lock; also from a process of this machine that was killed and never looked after,
    which the lock itself takes for running.
    """
    try:
        lock.acquire()
    except Timeout:
        lines = _lines(marker)
        here = len(lines) > 1 and lines[1] == socket.gethostname() and lines[0].isdigit()
        if not here or is_running(int(lines[0])):
            raise
        marker.unlink(missing_ok=True)
        lock.acquire()


def _lines(marker: Path) -> list[str]:
    with suppress(OSError):
        return marker.read_text(encoding="utf-8", errors="replace").splitlines()
    return []


def _holder(marker: Path) -> str:
    lines = _lines(marker)
    return f"process {lines[0]} on {lines[1]}" if len(lines) > 1 else "another process"
