"""Who uses a snapshot of the hub's cache, so that a run drops none that another one reads.

Each user has one small file in `<cache>/.meanings/<commit>.users` (`<commit>--<folder>.users` for a
folder of a repository), named after its host and process. A soft lock beside that folder guards the
moments in which users come, go and drop. Both work on network file systems, where locks of the
operating system and databases may not.

- A file of a killed process on this host does not count. One on another host counts for `STALE`
  seconds, since nobody can ask there; to drop the snapshot sooner, delete the file.
- A cache in which this user may not write is used without a file.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import SoftFileLock, Timeout

from meanings.core.errors import MeaningsError
from meanings.core.processes import is_dead, process_name

STALE = 7 * 24 * 3600  # seconds
PATIENCE = 300  # seconds to wait for the lock; deleting a large snapshot takes some


@contextmanager
def in_use(folder: Path, drop: Callable[[], object] | None = None) -> Iterator[None]:
    """Count as a user of the snapshot that `folder` is kept for while the block runs.

    - `folder`: where the users' files lie.
    - `drop`: removes the snapshot; called after the block by its last user.

    Raises MeaningsError where another process holds the lock for `PATIENCE` seconds.
    """
    mine = folder / process_name()
    marked = _mark(mine)
    try:
        yield
    finally:
        if marked:
            with _locked(folder):
                mine.unlink(missing_ok=True)
                if drop is not None and not users(folder):
                    drop()
            with suppress(OSError):
                folder.rmdir()  # where it is empty


def users(folder: Path) -> list[str]:
    """Names of the processes that use the snapshot; files of dead ones are removed."""
    found = []
    for file in folder.iterdir():
        with suppress(OSError):
            if is_dead(file.name) or time.time() - file.stat().st_mtime > STALE:
                file.unlink()
            else:
                found.append(file.name)
    return found


def _mark(mine: Path) -> bool:
    try:
        mine.parent.mkdir(parents=True, exist_ok=True)
        with _locked(mine.parent):
            mine.parent.mkdir(exist_ok=True)  # its last user may just have removed it
            mine.touch()
    except OSError:
        return False
    return True


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    lock = SoftFileLock(folder.with_name(folder.name + ".lock"), timeout=PATIENCE)
    try:
        lock.acquire()
    except Timeout:
        raise MeaningsError(
            f"{lock.lock_file} has been held for {PATIENCE} seconds; delete it if the process that "
            "it names is gone"
        ) from None
    try:
        yield
    finally:
        lock.release()
