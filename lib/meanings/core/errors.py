"""The one exception for errors that a user can correct: a wrong name, file, type or size.

The command line prints its message, one line, and exits with 2; any other exception is a defect of
the library.
"""

from __future__ import annotations

from collections.abc import Iterable

LONGEST = (
    4000  # characters of a message; what is longer quotes something that nobody reads to its end
)


class MeaningsError(ValueError):
    """What is wrong, where, what is allowed and how to correct it, in one line that a terminal can
    show.
    """

    def __init__(self, message: str) -> None:
        line = one_line(message)
        super().__init__(
            line
            if len(line) <= LONGEST
            else f"{line[: LONGEST // 2]} [...] {line[-LONGEST // 2 :]}"
        )


def one_line(text: object) -> str:
    """The text in one line that a terminal can show: values and names in it come from files, and a
    control character could clear or colour a terminal.
    """
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in " ".join(str(text).split()))


def one_of(names: Iterable[object], limit: int = 40) -> str:
    """The allowed names as a list for an error message: at most `limit`, then a count of the
    rest.
    """
    names = [str(name) for name in names]
    shown = ", ".join(names[:limit]) or "none"
    return shown if len(names) <= limit else f"{shown}, and {len(names) - limit} more"
