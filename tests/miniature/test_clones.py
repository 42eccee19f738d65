"""Cloned languages: the same text in other signs; two worlds differ in their treatment alone."""

import re

import numpy as np
import pytest

from meanings.core.paths import data_folder
from meanings.lexicon.lexicon import load_lexicon
from meanings.miniature.clones import SHARED, WORD, deranged
from meanings.miniature.corpus import Corpus, load_corpus
from meanings.miniature.tokenizer import train_tokenizer
from meanings.miniature.treatments import LETTERS, TOUCHED, touched, untouched
from meanings.miniature.twins import blocks_of
from meanings.miniature.worlds import load_world, world_names

RECIPE = data_folder() / "miniature"
CLONES = ("qaa", "qab", "qac")


@pytest.fixture(scope="module")
def corpus_of():
    """Corpora of the worlds of clones by name, each made once."""
    made: dict[str, Corpus] = {}

    def make(name: str) -> Corpus:
        if name not in made:
            mix = load_world(RECIPE, name).mix
            made[name] = load_corpus(RECIPE, mix, load_lexicon("embedded"))
        return made[name]

    return make


def documents(corpus: Corpus, n: int = 300) -> list[str]:
    """Each document from random numbers of its own."""
    return [corpus.document(np.random.default_rng([1, i])) for i in range(n)]


def as_english(corpus: Corpus, text: str) -> str:
    """The text with every block's signs in the first language's."""
    signs = corpus.spelling.signs
    return text.translate(signs.between((*CLONES, SHARED), "en"))


def test_every_clone_has_the_first_language_s_words_in_signs_of_its_own(corpus_of):
    corpus = corpus_of("clone")
    lexicon, signs = corpus.written("signs"), corpus.spelling.signs
    assert len(lexicon) == 192 and lexicon.languages == ("en", *CLONES)
    for concept in lexicon.concepts:
        words = [lexicon.word(concept, code) for code in lexicon.languages]
        assert len({as_english(corpus, word) for word in words}) == 1
        assert [{signs.block_of(sign) for sign in word} for word in words] == [
            {code} for code in lexicon.languages
        ]
    counted = [
        sum(lexicon.categories[c] == k for c in lexicon.concepts)
        for k in set(lexicon.categories.values())
    ]
    assert counted == [24] * 8


def test_without_parallel_text_no_line_has_two_languages(corpus_of):
    corpus = corpus_of("clone")
    for text in documents(corpus):
        for line in text.splitlines():
            assert len({corpus.spelling.language_of(word) for word in WORD.findall(line)}) <= 1


@pytest.mark.parametrize("name", ["true-50", "full", "other-meanings", "inverted", "permuted"])
def test_a_treatment_changes_nothing_but_what_it_says(corpus_of, name):
    """The same draws: after undoing the treatment, the text of `clone` remains."""
    plain, treated = documents(corpus_of("clone")), documents(corpus_of(name))
    assert plain != treated
    for a, b in zip(plain, treated, strict=True):
        if name in ("true-50", "full"):
            assert as_english(corpus_of(name), a) == as_english(corpus_of(name), b)
        elif name == "other-meanings":
            assert [len(x.split()) for x in a.splitlines()] == [
                len(x.split()) for x in b.splitlines()
            ]
        else:
            assert [sorted(x.split(" ")) for x in a.split("\n")] == [
                sorted(x.split(" ")) for x in b.split("\n")
            ]


def test_only_touched_words_are_friends_and_english_keeps_their_meaning(corpus_of):
    for name in ("true-50", "false-50"):
        corpus = corpus_of(name)
        lexicon, plain = corpus.written("signs"), corpus_of("clone").written("signs")
        within = set(touched(corpus.lexicon, TOUCHED))
        assert (
            len(within) == 96 and set(untouched(corpus.lexicon)) == set(lexicon.concepts) - within
        )
        for concept in lexicon.concepts:
            words = {code: lexicon.word(concept, code) for code in lexicon.languages}
            alike = len(set(words.values())) == 1
            if concept not in within:
                assert words == {code: plain.word(concept, code) for code in words}
            elif name == "true-50":
                assert alike
            else:
                assert (
                    not alike
                    and len({corpus.spelling.signs.block_of(w[0]) for w in words.values()}) == 1
                )
            assert as_english(corpus, words["en"]) == plain.word(concept, "en")


def test_a_false_friend_means_another_touched_concept_in_each_clone(corpus_of):
    corpus = corpus_of("false-50")
    lexicon, within = corpus.written("signs"), touched(corpus.lexicon, TOUCHED)
    english = {lexicon.word(c, "en"): c for c in within}
    for code in CLONES:
        meant = {c: english[lexicon.word(c, code)] for c in within}
        assert set(meant.values()) == set(within) and all(c != m for c, m in meant.items())


