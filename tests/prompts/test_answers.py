"""First tokens, answers, and their agreement with accepted words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from meanings.core.errors import MeaningsError
from meanings.prompts.answers import answer_word, chrf, first_tokens, word_match
from stand_ins import small_model


def unigram(mark_start: str):
    """A sentencepiece-like tokenizer: a space becomes a mark, which may also be put before the
    start of a text.
    """
    pieces = [
        "<unk>",
        "▁",
        "▁chat",
        "chat",
        "▁ch",
        "ch",
        "at",
        '"',
        '▁"',
        "c",
        "h",
        "a",
        "t",
        "gato",
        "▁gato",
    ]
    bpe = Tokenizer(
        models.Unigram(
            [(piece, -1.0 - 0.1 * i) for i, piece in enumerate(pieces)], 0, byte_fallback=False
        )
    )
    bpe.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme=mark_start, split=False)
    bpe.decoder = decoders.Metaspace(prepend_scheme=mark_start)
    return small_model.fast(bpe)


@pytest.mark.parametrize("mark_start", ["always", "first", "never"])
def test_the_first_token_is_that_of_the_word_after_a_quote(mark_start):
    tokenizer = unigram(mark_start)
    found = tokenizer.convert_ids_to_tokens(sorted(first_tokens(tokenizer, ["chat"])))
    assert sorted(found) == ["chat", "▁chat"]  # a bare word would give "▁chat" only


def test_first_tokens_are_those_that_the_tokenizer_puts_after_the_prompt(lexicon, tokenizer):
    prompt = 'Français: "chat" - Español: "'
    start = tokenizer(prompt)["input_ids"]
    for concept in lexicon.concepts:
        for code in lexicon.languages:
            words = lexicon.words(concept, code)
            expected = set()
            for form in [form for word in words for form in (word, f" {word}")]:
                ids = tokenizer(prompt + form)["input_ids"]
                assert ids[: len(start)] == start
                expected.add(ids[len(start)])
            spaces = {token for token in expected if not tokenizer.decode([token]).strip()}
            assert first_tokens(tokenizer, words) == expected - spaces


def test_distinct_tokens_count_once_and_a_bare_space_never(tokenizer):
    assert first_tokens(tokenizer, ["cat", "cat"]) == first_tokens(tokenizer, ["cat"])
    assert tokenizer.convert_tokens_to_ids("Ġ") not in first_tokens(tokenizer, ["猫", "cat"])
    assert (
        len(first_tokens(tokenizer, ["猫"])) == 1
    )  # with a space before it, the space stands alone
    assert first_tokens(tokenizer, []) == frozenset()


def test_an_empty_word_is_refused(tokenizer):
    with pytest.raises(MeaningsError, match="empty"):
        first_tokens(tokenizer, ["cat", " "])


@given(
    st.text(st.characters(blacklist_characters='"\n', blacklist_categories=("Cs",))),
    st.text(max_size=5),
)
def test_an_answer_ends_at_the_closing_quote_or_the_line(word, rest):
    for mark in ('"', "\n"):
        assert answer_word(word + mark + rest) == word.strip()
    assert answer_word(word) == word.strip()


@pytest.mark.parametrize(
    ("answer", "words", "right"),
    [
        ("Chat", ["chat"], True),
        (" chat ", ["félin", "chat"], True),
        ("e\u0301toile", ["étoile"], True),
        ("STRASSE", ["Straße"], True),
        ("chats", ["chat"], False),
        ("", ["chat"], False),
        ("chat", [], False),
    ],
)
def test_word_match(answer, words, right):
    assert word_match(answer, words) is right


def test_chrf_with_its_signature():
    score, signature = chrf(["chat", "oiseau"], [["chat"], ["moineau", "oiseau"]])
    assert score == 100.0
    assert "version:" in signature and "case:" in signature
    worse, _ = chrf(["chat", "xyz"], [["chat"], ["moineau", "oiseau"]])
    assert 0 < worse < 100
    for answers, references in (([], []), (["a"], []), (["a"], [[]])):
        with pytest.raises(MeaningsError, match="chrF needs"):
            chrf(answers, references)
