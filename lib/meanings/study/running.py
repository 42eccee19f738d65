"""Who measures what in a folder of results just now: claims on groups of cells, and what each
process is doing.

Both are small files in `<results>/.running`, so that they also work on a shared disk between
machines, and vanish with the runs.

- A claim keeps other runs from measuring the same group of cells. It is a lease: its holder renews
  it while it lives. That of a process of this machine that has died is free at once, that of
  another machine when nobody has renewed it for `LEASE` seconds. A folder in which no claim can be
  written is measured without: then two runs measure the same, and the last to write wins.
- A status says what a process is doing and how fast, for the run that shows it.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from filelock import SoftFileLease, Timeout

from meanings.core.processes import is_dead, process_name
from meanings.core.status_line import counted
from meanings.measures.cells import Cell
from meanings.study.pace import LOADING, Pace, kind_of, shared_kind

LEASE = 120.0  # seconds
FORGOTTEN = 24 * 3600  # seconds after which a status of another machine's process is removed
BETWEEN = 1.0  # seconds at least between two writings of a status


def running_folder(out: Path) -> Path:
    """Where the files of the runs on a folder of results lie."""
    return out / ".running"


class Claim:
    """A claim on a group of cells: at most one process that lives holds it.

    - `cells`: of the group, in any order.
    """

    def __init__(self, out: Path, cells: Sequence[Cell]) -> None:
        keys = "\n".join(sorted(cell.key for cell in cells))
        name = hashlib.sha256(keys.encode()).hexdigest()[:16]
        self._path = running_folder(out) / f"{name}.claim"
        self._lease = _lease(self._path)

    @property
    def is_there(self) -> bool:
        """Whether somebody holds it or died with it."""
        return self._path.exists()

    def take(self) -> bool:
        """Take it where no other process that lives holds it; whether the group is to be measured
        here.
        """
        try:
            self._lease.acquire()
        except Timeout:
            return False
        except OSError:  # no place to write: the cells' own files will say so
            return True
        return True

    def leave(self) -> None:
        """Give it up, where it is held."""
        self._lease.release()


def _lease(path: Path) -> SoftFileLease:
    return SoftFileLease(path, lease_duration=LEASE, timeout=0)


@dataclass
class Status:
    """What a process is doing, of which run and task, and how fast it has been.

    - `shared`: units of shared work done for the task, by kind.
    """

    run: str = ""
    task: str = ""
    doing: str = ""
    shared: dict[str, int] = field(default_factory=dict)
    pace: Pace = field(default_factory=Pace)

    def to_text(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> Status:
        """Raises ValueError, TypeError or KeyError where it is none."""
        values = json.loads(text)
        return cls(**values | {"pace": Pace(values["pace"]["spells"])})


class Journal:
    """What this process does for a study, told as it goes.

    - `tell`: is given the status whenever it changes.
    - `clock`: seconds.
    """

    def __init__(
        self,
        tell: Callable[[Status], object] = lambda status: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tell, self._clock = tell, clock
        self.status = Status()
        self._measure = ""
        self._counted = (0, 0.0)  # units of the shared work in hand that are done, and when
        self._shared_seconds = 0.0

    @contextmanager
    def task(self, name: str) -> Iterator[None]:
        """Work at a checkpoint while the block runs."""
        self.status.task, self.status.shared = name, {}
        try:
            yield
        finally:
            self.status.task = self.status.doing = ""
            self._tell(self.status)

    def report(self, stage: str, done: int = 0, total: int = 0) -> None:
        """A stage, and how many units of shared work are done in it: a `Report`."""
        now = self._clock()
        if total:
            before, since = self._counted
            if done > before:
                kind = shared_kind(self._measure)
                self.status.pace.add(kind, done - before, now - since)
                self.status.shared[kind] = self.status.shared.get(kind, 0) + done - before
                self._shared_seconds += now - since
            self._counted = (done % total, now)
        self.status.doing = counted(stage, done, total)
        self._tell(self.status)

    @contextmanager
    def loading(self) -> Iterator[None]:
        """Load a checkpoint in the block."""
        self.report("loading the model")
        start = self._clock()
        yield
        self.status.pace.add(LOADING, 1, self._clock() - start)

    @contextmanager
    def measuring(self, cells: Sequence[Cell]) -> Iterator[None]:
        """Measure a group's missing cells in the block."""
        self._measure, self._counted, self._shared_seconds = cells[0].measure, (0, 0.0), 0.0
        start = self._clock()
        self.report(f"measuring {cells[0].request}")
        yield
        own = self._clock() - start - self._shared_seconds
        self.status.pace.add(kind_of(cells), len(cells), max(own, 0.0))


class StatusFile:
    """This process's status on disk, for others to read; where it cannot be written, they know
    nothing.

    - `run`: name of the run that it belongs to.
    """

    def __init__(self, out: Path, run: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = running_folder(out) / f"{process_name()}.status"
        self._run, self._clock, self._next = run, clock, 0.0

    def write(self, status: Status) -> None:
        """Write it, unless it was written a moment ago and there is something to do."""
        if status.doing and self._clock() < self._next:
            return
        self._next = self._clock() + BETWEEN
        status.run = self._run
        aside = self._path.with_suffix(".aside")
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            aside.write_text(status.to_text(), encoding="utf-8")
            aside.replace(self._path)


def statuses(out: Path) -> list[Status]:
    """What the processes on a folder are doing, those that were written last at the end; what
    cannot be read is passed over.
    """
    found = []
    for file in running_folder(out).glob("*.status"):
        with suppress(OSError, ValueError, TypeError, KeyError):
            if not is_dead(file.stem):
                text = file.read_text(encoding="utf-8")
                found.append((file.stat().st_mtime, Status.from_text(text)))
    return [status for _, status in sorted(found, key=lambda pair: pair[0])]


def tidy(out: Path, run: str) -> None:
    """Remove what a run has left, with what dead processes of this machine did; the folder too
    where nothing else is in it.
    """
    folder = running_folder(out)
    for file in folder.glob("*.claim"):
        with suppress(OSError, Timeout), _lease(file):
            pass
    for file in folder.glob("*.status"):
        with suppress(OSError, ValueError, TypeError, KeyError):
            old = time.time() - file.stat().st_mtime > FORGOTTEN
            if old or is_dead(file.stem) or Status.from_text(file.read_text("utf-8")).run == run:
                file.unlink()
    for file in folder.glob("*.aside"):
        with suppress(OSError):
            if is_dead(file.stem):
                file.unlink()
    with suppress(OSError):
        folder.rmdir()
