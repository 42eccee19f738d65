"""What counts as saying a concept: the first tokens of its words, and how right a generated answer
is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from meanings.core.errors import MeaningsError
from meanings.lexicon.forms import normal_form

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

OPEN_QUOTE = '"'
CLOSING = ('"', "\n")


def first_tokens(tokenizer: PreTrainedTokenizerBase, words: Iterable[str]) -> frozenset[int]:
    """Distinct ids of the tokens that a model may say first for any of `words` after an open quote.

    Each word is tried with and without a leading space; a token that is only space is not counted,
    nor is a word that the tokenizer has no tokens for.

    Raises MeaningsError on an empty word. Source: Dumas et al. 2025.
    """
    words = list(words)
    for word in words:
        if not word.strip():
            raise MeaningsError(
                f"word {word!r} is empty: every accepted word needs at least one character"
            )
    if not words:
        return frozenset()
    forms = [form for word in words for form in (word, " " + word)]
    # A tokenizer that puts a mark before the start of a text (sentencepiece) would split a bare
    # word as if a space stood before it: the quote gives the context that the word has in the
    # prompt.
    (quote, *quoted) = tokenizer(
        [OPEN_QUOTE, *(OPEN_QUOTE + form for form in forms)], add_special_tokens=False
    )["input_ids"]
    found = set()
    for form, ids in zip(forms, quoted, strict=True):
        if ids[: len(quote)] == quote and len(ids) > len(quote):
            found.add(ids[len(quote)])
        # quote and word merge: after a prompt that ends in the quote, only the word's own split can
        # follow
        else:
            found.update(tokenizer(form, add_special_tokens=False)["input_ids"][:1])
    return frozenset(token for token in found if tokenizer.decode([token]).strip())


def word_tokens(
    tokenizer: PreTrainedTokenizerBase, words: Iterable[str]
) -> frozenset[tuple[int, ...]]:
    """Ids of each word as it stands after an open quote, without the quotes; of words that the
    tokenizer has tokens for.
    """
    found = set()
    (quote,) = tokenizer([OPEN_QUOTE], add_special_tokens=False)["input_ids"]
    for word in words:
        quoted, bare = tokenizer([OPEN_QUOTE + word, word], add_special_tokens=False)["input_ids"]
        # Where quote and word merge, only the word's own split can follow a prompt that ends in the
        # quote.
        found.add(
            tuple(
                quoted[len(quote) :]
                if quoted[: len(quote)] == quote and len(quoted) > len(quote)
                else bare
            )
        )
    return frozenset(found - {()})


def closing_tokens(tokenizer: PreTrainedTokenizerBase) -> frozenset[int]:
    """Ids of all tokens that begin with the closing quote, alone or with what a tokenizer joins to
    it.
    """
    vocabulary = tokenizer.get_vocab()
    return frozenset(i for piece, i in vocabulary.items() if piece.startswith(OPEN_QUOTE))


def answer_word(generated: str) -> str:
    """The answer: the generated text up to the closing quote or the line's end, without outer
    space.
    """
    ends = [generated.find(mark) for mark in CLOSING if mark in generated]
    return generated[: min(ends)].strip() if ends else generated.strip()


def word_match(answer: str, words: Iterable[str]) -> bool:
    """Whether the answer is one of the accepted words, ignoring case and Unicode composition."""
    return normal_form(answer) in {normal_form(word) for word in words}


def chrf(answers: Sequence[str], references: Sequence[Sequence[str]]) -> tuple[float, str]:
    """Corpus chrF (0 to 100) of answers against their accepted words, and sacrebleu's signature of
    how it was counted.

    Raises MeaningsError where the lengths differ or an answer has no reference. Source: Popović
    2015; Post 2018.
    """
    from sacrebleu.metrics import CHRF

    if len(answers) != len(references) or not answers or not all(references):
        raise MeaningsError(
            f"chrF needs as many reference lists as answers, none empty: {len(answers)} answers, "
            f"{len(references)} lists; give one list per answer"
        )
    most = max(map(len, references))
    # sacrebleu takes one list a reference number, with None where a sentence has fewer.
    columns = [[row[i] if i < len(row) else None for row in references] for i in range(most)]
    metric = CHRF()
    return float(metric.corpus_score(list(answers), columns).score), str(metric.get_signature())
