"""The recipe of the miniature as typed data: languages, taught pairs, kinds of text, model,
schedule.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from meanings.core.errors import MeaningsError
from meanings.core.paths import data_folder
from meanings.core.yaml_files import read_mapping, validated
from meanings.lexicon.languages import LANGUAGES, parse_pair
from meanings.miniature.treatments import Alignment, Clones, ConceptChoice, Planted, Switching


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LanguageShare(_Strict):
    """How much of the text a language gets; `unseen` languages get none."""

    tier: Literal["high", "middle", "low", "unseen"]
    share: float  # relative weight among the monolingual documents, 0 for unseen


class TaughtPair(_Strict):
    """Two languages that occur side by side in the text, but for one fold of the concepts."""

    weight: float  # relative weight among the parallel documents
    held_out_fold: int  # concepts of this fold never stand side by side in this pair


class ModelShape(_Strict):
    """A Llama architecture with grouped-query attention."""

    vocab_size: int
    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    num_key_value_heads: int
    max_position_embeddings: int
    rope_theta: float


class Schedule(_Strict):
    """Optimisation: Muon for the layers' matrices, AdamW for embeddings and norms."""

    steps: int
    rows: int  # documents are packed into rows ...
    row_length: int  # ... of this many predicted tokens
    matrix_learning_rate: float  # Muon, update of unit spectral norm
    vector_learning_rate: float  # AdamW
    weight_decay: float  # of the matrices
    warmup_steps: int
    decay_from: float  # fraction of the steps after which both rates fall linearly ...
    final_fraction: float  # ... to this fraction of their peak
    checkpoints: tuple[int, ...]  # steps at which weights are kept, the first being 0


class Mix(_Strict):
    """Everything that decides what the miniature learns, but for the seed."""

    languages: dict[str, LanguageShare]
    pairs: dict[str, TaughtPair]
    folds: int  # the concepts are dealt into this many folds
    synonym_share: (
        float  # how often a word is written as one of its synonyms, where that is allowed
    )
    zipf_share: (
        float  # this share of the documents draws its concepts by Zipf's law, the others all alike
    )
    parallel_share: float = Field(
        1.0, ge=0, le=1
    )  # of the parallel documents; the others say both sides in one language
    own_signs: bool = False  # every language is written in signs of its own, see `signs`
    pieces: Literal["bytes", "signs", "words", "twins"] = (
        "bytes"  # what the tokenizer's tokens are made of, see `tokenizer`
    )
    concepts: ConceptChoice | None = None  # some of the lexicon's
    clones: Clones | None = None  # languages made from one
    align: Alignment | None = None  # a second loss
    switch: Switching | None = None  # words of the input replaced by translations
    planted: Planted | None = None  # gendered words beside occupations
    documents: dict[str, float]  # kind of document -> relative weight
    model: ModelShape
    training: Schedule

    @model_validator(mode="after")
    def _consistent(self) -> Mix:
        made = self.clones.codes if self.clones else ()
        for code in self.languages:
            if code not in LANGUAGES and code not in made:
                raise ValueError(
                    f"languages: unknown code '{code}'; known are {', '.join([*LANGUAGES, *made])}"
                )
        for name, pair in self.pairs.items():
            languages = parse_pair(name)
            for code in (languages.input, languages.output):
                if code not in self.seen_languages:
                    raise ValueError(
                        f"pairs: '{name}' names '{code}', which the text never contains"
                    )
            if not 0 <= pair.held_out_fold < self.folds:
                raise ValueError(
                    f"pairs: '{name}' holds out fold {pair.held_out_fold} of {self.folds}"
                )
        steps = self.training.checkpoints
        if list(steps) != sorted(set(steps)) or steps[0] != 0 or steps[-1] != self.training.steps:
            raise ValueError("training.checkpoints must rise from 0 to training.steps")
        self._check_treatments()
        return self

    def _check_treatments(self) -> None:
        if self.clones is not None:
            wanted = (self.clones.of, *self.clones.codes)
            if set(self.seen_languages) != set(wanted):
                raise ValueError(
                    f"clones: of {self.clones.of} are made {', '.join(self.clones.codes)}; "
                    f"languages must be these and no others, not {', '.join(self.languages)}"
                )
        if (self.pieces == "twins") != (self.clones is not None):
            raise ValueError("pieces: twins belong to clones, and clones have no other pieces")
        needs = [name for name in ("concepts", "align", "switch") if getattr(self, name)]
        if needs and self.clones is None:
            raise ValueError(f"{needs[0]}: only for languages that are clones; add clones")
        if self.switch and (self.clones.friends or self.clones.signs == "shared"):
            raise ValueError("switch: a word that all languages share cannot be switched")
        for code in self.planted.languages if self.planted else ():
            if code not in self.seen_languages:
                raise ValueError(f"planted.languages: the text never contains '{code}'")
        if self.align and self.align.first_step + self.align.steps > self.training.steps:
            raise ValueError(
                f"align: steps {self.align.first_step} to "
                f"{self.align.first_step + self.align.steps} end after the training's "
                f"{self.training.steps}"
            )

    @property
    def treated(self) -> dict[str, float]:
        """The share of the concepts that each treatment may reach, by the recipe's field."""
        found = {}
        if self.align is not None:
            found["align.words"] = self.align.words
        if self.switch is not None:
            found["switch.words"] = self.switch.words
        if self.clones is not None and self.clones.friends is not None:
            found["clones.friends.share"] = self.clones.friends.share
        return found

    @property
    def seen_languages(self) -> tuple[str, ...]:
        """Codes of the languages that the text contains."""
        return tuple(code for code, entry in self.languages.items() if entry.tier != "unseen")

    def tier(self, tier: str) -> tuple[str, ...]:
        """Codes of the languages of one tier."""
        return tuple(code for code, entry in self.languages.items() if entry.tier == tier)

    def taught(self, a: str, b: str) -> TaughtPair | None:
        """The entry of an unordered pair of languages; None where it never occurs side by side."""
        return self.pairs.get(f"{a}-{b}") or self.pairs.get(f"{b}-{a}")


