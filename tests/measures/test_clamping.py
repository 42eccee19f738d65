"""Clamping: which units, at what values, what counts as a hit, and that the model obeys."""

import numpy as np
import pytest
import torch

from meanings.lexicon.lexicon import Lexicon
from meanings.measures import clamping as module
from meanings.models.activations import activations, mlp_projection, start_of_text
from meanings.models.clamping import Held, clamped, generate
from stand_ins import small_model

WORDS = {
    "cat": {"en": ("cat",), "fr": ("chat",)},
    "dog": {"en": ("dog",), "fr": ("chien",)},
    "table": {"en": ("table",), "fr": ("table",)},
}


@pytest.fixture(scope="module")
def table():
    return module.WordTable(
        Lexicon(name="made", languages=("en", "fr"), entries=WORDS, categories={})
    )


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Chat, chien\ndog", "fr"),
        ("cat dog table", "en"),
        ("table", ""),  # a word of both
        ("cat chien", ""),  # a tie
        ("nothing catalogue", ""),
        ("chat table", "fr"),
    ],
)
def test_a_texts_language_is_that_of_most_of_its_words(table, text, language):
    assert table.named(text).language == language


@pytest.mark.parametrize(
    ("text", "hits"),
    [
        ("cat", {"category", "same"}),
        ("chat", {"category", "elsewhere"}),
        ("chat cat", {"category", "elsewhere"}),
        ("table", {"furniture"}),
        ("chien", set()),
    ],
)
def test_a_word_of_another_language_is_one_that_the_language_does_not_have(table, text, hits):
    named = table.named(text)
    found = module._category_hits({"cat"}, "en")
    assert {name for name, hit in found.items() if hit(named)} == hits - {"furniture"}
    if "furniture" in hits:
        of_tables = module._category_hits({"table"}, "en")
        assert of_tables["category"](named) and not of_tables["elsewhere"](named)


def test_the_units_that_respond_are_held_at_their_median_and_the_control_is_as_active():
    rng = np.random.default_rng(0)
    members = np.arange(60) < 15
    responses = rng.normal(size=(60, 40)) + 10 * (np.arange(40) // 2)  # every two are as active
    planted = [4, 11, 30]
    responses[:, planted] += 16 * members[:, None] - 4.0  # as active as their twins on the whole
    chosen, control = module.choose(responses, members, 3)
    assert sorted(chosen.units) == planted
    np.testing.assert_allclose(chosen.values, np.median(responses[:15, chosen.units], axis=0))
    assert not set(control.units) & set(planted)
    assert sorted(control.units) == [5, 10, 31]
    np.testing.assert_allclose(control.values, np.median(responses[:15, control.units], axis=0))


def test_units_that_never_vary_are_neither_held_nor_the_control():
    rng = np.random.default_rng(0)
    members = np.arange(60) < 15
    responses = rng.normal(size=(60, 12))
    responses[:, [0, 5, 6]] = [0.0, 1.0, responses[:, 7].mean()]
    for count in (2, 50):
        chosen, control = module.choose(responses, members, count)
        held = [*chosen.units, *control.units]
        assert len(chosen.units) == len(control.units) == min(count, 4)
        assert len(set(held)) == len(held) and not {0, 5, 6} & set(held)


def test_wilsons_interval_is_that_of_the_statistics():
    from meanings.statistics.proportions import wilson

    for hits in (0, 3, 100):
        assert module.wilson(hits, 100) == pytest.approx(wilson(hits, 100))


def test_shares_are_of_all_texts():
    said = [module.Named(language, ()) for language in ("en", "fr", "fr", "")]
    row = module._of([said, said[:1] * 4, said[1:2] * 4], lambda named: named.language == "en")
    assert (row["value"], row["null"], row["unclamped"], row["n"]) == (0.25, 1, 0, 4)


@pytest.fixture(scope="module")
def model():
    return small_model.model(small_model.tokenizer(small_model.lexicon()))


def test_held_units_have_their_values_at_every_position(model):
    layers = list(model.network.get_submodule(model.layers_path))
    seen = []
    spied = mlp_projection(layers[1], model.d_model)
    held = {1: Held(torch.tensor([0, 3]), torch.tensor([5.0, -2.0]))}
    with clamped(model, held):
        handle = spied.register_forward_pre_hook(lambda _m, given: seen.append(given[0]))
        generate(model, torch.full((3, 4), 0.5))
        handle.remove()
    assert len(seen) == 4
    for states in seen:
        assert (states[..., [0, 3]] == torch.tensor([5.0, -2.0])).all()
    generate(model, torch.full((3, 4), 0.5))
    words = [small_model.lexicon().word("cat", "en")]
    again = activations(model, words).units
    with clamped(model, held):
        inside = activations(model, words).units
    assert inside[1, 0, [0, 3]].tolist() == [5.0, -2.0] and again[1, 0, 0] != 5.0
    np.testing.assert_array_equal(inside[0], again[0])


def test_a_text_is_drawn_by_inverting_the_next_tokens_distribution(model):
    draws = torch.rand(4000, 1, generator=torch.Generator().manual_seed(0)).double()
    with torch.no_grad():
        logits = model.network(input_ids=torch.tensor([[start_of_text(model)]])).logits[0, -1]
    expected = logits.double().softmax(-1)
    counts = {}
    for text in generate(model, draws):
        counts[text] = counts.get(text, 0) + 1
    likely = int(expected.argmax())
    text = model.tokenizer.decode([likely], skip_special_tokens=True)
    same = [
        i for i in range(len(expected))
        if model.tokenizer.decode([i], skip_special_tokens=True) == text
    ]  # fmt: skip
    assert counts[text] / 4000 == pytest.approx(float(expected[same].sum()), abs=0.03)
    assert generate(model, draws[:5]) == generate(model, draws[:5])


def test_a_cached_text_is_that_of_whole_forwards(model):
    draws = torch.tensor([[0.1, 0.7, 0.4], [0.9, 0.2, 0.6]]).double()
    expected = []
    for row in draws:
        ids = [start_of_text(model)]
        for u in row:
            with torch.no_grad():
                logits = model.network(input_ids=torch.tensor([ids])).logits[0, -1]
            edges = logits.double().softmax(-1).cumsum(-1)
            ids.append(int((edges <= u * edges[-1]).sum()))
        expected.append(model.tokenizer.decode(ids[1:], skip_special_tokens=True))
    assert generate(model, draws) == expected
