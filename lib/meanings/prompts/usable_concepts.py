"""Concepts that prompts may have: their query word ends where a token ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meanings.lexicon.lexicon import Lexicon
from meanings.prompts.prompt import merged_query_words

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def usable_concepts(
    lexicon: Lexicon, *tokenizers: PreTrainedTokenizerBase, template: str = "quoted"
) -> tuple[Lexicon, tuple[str, ...]]:
    """The lexicon without the concepts whose query word a tokenizer joins with what follows in some
    language, and the concepts left out, sorted.
    """
    left_out = {
        concept
        for tokenizer in tokenizers
        for concepts in merged_query_words(lexicon, tokenizer, lexicon.languages, template).values()
        for concept in concepts
    }
    if not left_out:
        return lexicon, ()
    usable = [concept for concept in lexicon.concepts if concept not in left_out]
    return lexicon.restrict(concepts=usable), tuple(sorted(left_out))
