"""Files and folders that are written whole or not at all, also by several processes and through a
killed run or a power failure.

Content is written to a place beside its target, named after host, process and a random token,
flushed to disk and renamed. A reader never meets half a file, two writers never share a place, and
the last one to finish wins.
"""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from meanings.core.errors import MeaningsError
from meanings.core.processes import is_dead, process_name

SUFFIX = ".aside"
CURE = "make room, or choose a place where you may write"


@contextmanager
def atomic_file(
    path: Path, cure: str = CURE, named: str | None = None, flush_folder: bool = True
) -> Iterator[Path]:
    """A place to write one file to; it becomes `path`, in one step, when the block ends.

    Nothing is left behind where the block raises. Folders above `path` are made.

    - `cure`: ends the message of an error: what the user can do.
    - `named`: what the message calls the file, without it its path.
    - `flush_folder`: whether the new name is on disk, too, when the block has ended.

    Raises MeaningsError where the disk refuses (full, read-only, no permission).
    """
    with _moved_into_place(path, cure, named or f"{path}:", flush_folder) as aside:
        yield aside
        _flush(aside)
        os.replace(aside, path)


@contextmanager
def atomic_folder(path: Path, cure: str = CURE, first_wins: bool = False) -> Iterator[Path]:
    """An empty folder to write to; it becomes `path`, in one step, when the block ends.

    - `first_wins`: whether a folder that another process has put at `path` meanwhile is kept in
      place of this one; otherwise it is an error. An empty folder at `path` is replaced.

    Raises MeaningsError as `atomic_file` does, and where `path` is there and not empty.
    """
    with _moved_into_place(path, cure, f"{path}:") as aside:
        aside.mkdir()
        yield aside
        for place, _, files in os.walk(aside, topdown=False):
            for name in files:
                _flush(Path(place, name))
            _flush_folder(Path(place))
        try:
            os.replace(aside, path)
        except OSError as error:
            if not (first_wins and error.errno in (errno.ENOTEMPTY, errno.EEXIST)):
                raise


@contextmanager
def _moved_into_place(
    path: Path, cure: str, named: str, flush_folder: bool = True
) -> Iterator[Path]:
    aside = path.with_name(f"{path.name}.by.{process_name()}{SUFFIX}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield aside
        if flush_folder:
            _flush_folder(path.parent)
    except OSError as error:
        reason = error.strerror or error
        raise MeaningsError(f"{named} cannot be written ({reason}); {cure}") from error
    finally:
        _remove(aside)


def remove_leftovers(folder: Path, pattern: str = "*") -> int:
    """Number of unfinished files and folders of killed processes on this machine, now removed.

    What belongs to a running process, or to another machine, stays.

    - `pattern`: of the files' places below `folder`, without the suffix.
    """
    removed = 0
    for place in folder.glob(pattern + SUFFIX):
        if is_dead(place.name.removesuffix(SUFFIX).rpartition(".by.")[2]):
            _remove(place)
            removed += 1
    return removed


def _remove(place: Path) -> None:
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place, ignore_errors=True)
    else:
        with suppress(OSError):
            place.unlink()


def _flush(file: Path) -> None:
    """Have the content on disk before the name is: else a power failure leaves an empty file."""
    handle = os.open(file, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _flush_folder(folder: Path) -> None:
    with suppress(OSError):  # some network file systems cannot flush a folder
        _flush(folder)
