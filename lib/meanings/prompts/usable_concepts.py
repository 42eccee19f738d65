"""Concepts that prompts may have: their query word ends where a token ends, and is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meanings.core.errors import MeaningsError
from meanings.lexicon.lexicon import Lexicon
from meanings.prompts.prompt import merged_query_words

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def usable_concepts(
    lexicon: Lexicon,
    *tokenizers: PreTrainedTokenizerBase,
    template: str = "quoted",
    shots: int = 0,
) -> tuple[Lexicon, tuple[str, ...]]:
    """The lexicon without the concepts whose query word a tokenizer joins with what follows, or
    does not know, in some language, and the concepts left out, sorted.

    Raises MeaningsError where concepts are left out and too few stay for a pair of `shots`.
    """
    left_out = {
        concept
        for tokenizer in tokenizers
        for concepts in merged_query_words(lexicon, tokenizer, lexicon.languages, template).values()
        for concept in concepts
    }
    if not left_out:
        return lexicon, ()
    if len(lexicon) - len(left_out) < 2 * shots + 3:
        raise MeaningsError(
            f"of {len(left_out)} of the {len(lexicon)} concepts of {lexicon.name!r} the tokenizer "
            f"joins a query word with what follows in template {template!r}, or does not know it; "
            f"at least {2 * shots + 3} others are needed for {shots} shots: take another template, "
            "or fewer languages"
        )
    usable = [concept for concept in lexicon.concepts if concept not in left_out]
    return lexicon.restrict(concepts=usable), tuple(sorted(left_out))
