"""Controls of a patch: whose concept a vector carries, how long it is, in which order its layers
stand.
"""

from dataclasses import replace

import numpy as np
import pytest
import torch

from meanings.core.errors import MeaningsError
from meanings.lexicon.languages import LanguagePair
from meanings.patching.conditions import condition
from meanings.patching.controls import (
    CONTROLS,
    Draw,
    control_vectors,
    measure_controls,
    same_category,
)
from meanings.patching.source_states import SourceBank
from meanings.patching.sweeping import sweep
from meanings.prompts.answers import first_tokens
from meanings.prompts.draws import ConceptPairDraws
from meanings.prompts.prompt import translation_prompt

PAIR = LanguagePair("fr", "es")
SEEN = ("en", "fr", "es", "de", "fi")
DRAW = Draw(n_pairs=8, shots=2)
LARGE = {"house", "village", "yard", "king", "queen", "hand", "eye", "ear", "bird", "cat", "dog"}


@pytest.fixture(scope="module")
def words(lexicon):
    """The lexicon with two categories and one concept that has a category of its own."""
    categories = {name: "large" if name in LARGE else "small" for name in lexicon.concepts}
    return replace(lexicon, categories=categories)


@pytest.fixture(scope="module")
def drawn(model, words):
    return ConceptPairDraws().draw(model, words, DRAW)[0]


@pytest.fixture(scope="module")
def vectors(model, words, drawn):
    relatives = same_category(model, words, drawn, 42)
    bank = SourceBank(model, words, "quoted")
    return control_vectors(bank, PAIR, drawn, relatives, SEEN, 42)


@pytest.fixture(scope="module")
def rows(model, words):
    return measure_controls(model, words, [PAIR], SEEN, DRAW)


def test_a_null_of_the_same_category_is_one_and_stands_nowhere_else(model, words, drawn):
    relatives = same_category(model, words, drawn, 42)
    assert relatives == same_category(model, words, drawn, 42)
    for before, after in zip(drawn, relatives, strict=True):
        assert replace(after, null=before.null) == before
        if after.null == after.source:
            continue
        assert words.categories[after.null] == words.categories[after.source]
        assert after.null not in (after.target, *after.source_shots, *after.target_shots)
        for other in (after.source, after.target):
            tokens = [
                first_tokens(model.tokenizer, [w for c in SEEN for w in words.words(each, c)])
                for each in (after.null, other)
            ]
            assert not tokens[0] & tokens[1]
    assert sum(each.null != each.source for each in relatives) >= 4


def test_the_controls_are_the_same_vector_in_another_order_or_as_long(vectors):
    seen = vectors["seen"]
    assert tuple(vectors) == CONTROLS
    for layer in range(len(seen)):
        assert torch.equal(vectors["reversed"][layer], seen[len(seen) - 1 - layer])
    torch.testing.assert_close(vectors["random"].norm(dim=-1), seen.norm(dim=-1))
    cosine = torch.cosine_similarity(vectors["random"], seen, dim=-1)
    assert cosine.abs().mean() < 0.5 and not torch.equal(vectors["null_concept"], seen)


def test_each_vector_is_scored_for_the_source_and_for_its_own_concept(
    model, words, drawn, vectors, rows
):
    targets = [
        translation_prompt(words, model.tokenizer, PAIR, each.target, each.target_shots)
        for each in drawn
    ]
    nulls = [[first_tokens(model.tokenizer, words.words(each.null, "es"))] for each in drawn]
    sources = [[first_tokens(model.tokenizer, words.words(each.source, "es"))] for each in drawn]
    found = rows[rows["condition"] == "null_concept"]
    for value, columns in (("p_own", nulls), ("p_source", sources)):
        again = sweep(model, targets, vectors["null_concept"], columns).probabilities[..., 0]
        np.testing.assert_allclose(found[value], again.ravel(), atol=1e-6)
    assert found["own_concept"].tolist() == [each.null for each in drawn] * model.n_layers
    seen = rows[rows["condition"] == "seen"]
    assert seen["p_own"].tolist() == seen["p_source"].tolist()
    assert rows.loc[rows["condition"] == "random", "p_own"].isna().all()
    # The last layer is the same in both orders only where there is one layer.
    assert not np.allclose(seen["p_source"], rows.loc[rows["condition"] == "reversed", "p_source"])


def test_a_concept_without_relatives_has_no_row_of_its_category(model, words, drawn):
    alone = drawn[0].source
    lonely = replace(words, categories=words.categories | {alone: "alone"})
    found = measure_controls(model, lonely, [PAIR], SEEN, DRAW)
    related = found[found["condition"] == "null_category"]
    assert alone not in set(related["source_concept"])
    assert alone in set(found.loc[found["condition"] == "seen", "source_concept"])


def test_a_pair_without_other_languages_is_refused(model, words, drawn):
    bank = SourceBank(model, words, "quoted")
    assert bank.vectors(condition("seen"), PAIR, drawn, ("en", "fr", "es")) is None
    with pytest.raises(MeaningsError, match="'fr-es' has no other seen languages"):
        control_vectors(bank, PAIR, drawn, drawn, ("en", "fr", "es"), 42)
