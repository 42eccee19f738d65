"""Senses of homographs on states that are known: the sense is in the word, or in the context alone,
or nowhere.
"""

import numpy as np
import pandas as pd
import pytest

from meanings.core.errors import MeaningsError
from meanings.lexicon.lexicon import Lexicon
from meanings.measures import meaning_in_context as module
from meanings.measures.homograph_states import HomographStates, items_of, read_homographs
from meanings.measures.homographs import Homographs, homographs_of
from meanings.measures.word_states import WordStates

FORMS, WIDTH = 12, 48
SENSES = [f"c{i}{side}" for i in range(FORMS) for side in "ab"]
AROUND = {sense: tuple(f"{sense}x{j}" for j in range(2 + (sense[-1] == "b"))) for sense in SENSES}
CONCEPTS = (*SENSES, *(x for each in AROUND.values() for x in each))
PLACE = {concept: i for i, concept in enumerate(CONCEPTS)}
REQUEST = module.Request(permutations=100, seed=0, text_sha256="", items_sha256="")


def lexicon():
    """`h0`, `h1`, ... have two senses in English and two words in French."""
    entries = {c: {"en": (c,), "fr": (f"{c}f",)} for c in CONCEPTS}
    entries |= {c: {"en": (f"h{c[1:-1]}",), "fr": (f"{c}f",)} for c in SENSES}
    return Lexicon("made", ("en", "fr"), entries, {})


def homographs():
    return homographs_of(lexicon(), AROUND)


WORDS = np.random.default_rng(3).normal(size=(len(CONCEPTS), WIDTH))


def found(in_context, other_word=None, contexts=None, layer=0):
    """Rows of states that a function gives for each context: the words' own vectors are `WORDS`."""
    given = contexts or homographs().contexts["en"]
    states = np.array([in_context(each) for each in given])[None]
    other = np.array([(other_word or (lambda _: np.zeros(WIDTH)))(each) for each in given])[None]
    alone = np.array([WORDS[PLACE[x.sense]] + WORDS[PLACE[x.other]] for x in given])[None]
    around = np.array([WORDS[PLACE[each.context]] for each in given])[None]
    of = {
        "in_context": states, "word_only": alone, "context_only": around, "other_word": other
    }  # fmt: skip
    pieces = {
        code: tuple((10_000 * n + i,) for i in range(len(CONCEPTS)))
        for n, code in enumerate(("en", "fr"))
    }
    words = WordStates(CONCEPTS, {"en": WORDS[None], "fr": WORDS[None]}, {}, pieces)
    data = module.HomographTexts(lexicon(), None, Homographs({"en": given, "fr": ()}))
    rows = module.MEASURE.rows(HomographStates(words, {"en": of}), data, REQUEST)
    return pd.DataFrame(rows).set_index("variant")


def centred(concept):
    return WORDS[PLACE[concept]] - WORDS.mean(axis=0)


def noise(each, seed=0):
    return np.random.default_rng([seed, *f"{each}".encode()]).normal(size=WIDTH)


def test_a_word_that_takes_the_sense_of_its_context_scores_one():
    rows = found(lambda each: centred(each.sense))
    for variant in ("nearer", "auc"):
        assert rows.loc[variant, "value"] == pytest.approx(1)
    assert rows.loc["accuracy", "value"] > 0.9  # the threshold is that of other homographs
    assert rows.loc["gain", "value"] == 0.5
    assert rows.loc["nearer", "null_high"] < 0.8 < rows.loc["nearer", "low"]
    assert (rows["n"] == FORMS).all() and set(rows["split"]) == {"all"}
    assert set(zip(rows["language_a"], rows["language_b"], strict=True)) == {("en", "fr")}


def test_a_word_that_ignores_its_context_scores_a_half_exactly():
    rows = found(lambda each: noise(each.form))
    assert rows.loc["nearer", "value"] == 0.5 and rows.loc["auc", "value"] == pytest.approx(0.5)
    assert rows.loc["word_only", "value"] == 0.5