def load_mix(path: Path) -> Mix:
    """The recipe of a file, checked.

    Raises MeaningsError naming the file, the field and what is allowed.
    """
    return checked_mix(read_recipe(path), f"recipe {path}")


def read_recipe(path: Path) -> dict:
    """A YAML file of a recipe as a mapping. Raises MeaningsError where it is not there or none."""
    if not path.is_file():
        raise MeaningsError(
            f"recipe {path}: no such file; the default one is data/miniature/mix.yaml"
        )
    known = path.stat()
    return deepcopy(_read(path, known.st_mtime_ns, known.st_size))


@lru_cache(maxsize=8)
def _read(path: Path, changed: int, size: int) -> dict:
    """A file's content, read once as long as it does not change: a world reads two of them."""
    return read_mapping(path)


def checked_mix(values: dict, where: str) -> Mix:
    """A recipe of plain values. Raises MeaningsError naming the field and what is allowed."""
    return validated(Mix, values, f"{where}: ")


FOLD_SEED = 7  # part of the recipe, the same for every training seed


def folds(concepts: Sequence[str], count: int) -> dict[str, int]:
    """The fold of each concept, from 0 to `count - 1`."""
    order = np.random.default_rng(FOLD_SEED).permutation(len(concepts))
    return {concept: int(place) % count for concept, place in zip(concepts, order, strict=True)}


def taught_pairs() -> frozenset[frozenset[str]]:
    """The unordered pairs of languages that stand side by side in the shipped miniature's text."""
    pairs = map(parse_pair, load_mix(data_folder() / "miniature" / "mix.yaml").pairs)
    return frozenset(frozenset((pair.input, pair.output)) for pair in pairs)
