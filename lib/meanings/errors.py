"""The one exception that a user can cause: a wrong name, file, type or size.

The command line prints its message, one line, and exits with 2; any other exception is a defect of the library.
"""

from __future__ import annotations

from collections.abc import Iterable


class MeaningsError(ValueError):
    """What is wrong, where, what is allowed and how to mend it, in one line."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(str(message).split()))


def one_of(names: Iterable[object], limit: int = 40) -> str:
    """The allowed names as a list for an error message: at most `limit`, then a count of the rest."""
    names = [str(name) for name in names]
    shown = ", ".join(names[:limit]) or "none"
    return shown if len(names) <= limit else f"{shown}, and {len(names) - limit} more"
