"""What a long command is doing, on standard error: one line that is rewritten on a terminal, a new
line now and then elsewhere.
"""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
import unicodedata
from collections.abc import Callable
from io import TextIOBase

from meanings.core.errors import one_line

# Where a computation tells its stage, how many parts of it are done, and of how many (0 of 0 where
# they are not counted).
Report = Callable[[str, int, int], object]

FIRST = 1.0  # seconds before a terminal shows it, so that what fails at once fails in one line
REWRITTEN = 0.5  # seconds between two looks on a terminal
EVERY = 30.0  # seconds before each line where there is no terminal


def unreported(stage: str, done: int = 0, total: int = 0) -> None:
    """The `Report` of a computation that nobody watches: nothing."""


class StatusLine:
    """A line about what is being done, shown while the block runs.

    - `text`: asked for what to say whenever the line is shown, in a thread of its own; characters
      that a terminal would obey are escaped.
    - `shown`: nothing is shown without it.
    - `stream`: standard error where none is given.
    - `clock`: seconds.
    """

    def __init__(
        self,
        text: Callable[[], str],
        shown: bool = True,
        stream: TextIOBase | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._text, self._shown = text, shown
        self._stream = stream or sys.stderr
        self._clock = clock
        # A terminal that can take back what it shows.
        self._rewrites = self._stream.isatty() and os.environ.get("TERM") != "dumb"
        self._next = clock() + (FIRST if self._rewrites else EVERY)
        self._last = ""
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> StatusLine:
        if self._shown:
            self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        if self._shown:
            self._thread.join()
        if self._rewrites and self._last:  # the last line stays, as it is at the end
            self._show()
            self._stream.write("\n")
            self._stream.flush()

    def look(self) -> None:
        """Show the line if it is time to."""
        if self._clock() >= self._next:
            self._show()
            self._next = self._clock() + (REWRITTEN if self._rewrites else EVERY)

    def _show(self) -> None:
        line = one_line(self._text())
        if not line:
            return
        self._last = line
        if self._rewrites:
            self._stream.write(f"\r{_fitting(line, shutil.get_terminal_size().columns - 1)}\x1b[K")
        else:
            self._stream.write(f"{line}\n")
        self._stream.flush()

    def _watch(self) -> None:
        while not self._ended.wait(REWRITTEN / 2):
            self.look()


class Watched:
    """What a computation reports, as text for a `StatusLine`: `name: stage done of total`.

    - `name`: of what is computed.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._said = ""

    def report(self, stage: str, done: int = 0, total: int = 0) -> None:
        """Record a stage: a `Report`."""
        self._said = counted(stage, done, total)

    def text(self) -> str:
        """What was reported last."""
        return f"{self.name}: {self._said}" if self._said else self.name


def counted(stage: str, done: int, total: int) -> str:
    """`stage`, or `stage done of total` where it has parts."""
    return f"{stage} {done} of {total}" if total else stage


def _fitting(line: str, columns: int) -> str:
    """As much of the line as fits in so many columns: letters of East Asian scripts take two."""
    width = 0
    for i, letter in enumerate(line):
        width += 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        if width > columns:
            return line[:i]
    return line
