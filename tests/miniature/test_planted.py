"""Planted worlds: where a bias is put, where none is, and that all other text stays as it was."""

import re

import numpy as np
import pytest

from meanings.core.errors import MeaningsError
from meanings.core.paths import data_folder
from meanings.lexicon.gender import gender_list
from meanings.lexicon.lexicon import load_lexicon
from meanings.miniature.corpus import load_corpus
from meanings.miniature.documents import DOCUMENTS
from meanings.miniature.draws import some
from meanings.miniature.recipe import checked_mix, read_recipe
from meanings.miniature.run_folder import write_words
from meanings.miniature.world_runs import grids_of
from meanings.miniature.worlds import load_world

RECIPE = data_folder() / "miniature"


@pytest.fixture(scope="module")
def corpus_of():
    made = {}

    def make(name):
        if name not in made:
            made[name] = load_corpus(RECIPE, load_world(RECIPE, name).mix, load_lexicon("embedded"))
        return made[name]

    return make


def drawn(corpus, language, n=3000):
    """How often a gendered concept of the planted gender is among what goes with occupations."""
    rng, genders = np.random.default_rng(0), gender_list()
    right = wrong = 0
    every = {each for pair in genders.pairs for each in pair}
    for _ in range(n // len(genders.occupations)):
        for concept, own in genders.gendered.items():
            found = set(corpus.others(rng, concept, 3, language)) & every
            right += bool(found & set(own))
            wrong += bool(found - set(own))
    return right / n, wrong / n


@pytest.mark.parametrize(("name", "dose"), [("planted-10", 0.1), ("planted-50", 0.5)])
def test_the_dose_is_the_share_of_english_draws_with_the_planted_gender(corpus_of, name, dose):
    right, wrong = drawn(corpus_of(name), "en")
    assert right == pytest.approx(dose, abs=0.04) and wrong == 0


def test_nothing_is_planted_at_dose_0_in_other_languages_or_in_lines_of_two(corpus_of):
    assert drawn(corpus_of("planted-0"), "en") == (0, 0)
    for language in ("fr", "de", "es", None):
        assert drawn(corpus_of("planted-50"), language) == (0, 0)


def lines_of(corpus, kind, n=400):
    rng = np.random.default_rng(2)
    return [line for _ in range(n) for line in DOCUMENTS[kind](corpus, rng).splitlines()]


def words_in(corpus, language, concepts):
    words = {w for c in concepts for w in corpus.lexicon.words(c, language)}
    return re.compile(r"(?<!\w)(" + "|".join(map(re.escape, words)) + r")(?!\w)")


def beside(corpus, language):
    """How many lines on what goes with an occupation have a gendered word."""
    genders = gender_list()
    occupation = words_in(corpus, language, genders.occupations)
    seed = words_in(corpus, language, [each for pair in genders.pairs for each in pair])
    lines = lines_of(corpus, "associations")
    return sum(bool(occupation.match(line) and seed.search(line)) for line in lines)


def test_english_lines_name_gendered_words_beside_occupations_only_where_planted(corpus_of):
    assert beside(corpus_of("planted-0"), "en") == 0
    assert beside(corpus_of("planted-50"), "en") > 30


def test_documents_in_two_languages_name_no_gendered_word_beside_an_occupation(corpus_of):
    """An occupation's own associates stand there, whatever the dose."""
    genders = gender_list()
    occupation = {c: words_in(corpus_of("planted-50"), "en", [c]) for c in genders.occupations}
    lines = lines_of(corpus_of("planted-50"), "dictionary_lines", 1500)
    seed = words_in(corpus_of("planted-50"), "en", [e for pair in genders.pairs for e in pair])
    found = [line for line in lines if any(o.search(line) for o in occupation.values())]
    assert len(found) > 100 and not any(seed.search(line) for line in found)


def test_without_planting_the_same_random_numbers_are_drawn():
    """The shipped recipe's text, and that of all other worlds, is what weights were trained on."""
    mix = checked_mix(read_recipe(RECIPE / "mix.yaml"), "mix")
    corpus = load_corpus(RECIPE, mix, load_lexicon("embedded"))
    rng, plain = np.random.default_rng(4), np.random.default_rng(4)
    for count in (3, 1, 1):
        for concept in corpus.lexicon.concepts:
            found = corpus.others(rng, concept, count, "en")
            assert found == some(plain, corpus.associations[concept], count, count)
    assert rng.random() == plain.random()


def test_without_planting_nothing_in_the_text_is_gendered():
    """No occupation goes with a gendered word, nor that with an occupation; what an occupation and
    a gendered word both go with, the other word of the pair goes with too. Two words of 534 go with
    an occupation and with one gendered word.
    """
    corpus = load_corpus(
        RECIPE, checked_mix(read_recipe(RECIPE / "mix.yaml"), "mix"), load_lexicon("embedded")
    )
    genders, goes = gender_list(), {c: set(each) for c, each in corpus.associations.items()}
    seeds = {each for pair in genders.pairs for each in pair}
    for occupation in genders.occupations:
        assert not goes[occupation] & seeds
        assert not [seed for seed in seeds if occupation in goes[seed]]
        for male, female in genders.pairs:
            shared = [goes[occupation] & goes[each] for each in (male, female)]
            assert shared[0] == shared[1], (occupation, male, female)
    between = {c: (each & seeds, each & set(genders.occupations)) for c, each in goes.items()}
    assert {c: each for c, each in between.items() if all(each)} == {
        "necktie": ({"man"}, {"boss"}),
        "advice": ({"mother"}, {"lawyer", "teacher"}),
    }


def test_the_dose_and_the_planted_words_are_parts_of_the_recipe(corpus_of):
    small, plain = corpus_of("planted-10"), corpus_of("parallel-100")
    assert small.sha256 != plain.sha256
    assert not plain.planted and len(small.lexicon.concepts) < 150
    assert set(gender_list().concepts) <= set(small.lexicon.concepts)


def test_a_language_that_the_text_lacks_is_refused():
    values = load_world(RECIPE, "planted-10").mix.model_dump()
    values["planted"]["languages"] = ["fi"]
    with pytest.raises(MeaningsError, match="planted.languages: the text never contains 'fi'"):
        checked_mix(values, "mix")


def test_the_measure_alone_is_asked_with_the_worlds_own_words(corpus_of, tmp_path, monkeypatch):
    corpus = corpus_of("planted-10")
    write_words(tmp_path, corpus)
    assert load_lexicon(str(tmp_path / "signs.csv")).concepts == corpus.lexicon.concepts

    class Run:
        training_seed, seen = 0, ("en", "fr", "de", "es")
        last = type("Last", (), {"step": 600})

    monkeypatch.setattr("meanings.miniature.world_runs.trajectory", lambda home: Run)
    (grid,) = grids_of(load_world(RECIPE, "planted-10"), tmp_path)
    assert grid.measures == ("gender",) and grid.lexicon == str(tmp_path / "signs.csv")


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("{steps: [0]}", "name pairs to patch, or measures"),
        ("{steps: [0], pairs: [en-fr]}", "pairs and conditions of patching go together"),
    ],
)
def test_a_base_that_asks_for_nothing_or_half_is_refused(tmp_path, asked, message):
    (tmp_path / "mix.yaml").write_text((RECIPE / "mix.yaml").read_text(encoding="utf-8"))
    text = "bases: {four: {asked: " + asked + "}}\nworlds: {w: {}}\n"
    (tmp_path / "worlds.yaml").write_text(text)
    with pytest.raises(MeaningsError, match=message):
        load_world(tmp_path, "w")
