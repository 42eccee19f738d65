"""Prompts, the position of the query word, and the rules of concept pairs."""

import math
from collections import Counter
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from meanings.core.errors import MeaningsError
from meanings.lexicon.languages import LANGUAGES, LanguagePair
from meanings.lexicon.lexicon import Lexicon
from meanings.prompts.answers import first_tokens
from meanings.prompts.concept_pairs import draw_concept_pairs, match
from meanings.prompts.prompt import (
    TEMPLATES,
    MergedQueryWord,
    merged_query_words,
    translation_prompt,
)
from meanings.prompts.seeded import SeededDraws
from stand_ins import plain_forward, small_model

NAMES = {code: language.native for code, language in LANGUAGES.items()}
PAIR = LanguagePair("es", "fr")


def test_the_text_is_the_methods(lexicon, tokenizer):
    prompt = translation_prompt(lexicon, tokenizer, PAIR, "house", ["cat"])
    assert prompt.text == 'Español: "gato" - Français: "chat"\nEspañol: "casa" - Français: "'
    assert (prompt.query_concept, prompt.pair) == ("house", PAIR)
    assert tuple(tokenizer(prompt.text)["input_ids"]) == prompt.token_ids


def byte_bpe(vocabulary, texts, split):
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=split)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=["<s>", "</s>"],
        show_progress=False,
    )
    bpe.train_from_iterator(texts, trainer)
    return bpe


def texts(lexicon):
    return [
        plain_forward.prompt_text(lexicon, NAMES, pair, concept, [shot])[0]
        for pair in product(lexicon.languages, repeat=2)
        for concept, shot in zip(lexicon.concepts, lexicon.concepts[1:], strict=False)
    ]


@pytest.fixture(scope="module")
def chinese(lexicon):
    """The tiny lexicon with a language of several bytes a character."""
    words = dict(
        zip(lexicon.concepts, "猫 狗 房子 树 水 书 国王 月亮 火 手 眼睛 钥匙".split(), strict=False)
    )
    entries = {c: {**lexicon.entries[c], "zh": (word,)} for c, word in words.items()}
    return Lexicon("with Chinese", (*lexicon.languages, "zh"), entries, {})


@pytest.fixture(scope="module", params=["bytes", "words", "bos", "eos", "across"])
def any_tokenizer(request, chinese):
    split = request.param != "across"
    closed = [
        word + '"'
        for entry in chinese.entries.values()
        for words in entry.values()
        for word in words
    ]
    bpe = byte_bpe(
        258 if request.param == "bytes" else 420, texts(chinese) if split else closed, split
    )
    if request.param in ("bos", "eos"):
        single = {"bos": "<s> $A", "eos": "<s> $A </s>"}[request.param]
        bpe.post_processor = processors.TemplateProcessing(
            single=single, special_tokens=[("<s>", 0), ("</s>", 1)]
        )
    return small_model.fast(bpe)


@pytest.mark.parametrize("template", list(TEMPLATES))
def test_the_query_position_is_the_last_token_of_the_query_word(chinese, any_tokenizer, template):
    """Read back: the tokens up to it say the prompt up to the word's end, one token less does
    not.
    """
    merged = 0
    for pair, (concept, shot) in product(
        product(chinese.languages, repeat=2),
        zip(chinese.concepts, chinese.concepts[1:], strict=False),
    ):
        try:
            prompt = translation_prompt(
                chinese, any_tokenizer, LanguagePair(*pair), concept, [shot], template
            )
        except MergedQueryWord:
            merged += 1
            continue
        said = any_tokenizer.decode(prompt.cut(), skip_special_tokens=True)
        word = chinese.word(concept, pair[0])
        assert said.endswith(f"{TEMPLATES[template].before[-1]}{word}")
        assert prompt.text.startswith(said) and len(said) > prompt.text.rindex("\n")
        assert (
            any_tokenizer.decode(
                prompt.token_ids[: prompt.query_position], skip_special_tokens=True
            )
            != said
        )
        whole = any_tokenizer.decode(prompt.token_ids, skip_special_tokens=True)
        assert whole == prompt.text and prompt.token_ids[-1] != 1
        solved = any_tokenizer.decode(
            prompt.token_ids[: prompt.line_position], skip_special_tokens=True
        )
        assert (
            solved == prompt.text[: len(solved)] and prompt.line_position <= prompt.query_position
        )
    splits_words = any_tokenizer.backend_tokenizer.pre_tokenizer.use_regex
    assert not (merged and splits_words)
    assert (
        merged or splits_words or template != "quoted"
    )  # its tokenizer was trained on closed words


