"""A line on a terminal while a command is at work."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from meanings.core.formatting import duration
from meanings.core.status_line import Report, StatusLine, Watched


def on_terminal() -> bool:
    """Whether somebody watches standard error."""
    return sys.stderr.isatty()


@contextmanager
def working(what: str, quiet: bool = False) -> Iterator[Report]:
    """Show what is being done, and for how long, while the block runs; nothing where standard error
    is no terminal. The block may report stages and counts.
    """
    watched, start = Watched(what), time.monotonic()

    def text() -> str:
        return f"{watched.text()}, {duration(time.monotonic() - start)}"

    with StatusLine(text, shown=not quiet and on_terminal()):
        yield watched.report
