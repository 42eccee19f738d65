"""Prompts as JSON: concept pairs drawn once, so that models with different tokenizers are asked for
the same concepts.

    {"layout": 1, "lexicon": "embedded", "lexicon_sha256": ..., "languages": [...],
     "template": "quoted", "shots": 5, "n_pairs": 64,
     "made_for": {"miniature": <sha256 of its tokenizer>}, "left_out": [...],
     "draws": {"42": [{"source": ..., "target": ..., "null": ...,
                       "source_shots": [...], "target_shots": [...]}, ...]},
     "texts": {"42": {"fr-es": {"source": [...], "target": [...]}}}}

`texts` shows what is asked; it is checked against what lexicon and template make of `draws`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from meanings.core.errors import MeaningsError, one_of
from meanings.core.yaml_files import refusal
from meanings.lexicon.languages import parse_pair
from meanings.lexicon.lexicon import Lexicon
from meanings.prompts.answers import first_tokens
from meanings.prompts.concept_pairs import ConceptPair
from meanings.prompts.prompt import (
    MergedQueryWord,
    UnknownQueryWord,
    merged_query_words,
    translation_prompt,
)

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

MAX_BYTES = 256 * 2**20
CURE = "write the prompts again with this model among --models"


class _Pair(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    source: str
    target: str
    null: str
    source_shots: list[str]
    target_shots: list[str]


class _Content(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    layout: int = Field(ge=1, le=1)
    lexicon: str
    lexicon_sha256: str = Field(pattern="^[0-9a-f]{64}$")
    languages: list[str]
    template: str
    shots: int = Field(ge=0)
    n_pairs: int = Field(ge=1)
    made_for: dict[str, str]
    left_out: list[str]
    draws: dict[int, list[_Pair]]
    texts: dict[int, dict[str, dict[str, list[str]]]]


@dataclass(frozen=True)
class SharedPrompts:
    """A file of prompts as it was read.

    - `draws[seed]`: concept pairs; `texts[seed][pair][side]`: prompts, `side` being source or
      target.
    """

    place: str
    lexicon_sha256: str
    template: str
    shots: int
    n_pairs: int
    left_out: tuple[str, ...]
    draws: Mapping[int, tuple[ConceptPair, ...]]
    texts: Mapping[int, Mapping[str, Mapping[str, Sequence[str]]]]

    @cached_property
    def sha256(self) -> str:
        """Hash, hex, of what is asked: lexicon, template and draws, whatever the file is called."""
        draws = {str(seed): [asdict(pair) for pair in pairs] for seed, pairs in self.draws.items()}
        content = [self.lexicon_sha256, self.template, draws]
        return hashlib.sha256(
            json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
        ).hexdigest()

    def fit(
        self, lexicon: Lexicon, template: str, shots: int, n_pairs: int, seeds: Sequence[int]
    ) -> None:
        """Raises MeaningsError where lexicon or settings are not those that the prompts were
        written with, naming what to set.
        """
        if lexicon.sha256 != self.lexicon_sha256:
            raise MeaningsError(
                f"prompts {self.place}: written with another lexicon (or other languages) than "
                f"{lexicon.name!r} in {'+'.join(lexicon.languages)}; "
                "set lexicon and languages as they were, or write the prompts again"
            )
        for name, asked, written in (
            ("template", template, self.template),
            ("shots", shots, self.shots),
            ("n_pairs", n_pairs, self.n_pairs),
        ):
            if asked != written:
                raise MeaningsError(
                    f"prompts {self.place}: written with {name}={written!r}, the grid has "
                    f"{asked!r}; set it to {written!r}"
                )
        if lacking := sorted(set(seeds) - set(self.draws)):
            raise MeaningsError(
                f"prompts {self.place}: no draw of seed {lacking[0]}; set prompt_seeds to some of "
                f"{one_of(sorted(self.draws))}"
            )

    def check(
        self, model: str, tokenizer: PreTrainedTokenizerBase, lexicon: Lexicon, seed: int
    ) -> None:
        """Raises MeaningsError naming the first pair that this tokenizer makes ineligible, or a
        text that is not the pair's.
        """
        merged = {
            (concept, code): None
            for code, concepts in merged_query_words(
                lexicon, tokenizer, lexicon.languages, self.template
            ).items()
            for concept in concepts
        }
        tokens: dict[str, frozenset[int]] = {}
        for number, pair in enumerate(self.draws[seed]):
            concepts = f"({pair.source} into {pair.target})"
            where = f"prompts {self.place}, seed {seed}, pair {number} {concepts}"
            for concept in (pair.source, pair.target, pair.null):
                if code := next((code for c, code in merged if c == concept), None):
                    raise MeaningsError(
                        f"{where}: {model}'s tokenizer joins the query word "
                        f"{lexicon.word(concept, code)!r} ({code}) with what follows, or does not "
                        f"know it; {CURE}"
                    )
                if concept not in tokens:
                    words = [
                        word for code in lexicon.languages for word in lexicon.words(concept, code)
                    ]
                    tokens[concept] = frozenset(first_tokens(tokenizer, words))
            for a, b in (
                (pair.source, pair.target),
                (pair.null, pair.source),
                (pair.null, pair.target),
            ):
                if tokens[a] & tokens[b]:
                    raise MeaningsError(
                        f"{where}: words of {a!r} and {b!r} share a first token under {model}'s "
                        f"tokenizer; {CURE}"
                    )
        for text, sides in self.texts.get(seed, {}).items():
            if sides != prompt_texts(lexicon, tokenizer, text, self.draws[seed], self.template):
                raise MeaningsError(
                    f"prompts {self.place}, seed {seed}, {text}: the texts do not match the "
                    f"concept pairs; write the file again and do not edit it"
                )


def read_prompts(path: Path) -> SharedPrompts:
    """A file that `meanings.prompts.writing` wrote. Raises MeaningsError, one line, where it is
    none or a draw is not whole.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise MeaningsError(
                f"prompts {path}: over {MAX_BYTES // 2**20} MiB; expected a file of 'meanings "
                "prompts write'"
            )
        content = _Content.model_validate_json(path.read_bytes())
    except OSError as error:
        raise MeaningsError(
            f"prompts {path}: cannot be read ({error.strerror}); expected 'drawn' or a file of "
            "'meanings prompts write'"
        ) from None
    except ValidationError as error:
        raise MeaningsError(
            f"prompts {path}: {refusal(error, _Content)}; write it with 'meanings prompts write'"
        ) from None
    draws = {}
    for seed, pairs in content.draws.items():
        if len(pairs) != content.n_pairs:
            raise MeaningsError(
                f"prompts {path}, seed {seed}: {len(pairs)} concept pairs, expected "
                f"n_pairs={content.n_pairs}; write it again"
            )
        draws[seed] = tuple(
            ConceptPair(p.source, p.target, p.null, tuple(p.source_shots), tuple(p.target_shots))
            for p in pairs
        )
        for number, pair in enumerate(draws[seed]):
            used = [pair.source, pair.target, pair.null, *pair.source_shots, *pair.target_shots]
            if (
                len(set(used)) < len(used)
                or not len(pair.source_shots) == len(pair.target_shots) == content.shots
            ):
                raise MeaningsError(
                    f"prompts {path}, seed {seed}, pair {number}: expected 3 + 2 * {content.shots} "
                    "distinct concepts; write it again"
                )
    return SharedPrompts(
        str(path),
        content.lexicon_sha256,
        content.template,
        content.shots,
        content.n_pairs,
        tuple(content.left_out),
        draws,
        content.texts,
    )


def definition_sha256(tokenizer: PreTrainedTokenizerBase) -> str:
    """Hash of a tokenizer's full definition, hex."""
    return hashlib.sha256(tokenizer.backend_tokenizer.to_str().encode()).hexdigest()


def prompt_texts(
    lexicon: Lexicon,
    tokenizer: PreTrainedTokenizerBase,
    text: str,
    drawn: Sequence[ConceptPair],
    template: str,
) -> dict[str, list[str]]:
    """The source and target prompts of concept pairs in one language pair, as text."""
    pair = parse_pair(text)
    try:
        return {
            side: [
                translation_prompt(
                    lexicon,
                    tokenizer,
                    pair,
                    getattr(d, side),
                    getattr(d, f"{side}_shots"),
                    template,
                ).text
                for d in drawn
            ]
            for side in ("source", "target")
        }
    except (MergedQueryWord, UnknownQueryWord) as error:
        raise MeaningsError(f"pair {text}: {error}") from None
