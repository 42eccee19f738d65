"""Items of a parallel treebank as a companion measure reads them, in place of a lexicon's words.

A companion measure takes states with an axis of items that all languages share, and asks two
things of what it reads: `items` (their names and categories) and `states` (of a checkpoint). Words
of a lexicon (`meanings.measures.companion.Texts`) and sentences or words of a treebank
(`Treebank`) are two sources of such items, so no measure knows which one it reads:

    settings:
      cka:
        treebank: {folder: path/to/pud, items: sentences, languages: [en, de, zh]}

    items        state
    sentences    mean over the sentence's tokens, the mark before it left out
    relations    state of the head - state of the dependent
    all others   at the word's last token, in its sentence

A final model whose weights were rounded to 4 bits, as the Gemma of this study, answers where in its
layers languages meet. It cannot say when they came to, in which order, or because of which text:
there is no training trajectory and no untrained model of its own to serve as a floor. Rounding adds
noise to all states, so a low value may be the rounding's.

`tokens` of an item is the length of its sentence, which CKA regresses out. Two languages'
sentences nearly always share a token, a full stop or a name, so no set of items that share one is
split off.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from jaxtyping import Bool
from pydantic import BaseModel, ConfigDict, Field

from meanings.core.hashing import content_hash
from meanings.corpora.items import Items, Kind, items_of
from meanings.corpora.parallel import Parallel, read_parallel, sha256_of
from meanings.measures.base import DataSet, Shared
from meanings.measures.treebank_store import states_of
from meanings.measures.word_states import WordStates, check_states

if TYPE_CHECKING:
    from meanings.models.context_states import ContextStates


class TreebankSettings(BaseModel):
    """Which items of a parallel treebank are read in place of a lexicon's words."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    folder: str = Field(min_length=1, description="that holds `<language>_*.conllu[.gz]`")
    items: Kind = Field("sentences", description="what languages are compared over")
    languages: tuple[str, ...] = Field(min_length=2, description="codes, as the files begin")
    sentences: int = Field(256, ge=0, description="how many are drawn; 0 takes all")
    most: int = Field(60, ge=8, description="items of each class, at most")
    seed: int = Field(0, ge=0, description="draws sentences and items")
    store: str = Field("", description="folder in which states are kept; empty: in memory only")


class ItemStates(WordStates):
    """States of a treebank's items; `pieces` are the token ids of each item's sentence."""

    def shares_token(self, a: str, b: str) -> Bool[np.ndarray, " concept"]:
        """Of none: see the module."""
        return np.zeros(len(self.concepts), bool)


@dataclass(frozen=True)
class Treebank:
    """Sentences of a treebank, and the items that are read of them.

    - `store`: where states are kept, None in memory only.
    """

    parallel: Parallel
    items: Items
    store: Path | None = None
    text: None = None  # what the model was trained on is not known
    text_sha256: str = ""
    paired: ClassVar[bool] = False  # an item's words need not be translations

    @classmethod
    def of(cls, settings: TreebankSettings) -> Treebank:
        """Read and drawn. Raises MeaningsError where files or languages are not as asked."""
        parallel = read_parallel(
            Path(settings.folder), settings.languages, settings.sentences, settings.seed
        )
        items = items_of(parallel, settings.items, settings.most, settings.seed)
        return cls(parallel, items, Path(settings.store) if settings.store else None)

    @cached_property
    def identity(self) -> DataSet:
        """Name, hash of the sentences, their annotation and the items drawn, and languages."""
        places = {code: each.tolist() for code, each in self.items.places.items()}
        return DataSet(
            self.items.name,
            content_hash(sha256_of(self.parallel), self.items.concepts, places),
            self.parallel.languages,
        )

    def states(self, model: Any, shared: Shared) -> WordStates:
        """The states of the items; measures of one checkpoint share them."""
        key = f"treebank {self.identity.sha256}"
        if key not in shared.checkpoint:
            kept = f"sentences {sha256_of(self.parallel)}"
            if kept not in shared.checkpoint:
                shared.checkpoint[kept] = states_of(model, self.parallel, self.store, shared.report)
            found = item_states(self.items, shared.checkpoint[kept])
            check_states(model.name, found)
            shared.checkpoint[key] = found
        return shared.checkpoint[key]


def item_states(items: Items, read: Mapping[str, ContextStates]) -> WordStates:
    """The states of items, out of those of sentences and words."""
    hidden, units, pieces = {}, {}, {}
    for code, places in items.places.items():
        states = read[code]
        none = np.zeros((len(states.units), len(items), 0), np.float16)
        if items.kind == "sentences":
            hidden[code], units[code] = np.array(states.sentences[:, places[:, 0]]), none
        elif items.kind == "relations":
            heads, dependents = places.T
            hidden[code] = states.words[:, heads] - states.words[:, dependents]
            units[code] = none
        else:
            hidden[code] = np.array(states.words[:, places[:, 0]])
            units[code] = np.array(states.units[:, places[:, 0]])
        pieces[code] = tuple(states.pieces[number] for number in items.sentences)
    return ItemStates(items.concepts, hidden, units, pieces)
