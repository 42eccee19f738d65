"""A word that a tokenizer writes as its unknown token, or leaves out, is asked of no model."""

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from meanings.core.errors import MeaningsError
from meanings.lexicon.languages import LANGUAGES, LanguagePair
from meanings.models.loading import wrap_model
from meanings.patching.self_test import LINES, check_patching
from meanings.prompts.answers import closing_tokens, first_tokens, word_tokens
from meanings.prompts.prompt import UnknownQueryWord, merged_query_words, translation_prompt
from meanings.prompts.unknown import unknown_token
from meanings.prompts.usable_concepts import usable_concepts
from stand_ins import small_model

KNOWN = ("unigram", "word piece", "words")


def made(kind: str, lexicon, without: str = ""):
    """A tokenizer of the lexicon's words but one, of a kind that has an unknown token or, with
    `letters`, drops what it does not know.
    """
    names = " ".join(LANGUAGES[code].native for code in lexicon.languages)
    words = [w for e in lexicon.entries.values() for each in e.values() for w in each]
    lines = [f'"{word}" {names}: - ' for word in words if word != without]
    special = {"special_tokens": ["<unk>", "<s>", "</s>"], "show_progress": False}
    model, trainer = {
        "words": (models.WordLevel(unk_token="<unk>"), trainers.WordLevelTrainer(**special)),
        "word piece": (
            models.WordPiece(unk_token="<unk>"),
            trainers.WordPieceTrainer(vocab_size=500, **special),
        ),
        "unigram": (
            models.Unigram(),
            trainers.UnigramTrainer(vocab_size=400, unk_token="<unk>", **special),
        ),
        "letters": (models.BPE(), trainers.BpeTrainer(vocab_size=400, **special)),
    }[kind]
    whole = Tokenizer(model)
    whole.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    whole.train_from_iterator(lines, trainer)
    return small_model.fast(whole)


@pytest.mark.parametrize("kind", [*KNOWN, "letters"])
def test_a_concept_whose_word_is_unknown_is_left_out(lexicon, kind):
    tokenizer = made(kind, lexicon, without="œil")  # the one word with œ
    unknown = unknown_token(tokenizer)
    assert unknown == (None if kind == "letters" else 0)
    assert merged_query_words(lexicon, tokenizer, lexicon.languages) == {"fr": ("eye",)}
    usable, left_out = usable_concepts(lexicon, tokenizer)
    assert left_out == ("eye",) and len(usable) == len(lexicon) - 1
    with pytest.raises(UnknownQueryWord, match="'œil': the tokenizer does not know 'œ"):
        translation_prompt(lexicon, tokenizer, LanguagePair("fr", "en"), "eye", ("cat",))
    prompt = translation_prompt(lexicon, tokenizer, LanguagePair("es", "en"), "eye", ("cat",))
    assert unknown not in prompt.token_ids  # nothing is unknown where the word is another one's
    whole = made(kind, lexicon)
    assert usable_concepts(lexicon, whole) == (lexicon, ())


def test_a_word_without_tokens_has_no_first_one(lexicon):
    tokenizer = made("letters", lexicon)
    assert first_tokens(tokenizer, ["猫"]) == word_tokens(tokenizer, ["猫"]) == frozenset()
    assert first_tokens(tokenizer, ["猫", "cat"]) == first_tokens(tokenizer, ["cat"])
    assert word_tokens(tokenizer, ["猫", "cat"]) == word_tokens(tokenizer, ["cat"])


def test_too_few_known_concepts_are_the_tokenizers_fault_and_not_the_lexicons(lexicon):
    tokenizer = made("words", lexicon, without="chat")
    few = lexicon.restrict(concepts=lexicon.concepts[:7])
    assert len(usable_concepts(few, tokenizer, shots=1)[0]) == 6
    with pytest.raises(MeaningsError, match="of 1 of the 7 concepts .* know it; at least 7 others"):
        usable_concepts(few, tokenizer, shots=2)


@pytest.mark.parametrize("kind", KNOWN)
def test_a_model_whose_tokenizer_knows_no_digits_passes_its_self_test(lexicon, kind):
    tokenizer = made(kind, lexicon)
    model = wrap_model(small_model.network(tokenizer), tokenizer, name="tiny")
    first, second = tokenizer([text + "11" for text in LINES])["input_ids"]
    assert first == second  # digits are unknown
    check_patching(model)


def test_a_tokenizer_without_text_is_said(lexicon):
    empty = small_model.fast(Tokenizer(models.BPE()))
    empty.add_special_tokens({"additional_special_tokens": ["<s>", "</s>"]})
    network = small_model.network(made("words", lexicon))
    with pytest.raises(MeaningsError, match="its tokenizer has 0 tokens of text"):
        check_patching(wrap_model(network, empty, name="tiny"))


def test_closing_tokens_are_found_at_any_id(lexicon):
    whole = made("words", lexicon).backend_tokenizer
    vocabulary = whole.get_vocab()
    vocabulary |= {'"': 5000, '" x': 5001}
    sparse = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    assert closing_tokens(small_model.fast(sparse)) == {5000, 5001}
