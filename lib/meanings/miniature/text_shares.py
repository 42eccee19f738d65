"""How much of each language the miniature's training text holds, counted in the text itself.

The recipe's weights are of monolingual documents only; most of the text stands in parallel ones. So
every document is drawn twice from the same random numbers: as it is, and with every letter replaced
by a mark of its language. The two agree character by character.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from meanings.core.atomic_files import atomic_file
from meanings.core.errors import MeaningsError
from meanings.core.paths import data_folder
from meanings.lexicon.lexicon import Lexicon
from meanings.miniature.corpus import Corpus

if TYPE_CHECKING:
    from pathlib import Path

    from tokenizers import Tokenizer

TABLE = "text_shares.csv"
FIRST_MARK = 0xE000  # private use: no text has these characters
SAMPLED = range(0, 7500, 50)  # training steps whose text is counted
DOCUMENTS = 64  # of each of these steps, the first ones


def marked_corpus(corpus: Corpus) -> Corpus:
    """The same source of documents, every letter replaced by its language's mark.

    Headings and separators, which belong to no one language, stay as they are.
    """
    marks = {code: chr(FIRST_MARK + place) for place, code in enumerate(corpus.lexicon.languages)}

    def marked(text: str, code: str) -> str:
        # Placeholders are letters too.
        parts = text.replace("{word}", "\0").replace("{other}", "\1")
        letters = "".join(marks[code] if c.isalpha() else c for c in parts)
        return letters.replace("\0", "{word}").replace("\1", "{other}")

    words = corpus.lexicon
    entries = {
        concept: {
            code: tuple(marked(word, code) for word in words.words(concept, code))
            for code in words.languages
        }
        for concept in words.concepts
    }
    return replace(
        corpus,
        lexicon=Lexicon("marks", words.languages, entries, words.categories),
        patterns={
            code: {kind: tuple(marked(f, code) for f in frames) for kind, frames in kinds.items()}
            for code, kinds in corpus.patterns.items()
        },
        passages={
            code: tuple(marked(text, code) for text in texts)
            for code, texts in corpus.passages.items()
        },
    )


def count_text(
    corpus: Corpus,
    tokenizer: Tokenizer,
    seed: int = 0,
    steps: range = SAMPLED,
    documents: int = DOCUMENTS,
) -> pd.DataFrame:
    """Words and tokens of each language in the text of some training steps.

    Columns `language`, `words`, `tokens`, `word_share`, `token_share`; a word is a run of letters
    (in Chinese, of characters up to the next space or sign), a token counts for the language of its
    first letter. Headings, digits and signs count for none.

    Raises MeaningsError where a document and its marked twin have different lengths.
    """
    marked, codes = marked_corpus(corpus), corpus.lexicon.languages
    words, tokens = np.zeros(len(codes), dtype=int), np.zeros(len(codes), dtype=int)
    for step in steps:
        plain, twin = (np.random.default_rng([seed, step]) for _ in range(2))
        texts = [corpus.document(plain) for _ in range(documents)]
        twins = [marked.document(twin) for _ in range(documents)]
        found = tokenizer.encode_batch(texts, add_special_tokens=False)
        for text, other, encoded in zip(texts, twins, found, strict=True):
            if len(text) != len(other):
                raise MeaningsError(
                    f"step {step}: the marked text differs in length: {text[:60]!r}"
                    "; count with the tokenizer of the same run"
                )
            languages = np.array([ord(c) - FIRST_MARK for c in other])
            languages[(languages < 0) | (languages >= len(codes))] = -1
            # A letter that follows none of its language begins a word.
            begins = (languages >= 0) & (np.r_[-1, languages[:-1]] != languages)
            words += np.bincount(languages[begins], minlength=len(codes))
            of_tokens = [
                next((c for c in languages[start:end] if c >= 0), -1)
                for start, end in encoded.offsets
            ]
            counted = np.array([c for c in of_tokens if c >= 0], dtype=int)
            tokens += np.bincount(counted, minlength=len(codes))
    return pd.DataFrame(
        {
            "language": list(codes),
            "words": words,
            "tokens": tokens,
            "word_share": words / words.sum(),
            "token_share": tokens / tokens.sum(),
        }
    )


def write_shares(table: pd.DataFrame) -> Path:
    """Write the counts beside the recipe, `data/miniature/text_shares.csv`; its path."""
    path = data_folder() / "miniature" / TABLE
    with atomic_file(path) as aside:
        table.to_csv(aside, index=False, float_format="%.6f", lineterminator="\n")
    return path
