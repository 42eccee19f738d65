"""Lengths of prompts under a tokenizer, for budgets."""

from collections.abc import Sequence

from transformers import PreTrainedTokenizerBase

from meanings.lexicon.languages import LanguagePair
from meanings.lexicon.lexicon import Lexicon
from meanings.patching.flops import Lengths
from meanings.prompts.concept_pairs import draw_concept_pairs
from meanings.prompts.prompt import translation_prompt
from meanings.prompts.usable_concepts import usable_concepts


def prompt_lengths(
    words: Lexicon,
    tokenizer: PreTrainedTokenizerBase,
    pairs: Sequence[LanguagePair],
    shots: int = 5,
    each: int = 8,
) -> Lengths:
    """Mean lengths over `each` target prompts of every pair, drawn with seed 0."""
    usable, _ = usable_concepts(words, tokenizer, shots=shots)
    drawn = draw_concept_pairs(usable, tokenizer, words.languages, each, shots, seed=0)
    return Lengths.of(
        [
            translation_prompt(words, tokenizer, pair, one.target, one.target_shots)
            for pair in pairs
            for one in drawn
        ]
    )
