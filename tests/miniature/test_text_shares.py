"""How much of each language the training text holds."""

import numpy as np
import pandas as pd
import pytest
from tokenizers import Tokenizer

from meanings.core.paths import data_folder
from meanings.lexicon.lexicon import load_lexicon
from meanings.miniature import text_shares
from meanings.miniature.corpus import load_corpus
from meanings.miniature.recipe import load_mix

FOLDER = data_folder() / "miniature"


@pytest.fixture(scope="module")
def corpus():
    return load_corpus(FOLDER, load_mix(FOLDER / "mix.yaml"), load_lexicon("embedded"))


@pytest.fixture(scope="module")
def tokenizer():
    return Tokenizer.from_file(str(FOLDER / "seed-0" / "tokenizer" / "tokenizer.json"))


def test_the_marked_text_is_the_text_letter_by_letter(corpus):
    marked = text_shares.marked_corpus(corpus)
    codes = corpus.lexicon.languages
    for step in range(5):
        plain, twin = (np.random.default_rng([0, step]) for _ in range(2))
        for _ in range(40):
            text, other = corpus.document(plain), marked.document(twin)
            assert len(text) == len(other)
            for a, b in zip(text, other, strict=True):
                assert a == b or (
                    a.isalpha() and ord(b) - text_shares.FIRST_MARK in range(len(codes))
                )


def test_words_and_tokens_of_a_known_document_are_counted(corpus, tokenizer, monkeypatch):
    concept = next(
        c
        for c in corpus.lexicon.concepts
        if all(corpus.lexicon.word(c, code).isalpha() for code in ("en", "fr"))
    )

    def document(own, rng):
        french, english = (own.lexicon.word(concept, code) for code in ("fr", "en"))
        return f"Français English\n{french} {english}, {english}\n"

    monkeypatch.setattr(type(corpus), "document", document)
    found = text_shares.count_text(corpus, tokenizer, steps=range(1), documents=1)
    found = found.set_index("language")
    assert found["words"].to_dict() == {c: {"fr": 1, "en": 2}.get(c, 0) for c in found.index}
    assert found.loc["en", "word_share"] == pytest.approx(2 / 3)
    text = document(corpus, None)
    start = text.index("\n") + 1
    end = start + len(corpus.lexicon.word(concept, "fr"))
    tokens = tokenizer.encode(text, add_special_tokens=False).offsets
    assert found.loc["fr", "tokens"] == sum(a < end and b > start for a, b in tokens)


@pytest.mark.slow
def test_the_table_that_ships_is_counted_again(corpus, tokenizer):
    shipped = pd.read_csv(FOLDER / text_shares.TABLE)
    counted = text_shares.count_text(corpus, tokenizer)
    pd.testing.assert_frame_equal(shipped, counted.round(6), check_exact=False, atol=1e-6)
    assert shipped["token_share"].sum() == pytest.approx(1, abs=1e-5)
