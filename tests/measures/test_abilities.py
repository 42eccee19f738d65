"""Abilities on states and models in which it is known what can be done."""

from itertools import pairwise

import numpy as np
import pytest
from sklearn.linear_model import RidgeClassifier

from meanings.lexicon.lexicon import Lexicon
from meanings.measures import abilities
from meanings.measures.abilities import Asked
from meanings.models.activations import start_of_text
from meanings.models.checkpoints import trajectory
from meanings.patching import continuations
from stand_ins.study_data import make_world

N, D, CATEGORIES = 120, 30, 4
LABELS = np.arange(N) % CATEGORIES
FOLDS = np.random.default_rng(0).permutation(N) % abilities.FOLDS


def states(seed=0, centres=0, strength=2.0):
    points = np.random.default_rng(centres).normal(size=(CATEGORIES, D))
    return strength * points[LABELS] + np.random.default_rng(100 + seed).normal(size=(N, D))


def rates(made, labels=LABELS[None]):
    found = abilities.probe_hits(made, labels, FOLDS)
    return {pair: hit.mean(axis=1) for pair, hit in found.items()}


def test_a_probe_moves_between_languages_only_where_they_share_a_space():
    """As in the world without anything shared: in-language rises, across stays at chance."""
    found = rates({"a": states(1), "b": states(2), "c": states(3, centres=7)})
    assert min(found["a", "a"][0], found["b", "b"][0], found["c", "c"][0]) > 0.9
    assert found["a", "b"][0] > 0.9 and found["b", "a"][0] > 0.9
    strangers = [rates({"a": states(s), "c": states(s, 50 + s)})["a", "c"][0] for s in range(12)]
    assert np.mean(strangers) == pytest.approx(1 / CATEGORIES, abs=0.12)


def test_shuffled_categories_are_named_by_chance_though_the_words_are_met_elsewhere():
    rng = np.random.default_rng(1)
    shuffled = np.array([rng.permutation(LABELS) for _ in range(30)])
    found = rates({"a": states(1), "b": states(1)}, shuffled)
    assert found["a", "b"].mean() == pytest.approx(1 / CATEGORIES, abs=0.06)


def test_the_probe_is_the_ridge_classifier_of_scikit_learn():
    labels = np.minimum(np.arange(N) % 7, CATEGORIES - 1)  # the last one is larger
    a, b = states(1, strength=0.4), states(2, strength=0.4) + 0.3
    centres = 0.4 * np.random.default_rng(9).normal(size=(CATEGORIES, D))
    a, b = (x + centres[labels] for x in (a, b))
    found = abilities.probe_hits({"a": a, "b": b}, labels[None], FOLDS)["a", "b"][0]
    for fold in range(abilities.FOLDS):
        train, test = FOLDS != fold, FOLDS == fold
        model = RidgeClassifier(alpha=100.0).fit(a[train], labels[train])
        assert (found[test] == (model.predict(b[test]) == labels[test])).all()
    assert 0.2 < found.mean() < 0.95


NAMES = ("cat", "dog", "hat")
LEXICON = Lexicon(
    "small",
    ("en", "fr"),
    {name: {"en": (name,), "fr": (f"{name}-fr",)} for name in NAMES},
    {},
)


def test_a_question_of_translation_asks_for_the_word_and_its_null_for_the_concept_before():
    first, second, _ = abilities.quoted(LEXICON, "en", "fr", NAMES)
    assert first.prompt == 'English: "cat" - Français: "' and first.words == ("cat-fr",)
    assert first.others == ("hat-fr",) and second.others == ("cat-fr",)
    many = abilities.quoted(LEXICON, "en", "fr", NAMES * 10)
    assert [bool(each.others) for each in many] == [True] * 20 + [False] * 10


def test_a_question_of_association_asks_for_all_associates_and_its_null_for_those_of_another():
    known = {"cat": ("dog",), "dog": ("hat", "cat"), "hat": ("dog", "cat")}
    first, second, third = abilities.associated(LEXICON, "fr", NAMES, known)
    assert first.prompt == "Français\ncat-fr" and first.words == (" dog-fr",)
    assert first.others == ()  # those of the hat are the cat and what goes with it
    assert second.others == () and third.others == ()
    known = {"cat": ("dog",), "dog": ("cat",), "hat": ("hat", "cat")}
    first = abilities.associated(LEXICON, "fr", NAMES, known)[0]
    assert first.others == (" hat-fr",)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "data"
    with pytest.MonkeyPatch.context() as patch:
        make_world(folder)
        patch.setenv("MEANINGS_DATA", str(folder))
        yield trajectory("miniature").last.load(device="cpu")


def log_probabilities(model, ids):
    import torch

    with torch.no_grad():
        return model.network(torch.tensor([ids])).logits[0].log_softmax(-1).numpy()


def test_a_probability_is_that_of_every_token_and_of_what_must_follow(model):
    """One text at a time, token by token, against rows that run together."""
    prompt = 'English: "dog" - English: "'
    asked = [
        Asked(prompt, ("dog", "house"), ("cat",)),
        Asked('"', ("hat",), ()),
        Asked("dog", (" house",), (" cat",)),
    ]
    found = continuations.probabilities(model, asked)
    assert np.isnan(found).tolist() == [[False] * 3, [False, True, False]]
    tokenizer, vocabulary = model.tokenizer, model.tokenizer.get_vocab()
    ends = {
        True: [i for piece, i in vocabulary.items() if piece.startswith('"')],
        False: [i for piece, i in vocabulary.items() if tokenizer.decode([i])[:1].isspace()],
    }

    def alone(prompt, word, quoted):
        start = [start_of_text(model), *tokenizer(prompt, add_special_tokens=False)["input_ids"]]
        answer = tokenizer(word, add_special_tokens=False)["input_ids"]
        said = log_probabilities(model, [*start, *answer])
        steps = sum(said[len(start) - 1 + i, token] for i, token in enumerate(answer))
        return np.exp(steps) * np.exp(said[-1, ends[quoted]]).sum()

    assert found[0, 0] == pytest.approx(
        alone(prompt, "dog", True) + alone(prompt, "house", True), rel=1e-4
    )
    assert found[1, 0] == pytest.approx(alone(prompt, "cat", True), rel=1e-4)
    assert found[0, 2] == pytest.approx(alone("dog", " house", False), rel=1e-4)


def test_nats_per_character_count_every_token_once(model):
    texts = ["The dog is in the house.", "Le chien", "Le chat", "Où est-il né ?"]
    found = continuations.nats(model, texts)
    for text, each in zip(texts, found, strict=True):
        ids = [
            start_of_text(model),
            *model.tokenizer(text, add_special_tokens=False)["input_ids"],
        ]
        said = log_probabilities(model, ids)
        total = sum(said[place, after] for place, (_, after) in enumerate(pairwise(ids)))
        assert each == pytest.approx(-total / len(text), rel=1e-4)
