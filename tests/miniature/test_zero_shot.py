"""Zero-shot transfer and twin embeddings, on worlds whose truth is known."""

import numpy as np
import pytest

from meanings.core.paths import data_folder
from meanings.lexicon.lexicon import load_lexicon
from meanings.miniature.corpus import load_corpus
from meanings.miniature.transfer import task_named
from meanings.miniature.twin_embeddings import twin_retrieval
from meanings.miniature.worlds import load_world

RECIPE = data_folder() / "miniature"


@pytest.fixture(scope="module")
def lexicon():
    mix = load_world(RECIPE, "clone").mix
    return load_corpus(RECIPE, mix, load_lexicon("embedded")).written("signs")


def test_facts_are_arbitrary_and_even(lexicon):
    task = task_named("facts", lexicon)
    counts = np.bincount(list(task.letters.values()))
    assert counts.tolist() == [24] * 8 and task.told == frozenset(lexicon.concepts)
    by_category = {
        len({task.letters[c] for c in lexicon.concepts if lexicon.categories[c] == k})
        for k in set(lexicon.categories.values())
    }
    assert min(by_category) >= 5  # no category has a letter of its own
    assert task.majority(list(lexicon.concepts)) == pytest.approx(1 / 8)


def test_classes_are_categories_and_half_is_told(lexicon):
    task = task_named("class", lexicon)
    for concept in lexicon.concepts:
        alike = [c for c in lexicon.concepts if task.letters[c] == task.letters[concept]]
        assert {lexicon.categories[c] for c in alike} == {lexicon.categories[concept]}
        assert sum(c in task.told for c in alike) == len(alike) / 2
    assert task == task_named("class", lexicon)


def test_twins_at_one_place_are_found_and_rotated_ones_after_the_rotation():
    rng = np.random.default_rng(0)
    a = rng.normal(size=(200, 16))
    turn, _ = np.linalg.qr(rng.normal(size=(16, 16)))
    near = a + 0.1 * rng.normal(size=a.shape)
    assert twin_retrieval(a, near, rotated=False)["value"] > 0.95
    assert twin_retrieval(a, near @ turn, rotated=False)["value"] < 0.1
    assert twin_retrieval(a, near @ turn, rotated=True)["value"] > 0.95


def test_strangers_are_not_found_even_after_a_rotation():
    """The rotation is fitted on other tokens, so that it cannot invent twins."""
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(2, 200, 64))
    for rotated in (False, True):
        found = twin_retrieval(a, b, rotated)
        assert found["value"] < 0.03 and found["null"] < 0.03 and found["n"] == 200