def test_words_that_merge_with_the_quote_are_counted(lexicon):
    greedy = small_model.fast(byte_bpe(600, texts(lexicon), split=False))
    counted = merged_query_words(lexicon, greedy, lexicon.languages)
    assert counted
    for code, concepts in counted.items():
        for concept in concepts:
            with pytest.raises(MergedQueryWord, match="joins its end"):
                translation_prompt(lexicon, greedy, LanguagePair(code, "fr"), concept, [])
    assert merged_query_words(lexicon, small_model.tokenizer(lexicon), lexicon.languages) == {}


def test_the_same_solved_lines_give_the_same_tokens(lexicon, tokenizer):
    shots = lexicon.concepts[:3]
    prompts = [
        translation_prompt(lexicon, tokenizer, PAIR, concept, shots)
        for concept in lexicon.concepts[3:]
    ]
    assert len({prompt.token_ids[: prompt.line_position] for prompt in prompts}) == 1


@pytest.mark.parametrize("form", TEMPLATES.values(), ids=list(TEMPLATES))
def test_the_answer_follows_as_the_words_of_the_examples_do(lexicon, tokenizer, form):
    """The example and the query are written alike up to the answer, whose space is its own."""
    shot, concept = lexicon.concepts[:2]
    prompt = translation_prompt(lexicon, tokenizer, PAIR, concept, [shot], form.name)
    example, query = prompt.text.split("\n")
    word, answer = lexicon.word(shot, PAIR.input), lexicon.word(shot, PAIR.output)
    before_answer = example[: -len(answer + form.after.rstrip("\n"))]
    asked = query.replace(lexicon.word(concept, PAIR.input), word)
    assert asked == before_answer.rstrip(" ")
    assert form.quotes_answers == query.endswith('"')


def test_wrong_requests_are_refused(lexicon, tokenizer):
    with pytest.raises(MeaningsError, match="allowed are quoted"):
        translation_prompt(lexicon, tokenizer, PAIR, "cat", [], "poem")
    with pytest.raises(MeaningsError, match="also a solved example"):
        translation_prompt(lexicon, tokenizer, PAIR, "cat", ["cat"])
    with pytest.raises(MeaningsError, match="not in lexicon"):
        translation_prompt(lexicon, tokenizer, PAIR, "unicorn", [])


# --- concept pairs ---


def pooled(lexicon, tokenizer, concept, languages=small_model.LANGUAGES_USED):
    return set().union(
        *(first_tokens(tokenizer, lexicon.words(concept, code)) for code in languages)
    )


@pytest.fixture(scope="module")
def said(lexicon, tokenizer):
    return {concept: pooled(lexicon, tokenizer, concept) for concept in lexicon.concepts}


@given(st.integers(1, 40), st.integers(0, 4), st.integers(0, 2**32 - 1))
@settings(max_examples=12, deadline=None)
def test_the_rules_of_concept_pairs(lexicon, tokenizer, said, n_pairs, shots, seed):
    drawn = draw_concept_pairs(lexicon, tokenizer, small_model.LANGUAGES_USED, n_pairs, shots, seed)
    assert len(drawn) == n_pairs
    assert len({(pair.source, pair.target) for pair in drawn}) == n_pairs
    for pair in drawn:
        three = [pair.source, pair.target, pair.null]
        assert not any(said[a] & said[b] for i, a in enumerate(three) for b in three[:i])
        everything = [*three, *pair.source_shots, *pair.target_shots]
        assert len(set(everything)) == len(everything) == 3 + 2 * shots
    limit = math.ceil(n_pairs / len(lexicon.concepts))
    for side in ("source", "target"):
        assert max(Counter(getattr(pair, side) for pair in drawn).values()) <= limit


