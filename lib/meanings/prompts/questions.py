"""Questions to a model whose answers are known words."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Asked:
    """One question to a model: what it is given, and the words that answer it.

    - `others`: words of another concept, which are the null; none where it is not asked for.
    """

    prompt: str
    words: tuple[str, ...]
    others: tuple[str, ...]

    @property
    def is_quoted(self) -> bool:
        """Whether the answer stands behind an open quote, and a quote must close it."""
        return self.prompt.endswith('"')