def test_exchanged_senses_give_one_minus_the_value():
    given = homographs().contexts["en"]

    def states(each):
        return centred(each.sense) + 4 * noise(each.context)

    def again(each):  # the senses were exchanged, the states are those from before
        return centred(each.other) + 4 * noise(each.context)

    swapped = tuple(each._replace(sense=each.other, other=each.sense) for each in given)
    one, other = found(states), found(again, contexts=swapped)
    assert 0.55 < one.loc["nearer", "value"] < 0.95
    for variant in ("nearer", "auc"):
        assert other.loc[variant, "value"] == pytest.approx(1 - one.loc[variant, "value"], abs=4e-3)


def test_what_the_context_leaves_in_any_word_is_no_gain():
    """The state is the context's and the word's, added: above its null, and yet nothing is read."""

    def trace(each):
        return centred(each.sense) * 0.12

    rows = found(lambda x: trace(x) + noise(x.form), lambda x: trace(x) + noise(x.form, 1))
    assert rows.loc["nearer", "value"] > 0.55 and rows.loc["other_word", "value"] > 0.55
    assert rows.loc["gain", "low"] <= 0 <= rows.loc["gain", "high"]
    read = found(lambda each: centred(each.sense), lambda x: trace(x) + noise(x.form, 1))
    assert read.loc["gain", "low"] > 0


def test_noise_lies_inside_the_null():
    rows = found(noise, lambda each: noise(each, 1))
    for variant, level in (("nearer", 0.5), ("gain", 0.0)):
        row = rows.loc[variant]
        assert row["null_low"] <= row["value"] <= row["null_high"]
        assert row["null"] == pytest.approx(level, abs=0.03)
    assert rows.loc["auc", "low"] <= 0.5 <= rows.loc["auc", "high"]
    for row in (rows.loc["auc"], rows.loc["accuracy"], rows.loc["other_word"]):
        assert 0.35 < row["value"] < 0.65


def test_an_interval_resamples_homographs_and_homographs_count_alike():
    """Right for half of the homographs: the mean is .5 however many contexts each has."""
    rows = found(lambda each: centred(each.sense if int(each.form[1:]) < 6 else each.other))
    assert rows.loc["nearer", "value"] == pytest.approx(0.5)
    assert rows.loc["nearer", "low"] < 0.35 and rows.loc["nearer", "high"] > 0.65


def test_senses_count_alike_however_many_contexts_they_have():
    """Always the first sense, of two contexts; the second has three."""
    rows = found(lambda each: centred(min(each.sense, each.other)))
    assert rows.loc["nearer", "value"] == pytest.approx(0.5)
    assert rows.loc["nearer", "null"] == 0.5


def test_a_homograph_needs_its_main_word_and_contexts_of_each_sense():
    near = dict(AROUND)
    assert homographs().forms("en") == tuple(f"h{i}" for i in range(FORMS))
    assert homographs().contexts["fr"] == ()
    del near["c0a"]
    assert "h0" not in homographs_of(lexicon(), near).forms("en")
    entries = dict(lexicon().entries)
    for c in ("c1a", "c1b"):
        entries[c] = {"en": (c, "h1"), "fr": (f"{c}f",)}
    without = homographs_of(Lexicon("made", ("en", "fr"), entries, {}), AROUND)
    assert "h1" not in without.forms("en") and len(without.forms("en")) == FORMS - 1


def test_a_context_goes_with_one_sense_in_either_direction_and_is_no_sense():
    near = {c: others for c, others in AROUND.items() if c != "c0a"}
    near |= {"c0ax0": ("c0a",), "c0b": ("c0bx0", "c0bx1", "c0a"), "c0bx1": ("c0a",)}
    own = [each for each in homographs_of(lexicon(), near).contexts["en"] if each.form == "h0"]
    assert {(each.sense, each.context) for each in own} == {("c0a", "c0ax0"), ("c0b", "c0bx0")}