def test_a_draw_depends_on_its_seed_only(lexicon, tokenizer):
    ask = (tokenizer, small_model.LANGUAGES_USED, 8, 3)
    drawn = draw_concept_pairs(lexicon, *ask, seed=42)
    assert drawn == draw_concept_pairs(lexicon, *ask, seed=42)
    assert drawn != draw_concept_pairs(lexicon, *ask, seed=43)
    turned = Lexicon(
        lexicon.name, lexicon.languages[::-1], dict(reversed(lexicon.entries.items())), {}
    )
    assert drawn == draw_concept_pairs(
        turned, tokenizer, small_model.LANGUAGES_USED[::-1], 8, 3, seed=42
    )


def test_a_word_that_is_only_accepted_counts_for_eligibility(tokenizer):
    """`cat` and `dog` share a first token through a second word in one language: they are never a
    pair.
    """
    words = {
        "cat": ("cat", "kitty"),
        "dog": ("dog", "kid"),
        "moon": ("moon",),
        "fire": ("fire",),
        "book": ("book",),
    }
    lexicon = Lexicon(
        "five", ("en",), {concept: {"en": accepted} for concept, accepted in words.items()}, {}
    )
    assert pooled(lexicon, tokenizer, "cat", ["en"]) & pooled(lexicon, tokenizer, "dog", ["en"])
    for seed in range(20):
        for pair in draw_concept_pairs(lexicon, tokenizer, ["en"], 3, 0, seed):
            assert {pair.source, pair.target, pair.null} & {"cat", "dog"} != {"cat", "dog"}


def test_too_much_asked_is_refused_with_what_there_is(lexicon, tokenizer):
    few = lexicon.restrict(concepts=lexicon.concepts[:6])
    with pytest.raises(MeaningsError, match=r"has only \d+ eligible concept pairs"):
        draw_concept_pairs(few, tokenizer, small_model.LANGUAGES_USED, 500, 1, 0)
    with pytest.raises(MeaningsError, match="need at least 13"):
        draw_concept_pairs(few, tokenizer, small_model.LANGUAGES_USED, 2, 5, 0)
    with pytest.raises(MeaningsError, match="at least 1 pair"):
        draw_concept_pairs(few, tokenizer, small_model.LANGUAGES_USED, 0, 1, 0)


@given(st.integers(2, 8), st.integers(0, 2**16), st.floats(0.1, 1.0), st.integers(1, 70))
@settings(deadline=None)
def test_matching_uses_every_eligible_pair_before_it_gives_up(size, seed, density, wanted):
    eligible = np.random.default_rng(seed).random((size, size)) < density
    eligible |= eligible.T
    np.fill_diagonal(eligible, False)
    drawn = match(eligible, wanted, SeededDraws(seed))
    assert len(drawn) == len(set(drawn)) == min(wanted, eligible.sum())
    assert all(eligible[pair] for pair in drawn)


def test_the_limit_is_raised_only_to_fill_up():
    """Only one perfect matching exists here: a greedy draw would miss it and use a concept
    twice.
    """
    eligible = np.zeros((4, 4), dtype=bool)
    for source, target in [(0, 1), (1, 0), (1, 2), (2, 3), (2, 1), (3, 2), (0, 3)]:
        eligible[source, target] = True
    for seed in range(20):
        drawn = match(eligible, 4, SeededDraws(seed))
        assert (
            sorted(source for source, _ in drawn)
            == sorted(target for _, target in drawn)
            == [0, 1, 2, 3]
        )