def test_inverted_lines_are_the_clones_alone(corpus_of):
    plain, turned = documents(corpus_of("clone")), documents(corpus_of("inverted"))
    spelling, changed = corpus_of("clone").spelling, 0
    for a, b in zip(plain, turned, strict=True):
        for x, y in zip(a.split("\n"), b.split("\n"), strict=True):
            languages = {spelling.language_of(word) for word in WORD.findall(x)}
            if languages <= {"en"}:
                assert x == y
            else:
                assert y.split(" ") == x.split(" ")[::-1]
                changed += x != y
    assert changed > 100


def test_other_meanings_keep_the_words_and_move_the_meanings(corpus_of):
    corpus = corpus_of("other-meanings")
    lexicon, plain = corpus.written("signs"), corpus_of("clone").written("signs")
    for code in CLONES:
        words = [lexicon.word(c, code) for c in lexicon.concepts]
        before = [plain.word(c, code) for c in lexicon.concepts]
        assert sorted(words) == sorted(before) and all(
            a != b for a, b in zip(words, before, strict=True)
        )
    assert [lexicon.word(c, "en") for c in lexicon.concepts] == [
        plain.word(c, "en") for c in plain.concepts
    ]


def test_a_larger_treatment_holds_the_smaller_one(corpus_of):
    lexicon = corpus_of("clone").lexicon
    small, large = touched(lexicon, 0.25), touched(lexicon, 0.5)
    assert set(small) < set(large) and (len(small), len(large)) == (48, 96)


def test_a_derangement_is_one_cycle_and_differs_by_place():
    items = tuple("abcdefgh")
    one, two = deranged(items, 0), deranged(items, 1)
    at, seen = "a", []
    for _ in items:
        seen.append(at)
        at = one[at]
    assert sorted(seen) == list(items) and at == "a" and one != two


@pytest.fixture(scope="module")
def tokenizers(corpus_of, tmp_path_factory):
    """The tokenizer of each world that writes its words in another way."""
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("meanings.miniature.twins.DOCUMENTS_READ", 300)
        for name in ("clone", "true-50", "false-50", "full", "inverted", "clone-20"):
            found[name] = train_tokenizer(corpus_of(name), tmp_path_factory.mktemp(name))
    return found


def test_every_world_has_one_table_and_every_language_the_same_segmentation(corpus_of, tokenizers):
    tables = {name: tokenizer.get_vocab() for name, tokenizer in tokenizers.items()}
    assert all(table == tables["clone"] for table in tables.values())
    size = load_world(RECIPE, "clone").mix.model.vocab_size
    assert size - 5 <= len(tables["clone"]) <= size
    lengths = set()
    for name, tokenizer in tokenizers.items():
        lexicon = corpus_of(name).written("signs")
        for code in lexicon.languages:
            words = [lexicon.word(c, code) for c in lexicon.concepts]
            found = [len(ids) for ids in tokenizer(words, add_special_tokens=False)["input_ids"]]
            if name != "false-50" or code == "en":  # there a concept has another's word
                lengths.add(tuple(found))
    assert len(lengths) == 1
    assert 1.5 < np.mean(next(iter(lengths))) < 3


def test_the_blocks_are_copies_and_twins_spell_the_same_word(corpus_of, tokenizers):
    corpus, tokenizer = corpus_of("clone"), tokenizers["clone"]
    blocks = blocks_of(corpus, tokenizer.get_vocab())
    assert blocks.languages == ("en", *CLONES, SHARED)
    lexicon = corpus.written("signs")
    for concept in lexicon.concepts[:40]:
        ids = {c: tokenizer(lexicon.word(concept, c))["input_ids"] for c in lexicon.languages}
        for code in CLONES:
            assert [blocks.twin(token, code) for token in ids["en"]] == ids[code]
        assert set(blocks.block(np.array(ids["qab"]))) == {2}
    assert set(blocks.block(np.array(tokenizer('Qala: "')["input_ids"]))) == {-1}


def test_names_and_letters_are_one_token_and_a_text_is_read_back(corpus_of, tokenizers):
    tokenizer, corpus = tokenizers["clone"], corpus_of("clone")
    for text in ("English", "Qala", "Qemi", "Qoru", *LETTERS):
        assert len(tokenizer(text)["input_ids"]) == 1, text
    for text in documents(corpus, 30):
        assert tokenizer.decode(tokenizer(text)["input_ids"]) == text
    assert tokenizer.eos_token_id == 0


def test_every_world_is_there_and_says_what_its_name_says():
    names = world_names(RECIPE, "clones")
    assert len(names) >= 18 and set(names) < set(world_names(RECIPE))
    mixes = {name: load_world(RECIPE, name).mix for name in names}
    for name, mix in mixes.items():
        dose = re.search(r"-20(-|$)", name)
        assert mix.parallel_share == (0.2 if dose else 0.0), name
        assert mix.model == mixes["clone"].model, name
    wrong, right = mixes["prealign-wrong-20"].align, mixes["prealign-20"].align
    assert wrong.model_copy(update={"dictionary": "right"}) == right
