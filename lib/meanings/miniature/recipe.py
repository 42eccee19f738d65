"""The recipe of the miniature as typed data: languages, taught pairs, kinds of text, model,
schedule.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from meanings.core.errors import MeaningsError, one_of
from meanings.core.paths import data_folder
from meanings.core.yaml_files import read_mapping, validated
from meanings.lexicon.languages import LANGUAGES, parse_pair

VARIANTS = "worlds.yaml"


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
    pieces: Literal["bytes", "signs", "words"] = (
        "bytes"  # what the tokenizer's tokens are made of, see `tokenizer`
    )
    documents: dict[str, float]  # kind of document -> relative weight
    model: ModelShape
    training: Schedule

    @model_validator(mode="after")
    def _consistent(self) -> Mix:
        for code in self.languages:
            if code not in LANGUAGES:
                raise ValueError(
                    f"languages: unknown code '{code}'; known are {', '.join(LANGUAGES)}"
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
        return self

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
    return _checked(_read(path), f"recipe {path}")


def load_variant(folder: Path, name: str) -> Mix:
    """The recipe of a short miniature: `mix.yaml`, with the fields of `base` in `worlds.yaml` and
    then those of the variant laid over it.

    Of `model` and `training` only the fields that are named change.

    Raises MeaningsError listing the variants, or naming the field and what is allowed.
    """
    known = variant_names(folder)
    if name not in known:
        raise MeaningsError(f"no short miniature {name!r}: {folder / VARIANTS} has {one_of(known)}")
    content = _read(folder / VARIANTS)
    values = _read(folder / "mix.yaml")
    for over in (content["base"], content["worlds"][name]):
        values |= {
            field: values[field] | value
            if field in ("model", "training") and isinstance(value, dict)
            else value
            for field, value in over.items()
        }
    return _checked(values, f"{folder / VARIANTS}: {name}")


def variant_names(folder: Path) -> tuple[str, ...]:
    """The names of the short miniatures, in the file's order.

    Raises MeaningsError where the file is not of that form.
    """
    content = _read(folder / VARIANTS)
    variants = content.get("worlds")
    tables = (
        content.get("base"),
        variants,
        *(variants.values() if isinstance(variants, dict) else ()),
    )
    if (
        set(content) != {"base", "worlds"}
        or not all(isinstance(part, dict) for part in tables)
        or not all(isinstance(name, str) for name in variants)
    ):
        raise MeaningsError(
            f"{folder / VARIANTS}: expected `base` with fields of mix.yaml, and `worlds` with "
            "names and the fields that each changes"
        )
    return tuple(variants)


def _read(path: Path) -> dict:
    if not path.is_file():
        raise MeaningsError(
            f"recipe {path}: no such file; the default one is data/miniature/mix.yaml"
        )
    return read_mapping(path)


def _checked(values: dict, where: str) -> Mix:
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
