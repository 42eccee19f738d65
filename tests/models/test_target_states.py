"""Words in context: the states are those of forwards of their own, and nothing right of the word
changes them.
"""

import numpy as np
import pytest
import torch

from meanings.models.activations import start_of_text
from meanings.models.target_states import target_states, tokens_of
from stand_ins import small_model

TEXTS = [("a dog sees the ", "house"), ("", "cat"), ("the ", "hund"), ("the cat sees ", "a dog")]


@pytest.fixture(scope="module")
def model():
    return small_model.model(small_model.tokenizer(small_model.lexicon()))


@torch.no_grad()
def plain(model, ids, place):
    """Embedding and outputs of the layers at a place, by transformers' own way."""
    layers, found = model.network.get_submodule(model.layers_path), []
    handles = [
        layer.register_forward_hook(
            lambda _module, _given, out: found.append(out if torch.is_tensor(out) else out[0])
        )
        for layer in layers
    ]
    row = torch.tensor([ids])
    model.network(input_ids=row)
    for handle in handles:
        handle.remove()
    first = model.network.get_input_embeddings()(row)
    return np.stack([each[0, place].numpy() for each in (first, *found)])


def ids_of(model, text):
    return [start_of_text(model), *model.tokenizer(text, add_special_tokens=False)["input_ids"]]


def test_states_are_those_of_forwards_of_their_own(model):
    found = target_states(model, TEXTS, 64)
    assert found.cut == 0
    for place, (before, word) in enumerate(TEXTS):
        whole = ids_of(model, before + word)
        own = tokens_of(model, before, word, 64)
        np.testing.assert_allclose(
            found.in_context[:, place], plain(model, whole, -1), rtol=1e-4, atol=1e-4
        )
        np.testing.assert_allclose(
            found.context_only[:, place], plain(model, whole, own.first), rtol=1e-4, atol=1e-4
        )
        alone = [whole[0], *whole[1 + own.first :]]
        np.testing.assert_allclose(
            found.word_only[:, place], plain(model, alone, -1), rtol=1e-4, atol=1e-4
        )


def test_nothing_right_of_the_word_changes_its_state(model):
    cut = target_states(model, [("a dog sees ", "the")], 64).in_context[:, 0]
    longer = ids_of(model, "a dog sees the house")
    place = len(ids_of(model, "a dog sees the")) - 1
    assert longer[: place + 1] == ids_of(model, "a dog sees the")
    np.testing.assert_allclose(cut, plain(model, longer, place), rtol=1e-4, atol=1e-4)


def test_the_last_tokens_of_the_left_context_are_kept(model):
    whole, kept = (tokens_of(model, "a dog sees the ", "house", most) for most in (64, 2))
    assert kept.cut and not whole.cut and kept.first == 2
    assert kept.ids == whole.ids[whole.first - 2 :]
    found = target_states(model, [("a dog sees the ", "house")], 2)
    assert found.cut == 1
    ids = [start_of_text(model), *kept.ids]
    np.testing.assert_allclose(found.in_context[:, 0], plain(model, ids, -1), rtol=1e-4, atol=1e-4)


def test_a_token_that_begins_with_the_space_belongs_to_the_word(model):
    for before, word in TEXTS:
        found = tokens_of(model, before, word, 64)
        text = model.tokenizer.decode(found.ids[found.first :]).strip().replace(" ", "")
        assert text == word.replace(" ", "")


def test_the_first_word_has_only_the_mark_before_it(model):
    found = target_states(model, [("", "cat"), ("", "dog")], 64)
    np.testing.assert_allclose(found.context_only[:, 0], found.context_only[:, 1], atol=1e-5)
    np.testing.assert_allclose(found.in_context, found.word_only, rtol=1e-4, atol=1e-4)
