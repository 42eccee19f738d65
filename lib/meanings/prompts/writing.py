"""Writing prompts as JSON, for several models to share: see `meanings.prompts.shared`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from meanings.core.atomic_files import atomic_file
from meanings.lexicon.lexicon import Lexicon
from meanings.prompts.concept_pair import ConceptPair
from meanings.prompts.concept_pairs import draw_shared_pairs
from meanings.prompts.shared import (
    SharedPrompts,
    definition_sha256,
    prompt_texts,
    read_prompts,
)
from meanings.prompts.usable_concepts import usable_concepts

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def write_prompts(
    path: Path,
    lexicon: Lexicon,
    tokenizers: Mapping[str, PreTrainedTokenizerBase],
    *,
    template: str,
    shots: int,
    n_pairs: int,
    seeds: Sequence[int],
    pairs: Sequence[str],
) -> SharedPrompts:
    """Draw concept pairs that are eligible under all `tokenizers` (by model name), and write them
    aside, then rename.

    Concepts whose query word one of them merges are left out. Under one tokenizer the draw is what
    the study draws itself. Raises MeaningsError where too few pairs are eligible under all of them,
    or the file cannot be written.
    """
    each = list(tokenizers.values())
    usable, left_out = usable_concepts(lexicon, *each, template=template, shots=shots)
    draws = {
        seed: draw_shared_pairs(usable, each, lexicon.languages, n_pairs, shots, seed)
        for seed in sorted(seeds)
    }
    return write_draws(
        path, lexicon, tokenizers, draws, template=template, pairs=pairs, left_out=left_out
    )


def write_draws(
    path: Path,
    lexicon: Lexicon,
    tokenizers: Mapping[str, PreTrainedTokenizerBase],
    draws: Mapping[int, Sequence[ConceptPair]],
    *,
    template: str,
    pairs: Sequence[str],
    left_out: Sequence[str] = (),
) -> SharedPrompts:
    """Write concept pairs that were drawn already, as many for each seed, aside, then rename."""
    first, tokenizer = next(iter(draws.values())), next(iter(tokenizers.values()))
    content = {
        "layout": 1,
        "lexicon": lexicon.name,
        "lexicon_sha256": lexicon.sha256,
        "languages": list(lexicon.languages),
        "template": template,
        "shots": len(first[0].source_shots),
        "n_pairs": len(first),
        "made_for": {name: definition_sha256(each) for name, each in tokenizers.items()},
        "left_out": list(left_out),
        "draws": {str(seed): [asdict(pair) for pair in drawn] for seed, drawn in draws.items()},
        "texts": {
            str(seed): {
                text: prompt_texts(lexicon, tokenizer, text, drawn, template) for text in pairs
            }
            for seed, drawn in draws.items()
        },
    }
    with atomic_file(path) as aside:
        aside.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return read_prompts(path)
