"""Concept pairs, and few-shot word-translation prompts in which the query word's last token is
known.

    Español: "gato" - Français: "chat"
    Español: "casa" - Français: "

The *query word* is the last line's; the model's answer follows the open quote.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from meanings.core.errors import MeaningsError, one_of
from meanings.lexicon.languages import LanguagePair, language
from meanings.lexicon.lexicon import Lexicon
from meanings.prompts.concept_pairs import ConceptPair, draw_concept_pairs
from meanings.prompts.unknown import unknown_part

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

__all__ = [
    "TEMPLATES",
    "ConceptPair",
    "MergedQueryWord",
    "Prompt",
    "Template",
    "UnknownQueryWord",
    "draw_concept_pairs",
    "merged_query_words",
    "translation_prompt",
]


@dataclass(frozen=True)
class Template:
    """A line of a prompt: what stands around the two words. `{input}` and `{output}` are native
    language names.
    """

    name: str
    before: str = '{input}: "'
    between: str = '" - {output}: "'
    after: str = '"\n'

    @property
    def quotes_answers(self) -> bool:
        """Whether the answer follows an open quote, whose closing quote then ends it."""
        return self.between.endswith('"')


TEMPLATES: dict[str, Template] = {
    template.name: template
    for template in (
        Template("quoted"),
        Template("arrow", between='" → {output}: "'),
        Template("equals", before='{input} "', between='" = {output} "'),
        # Separators that no document of the miniature has between quoted words with names.
        Template("slash", between='" / {output}: "'),
        Template("comma", between='", {output}: "'),
        Template("space", between='" {output}: "'),
        # Lines without what all documents with quoted words have in common.
        Template("no_names", before='"', between='" - "'),
        Template("no_quotes", before="{input}: ", between=" - {output}: ", after="\n"),
        Template("brackets", before="{input}: [", between="] - {output}: [", after="]\n"),
    )
}


class MergedQueryWord(MeaningsError):
    """A tokenizer joins the end of a query word with what follows it, so that the word has no last
    token of its own.
    """


class UnknownQueryWord(MeaningsError):
    """A tokenizer has no tokens for a part of a query word."""


@dataclass(frozen=True)
class Prompt:
    """A few-shot prompt that ends in the open quote of the answer.

    - `query_position`: index in `token_ids` of the last token of the query word, from 0.
    - `line_position`: index of the first token after the few-shot examples; what stands before is
      the same for every query with the same few-shot examples.
    """

    text: str
    token_ids: tuple[int, ...]
    query_position: int
    line_position: int
    query_concept: str
    pair: LanguagePair

    def cut(self) -> tuple[int, ...]:
        """The tokens up to and including the query word's last: what a source prompt feeds to the
        model.
        """
        return self.token_ids[: self.query_position + 1]


def translation_prompt(
    lexicon: Lexicon,
    tokenizer: PreTrainedTokenizerBase,
    pair: LanguagePair,
    concept: str,
    shots: Sequence[str],
    template: str = "quoted",
) -> Prompt:
    """The prompt that asks for `concept` in `pair`, after one few-shot example for each concept of
    `shots`.

    Raises MeaningsError on an unknown template, language or concept, or where the concept is among
    its own shots; MergedQueryWord where the tokenizer lets no token end at the query word's end;
    UnknownQueryWord where it does not know a part of that word.
    """
    if template not in TEMPLATES:
        raise MeaningsError(f"unknown template {template!r}: allowed are {one_of(TEMPLATES)}")
    if concept in shots:
        raise MeaningsError(
            f"concept {concept!r} is asked for and is also a solved example: leave it out of the "
            f"shots {one_of(shots)}"
        )
    text, line, start, end = prompt_text(lexicon, pair, concept, shots, template)
    ids, offsets = _encode(tokenizer, text)
    if part := unknown_part(tokenizer, text, ids, offsets, start, end):
        raise UnknownQueryWord(
            f"query word {text[start:end]!r}: the tokenizer does not know {part!r}; leave the "
            "concept out"
        )
    return Prompt(
        text=text,
        token_ids=ids,
        query_position=last_token_of(offsets, start, end, text),
        line_position=sum(stop <= line for _, stop in offsets),
        query_concept=concept,
        pair=pair,
    )


def prompt_text(
    lexicon: Lexicon,
    pair: LanguagePair,
    concept: str,
    shots: Sequence[str],
    template: str = "quoted",
) -> tuple[str, int, int, int]:
    """What such a prompt reads, and the characters where its last line begins, and its query word
    begins and ends; no tokenizer is asked.
    """
    form = TEMPLATES[template]
    names = {"input": language(pair.input).native, "output": language(pair.output).native}
    before, between, after = (
        part.format(**names) for part in (form.before, form.between, form.after)
    )
    solved = "".join(
        before + lexicon.word(shot, pair.input) + between + lexicon.word(shot, pair.output) + after
        for shot in shots
    )
    start = len(solved) + len(before)
    end = start + len(lexicon.word(concept, pair.input))
    # A space before the answer belongs to the answer's first token.
    text = solved + before + lexicon.word(concept, pair.input) + between.rstrip(" ")
    return text, len(solved), start, end


class PromptWriter:
    """Prompts under one tokenizer, lexicon and template, each written once.

    Checkpoints of a run share their prompts, and tokenising them again took an eighth of the time
    that the miniature is measured in. At most `LARGEST` prompts, some 3 kB each, are kept.
    """

    LARGEST = 40_000

    def __init__(
        self,
        lexicon: Lexicon,
        tokenizer: PreTrainedTokenizerBase,
        template: str = "quoted",
        check: Callable[[list[str]], object] = lambda texts: None,
    ) -> None:
        """`check`: called with each text that is written; raises where it is not to be used."""

        def write(pair: LanguagePair, concept: str, shots: tuple[str, ...]) -> Prompt:
            prompt = translation_prompt(lexicon, tokenizer, pair, concept, shots, template)
            check([prompt.text])
            return prompt

        self._write = lru_cache(maxsize=self.LARGEST)(write)

    def prompt(self, pair: LanguagePair, concept: str, shots: Sequence[str]) -> Prompt:
        """The prompt of `translation_prompt`, from memory where it was written before."""
        return self._write(pair, concept, tuple(shots))


def merged_query_words(
    lexicon: Lexicon,
    tokenizer: PreTrainedTokenizerBase,
    languages: Sequence[str],
    template: str = "quoted",
) -> dict[str, tuple[str, ...]]:
    """By language, the concepts whose query word the tokenizer joins with what follows, or does
    not know; languages without are left out.
    """
    found: dict[str, list[str]] = {}
    for code in languages:
        for concept in lexicon.concepts:
            try:
                translation_prompt(
                    lexicon, tokenizer, LanguagePair(code, code), concept, (), template
                )
            except (MergedQueryWord, UnknownQueryWord):
                found.setdefault(code, []).append(concept)
    return {code: tuple(concepts) for code, concepts in found.items()}


def last_token_of(offsets: Sequence[tuple[int, int]], start: int, end: int, text: str) -> int:
    """Index of the last token of `text[start:end]`, from the tokens' character offsets.

    A character of several tokens gives each of them its whole span, so the last one that touches it
    counts.

    Raises MergedQueryWord where that token reaches past `end`.
    """
    position = max((i for i, (a, b) in enumerate(offsets) if a < end <= b), default=None)
    if position is None or offsets[position][1] > end:
        merged = text[slice(*offsets[position])] if position is not None else ""
        raise MergedQueryWord(
            f"query word {text[start:end]!r}: the tokenizer joins its end with what follows as "
            f"{merged!r}; "
            "leave the concept out, or use a template whose mark after the word stands alone"
        )
    return position


def _encode(
    tokenizer: PreTrainedTokenizerBase, text: str
) -> tuple[tuple[int, ...], list[tuple[int, int]]]:
    encoding = tokenizer(text, return_offsets_mapping=True, return_special_tokens_mask=True)
    ids, offsets, special = (
        encoding["input_ids"],
        encoding["offset_mapping"],
        encoding["special_tokens_mask"],
    )
    # Some tokenizers close every text with an end mark; the answer has to follow the open quote
    # instead.
    length = len(ids)
    while length and special[length - 1]:
        length -= 1
    return tuple(ids[:length]), [(int(a), int(b)) for a, b in offsets[:length]]
