"""One trainer per run: a lock in the run's folder that also works on network disks."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import SoftFileLock, Timeout

from meanings.core.errors import MeaningsError

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
        lock.acquire()
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


def _holder(marker: Path) -> str:
    lines: list[str] = []
    with suppress(OSError):
        lines = marker.read_text(encoding="utf-8", errors="replace").splitlines()
    return f"process {lines[0]} on {lines[1]}" if len(lines) > 1 else "another process"