def test_the_other_word_goes_with_neither_the_senses_nor_the_contexts():
    for each in homographs().contexts["en"]:
        assert each.neutral[:2] not in (each.sense[:2],) or each.neutral[1:-1] != each.sense[1:-1]
        assert each.neutral not in (each.sense, each.other, each.context)
    by_form = {(each.form, each.neutral) for each in homographs().contexts["en"]}
    assert len(by_form) == FORMS  # one word in place of each homograph


def test_words_that_cannot_tell_the_senses_apart_are_left_out():
    pieces = {c: (i,) for c, i in PLACE.items()}
    other = {c: (1000 + i,) for c, i in PLACE.items()}
    contexts, base = homographs().contexts["en"], lexicon()
    assert items_of(base, contexts, "fr", pieces, other).n == FORMS
    entries = dict(base.entries)
    for sense, words in (("c0a", ("c0af", "c0bf")), ("c0b", ("c0bf", "c0af"))):  # one is of both
        made = Lexicon("made", ("en", "fr"), entries | {sense: {"en": ("h0",), "fr": words}}, {})
        assert items_of(made, contexts, "fr", pieces, other).n == FORMS - 1
    shared = other | {"c2b": pieces["c2ax0"]}  # a token of the context is in the word
    kept = items_of(base, contexts, "fr", pieces, shared)
    assert kept.n == FORMS and len(kept.rows) == len(contexts) - 1


def test_too_few_homographs_are_refused_in_one_line():
    with pytest.raises(MeaningsError, match="at most 0 words per language .* 8 are") as error:
        homographs_of(lexicon().restrict(languages=["fr"]), AROUND)
    assert "\n" not in str(error.value)


def test_shuffled_senses_stay_with_their_homograph():
    items = items_of(
        lexicon(),
        homographs().contexts["en"],
        "fr",
        {c: (i,) for c, i in PLACE.items()},
        {c: (1000 + i,) for c, i in PLACE.items()},
    )
    dealt = items.shuffled(np.random.default_rng(0), 20)
    for contrast in range(FORMS):
        own = items.contrast == contrast
        assert (dealt[:, own].sum(axis=1) == items.first[own].sum()).all()
    assert (dealt != items.first).any(axis=1).all()
    np.testing.assert_allclose(items.weights(dealt).sum(axis=1), 1)


def test_states_are_read_at_the_last_token_of_the_right_text():
    from meanings.measures.base import Shared
    from meanings.models.activations import activations
    from stand_ins import small_model

    words = small_model.lexicon()
    entries = {c: dict(entry) for c, entry in words.entries.items()}
    names = list(entries)
    near = {}
    for i in range(8):  # `cat` is a cat and a dog, ...
        one, other = names[2 * i], names[2 * i + 1]
        entries[other]["en"] = entries[one]["en"]
        near |= {one: (names[-1 - i],), other: (names[-1 - (i + 1) % 8],)}
    made = Lexicon("made", words.languages, entries, {})
    model = small_model.model(small_model.tokenizer(words))
    given = homographs_of(made, near)
    read = read_homographs(model, made, given, Shared())
    contexts = given.contexts["en"]
    texts = {
        "in_context": [f"{made.word(x.context, 'en')} {x.word}" for x in contexts],
        "other_word": [
            f"{made.word(x.context, 'en')} {made.word(x.neutral, 'en')}" for x in contexts
        ],
        "word_only": [x.word for x in contexts],
    }
    for kind, own in texts.items():
        once = list(dict.fromkeys(own))
        states = activations(model, once).hidden
        wanted = states - states.mean(axis=1, keepdims=True)
        np.testing.assert_allclose(
            read.of["en"][kind], wanted[:, [once.index(text) for text in own]], atol=1e-4
        )
    every = activations(model, [made.word(c, "en") for c in made.concepts]).hidden
    every = every - every.mean(axis=1, keepdims=True)
    place = [made.concepts.index(x.context) for x in contexts]
    np.testing.assert_allclose(read.of["en"]["context_only"], every[:, place], atol=1e-4)
