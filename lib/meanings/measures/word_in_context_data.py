"""AM2iCo as `meaning_in_context` reads it, in place of a lexicon's homographs:

    settings:
      meaning_in_context:
        am2ico: {folder: path/to/am2ico, languages: [de, fi]}

A pair of contexts is scored by the cosine of the two words' states, from each of which the mean of
its language's dev states in the same condition is subtracted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from meanings.core.atomic_files import atomic_folder
from meanings.core.hashing import content_hash
from meanings.corpora.am2ico import SPLITS, Am2ico, Context, read_am2ico
from meanings.measures.base import DataSet, Shared

if TYPE_CHECKING:
    from meanings.models.target_states import TargetStates

SIDES = ("other", "english")


class Am2icoSettings(BaseModel):
    """Which pairs of contexts are read in place of a lexicon's homographs."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    folder: str = Field(min_length=1, description="that holds `LANG/dev.tsv` or `LANG-dev.tsv`")
    languages: tuple[str, ...] = Field(min_length=1, description="codes, as the files begin")
    tokens: int = Field(64, ge=1, le=4096, description="of the left context, at most")
    store: str = Field("", description="folder in which states are kept; empty: in memory only")


@dataclass(frozen=True)
class WordsInContext:
    """Pairs of contexts, and how many tokens left of a word are read."""

    am2ico: Am2ico
    tokens: int
    store: Path | None = None
    text: None = None  # what the model was trained on is not known
    text_sha256: str = ""
    paired: ClassVar[bool] = False

    @classmethod
    def of(cls, settings: Am2icoSettings) -> WordsInContext:
        """Read. Raises MeaningsError where files or languages are not as asked."""
        found = read_am2ico(Path(settings.folder), settings.languages)
        return cls(found, settings.tokens, Path(settings.store) if settings.store else None)

    @cached_property
    def identity(self) -> DataSet:
        """Name, hash of the files and of the tokens kept, and languages, English last."""
        return DataSet(
            self.am2ico.name,
            content_hash(self.am2ico.sha256, self.tokens),
            (*self.am2ico.languages, "en"),
        )

    def states(self, model: Any, shared: Shared) -> States:
        """Where each language's states are read; one language at a time is kept in memory."""
        return States(model, self, shared.report)


@dataclass(frozen=True)
class States:
    """The states of a checkpoint, read when they are asked for."""

    model: Any
    data: WordsInContext
    report: Callable[[str, int, int], object]

    def of(self, code: str) -> dict[str, TargetStates]:
        """The states of a language's pairs: `other` and `english`, first dev, then test."""
        rows = [row for split in SPLITS for row in self.data.am2ico.rows[code][split]]
        return {side: self._side([getattr(row, side) for row in rows]) for side in SIDES}

    def _side(self, contexts: list[Context]) -> TargetStates:
        from meanings.models.target_states import target_states

        texts = [(each.before, each.word) for each in contexts]
        model, most, store = self.model, self.data.tokens, self.data.store
        if store is None:
            return target_states(model, texts, most, self.report)
        key = content_hash(model.weights_sha256, str(model.dtype), texts, most)
        folder = store / key[:32]
        if not folder.is_dir():
            states = target_states(model, texts, most, self.report)
            with atomic_folder(folder, first_wins=True) as aside:
                for name, each in vars(states).items():
                    np.save(aside / f"{name}.npy", each)
        return _load(folder)


def _load(folder: Path) -> TargetStates:
    from meanings.models.target_states import CONDITIONS, TargetStates

    arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in CONDITIONS}
    return TargetStates(**arrays, cut=int(np.load(folder / "cut.npy")))
