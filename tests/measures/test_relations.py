"""Relations on steps that are known: one direction in all languages, concepts alone, nothing."""

import numpy as np
import pandas as pd
import pytest

from meanings.core.errors import MeaningsError
from meanings.lexicon.lexicon import Lexicon
from meanings.measures import relations as module
from meanings.measures.companion import Texts
from meanings.measures.word_states import WordStates

CONCEPTS, WIDTH = 160, 24
NAMES = tuple(f"c{i}" for i in range(CONCEPTS))
CATEGORY = {name: f"k{i % 8}" for i, name in enumerate(NAMES)}
REQUEST = module.Request(permutations=100, seed=0, text_sha256="", relations_sha256="")


@pytest.fixture(autouse=True)
def tables(monkeypatch):
    """Concepts below 120 have one of the last forty as broader; all have some associates."""
    rng = np.random.default_rng(5)
    broader = {NAMES[i]: {NAMES[120 + i % 40]} for i in range(120)}
    associated = {
        name: tuple(NAMES[j] for j in rng.permutation(CONCEPTS)[:4] if NAMES[j] != name)
        for name in NAMES
    }
    monkeypatch.setattr(module, "load_relations", lambda: type("R", (), {"broader": broader}))
    monkeypatch.setattr(module, "_associations", lambda: associated)


def lexicon():
    return Lexicon(
        name="made",
        languages=("en", "fr"),
        entries={n: {"en": (f"{n}e",), "fr": (f"{n}f",)} for n in NAMES},
        categories=CATEGORY,
    )


def found(en, fr):
    states = WordStates(NAMES, {"en": en[None], "fr": fr[None]}, {}, {})
    rows = module.MEASURE.rows(states, Texts(lexicon()), REQUEST)
    return pd.DataFrame(rows).set_index("variant")


def noise(seed, scale=1.0):
    return scale * np.random.default_rng(seed).normal(size=(CONCEPTS, WIDTH))


def narrow():
    """1 for concepts that have a broader one."""
    return (np.arange(CONCEPTS) < 120)[:, None].astype(float)


def inside(rows, variant):
    row = rows.loc[variant]
    return row["null_low"] - 1e-9 <= row["value"] <= row["null_high"] + 1e-9


def test_one_direction_in_both_languages_is_found_without_a_shared_concept():
    step = np.linspace(-1, 1, WIDTH)
    rows = found(noise(1) + 3 * narrow() * step, noise(2) + 3 * narrow() * step)
    assert rows.loc["direction_broader", "value"] > 0.8
    assert not inside(rows, "direction_broader")
    row = rows.loc["pairs_broader"]
    assert row["value"] == pytest.approx(
        row["null"], abs=0.04
    )  # who belongs to whom is not in the states


def test_different_directions_are_at_the_null():
    one, other = np.random.default_rng(7).normal(size=(2, WIDTH))
    rows = found(noise(1) + 3 * narrow() * one, noise(2) + 3 * narrow() * other)
    assert rows.loc["direction_broader", "value"] < 0.6
    opposite = found(noise(1) + 3 * narrow() * one, noise(2) - 3 * narrow() * one)
    assert opposite.loc["direction_broader", "value"] < -0.8


def test_shared_concepts_without_a_direction_do_not_make_one():
    """The halves share no concept: states that are the same in both languages say nothing."""
    same = noise(3)
    rows = found(same, same)
    assert abs(rows.loc["direction_associate", "value"]) < 0.7
    assert inside(rows, "direction_associate") and inside(rows, "rsa_associate")
    assert rows.loc["pairs_associate", "value"] == pytest.approx(1)


def test_pairs_see_who_belongs_to_whom_beyond_the_shared_concept():
    same = noise(3)
    rows = found(same, same)
    row = rows.loc["pairs_associate"]
    assert row["null_high"] < row["value"] and 0.3 < row["null"] < 0.7  # the concept is shared
    assert row["low"] <= row["value"] <= row["high"]


def test_steps_of_categories_that_are_arranged_alike_are_found():
    centres = 3 * np.random.default_rng(9).normal(size=(8, WIDTH))
    place = np.arange(CONCEPTS) % 8
    alike = found(noise(1) + centres[place], noise(2) + centres[place])
    assert alike.loc["rsa_associate", "value"] > 0.4 and not inside(alike, "rsa_associate")
    exchanged = found(noise(1) + centres[place], noise(2) + centres[(place * 3 + 1) % 8])
    assert exchanged.loc["rsa_associate", "value"] < 0.35


def test_a_mean_step_does_not_know_the_partners():
    """The reason for `pairs`: dealing out the related words anew leaves the mean step as it is."""
    relation = module.relations_of(lexicon())[0]
    rng = np.random.default_rng(0)
    dealt = relation._replace(
        pairs=np.column_stack([relation.pairs[:, 0], rng.permutation(relation.pairs[:, 1])])
    )
    states, straight = noise(4), np.ones((1, len(relation.pairs)))
    np.testing.assert_allclose(
        module.mean_steps(module.steps_of(states, relation), straight),
        module.mean_steps(module.steps_of(states, dealt), straight),
    )


def test_a_step_is_the_concept_minus_the_related_one():
    relation = module.relations_of(lexicon())[0]
    states = noise(1)
    assert [NAMES[i] for i in relation.pairs[3]] == ["c3", "c123"]
    np.testing.assert_allclose(module.steps_of(states, relation)[3], states[3] - states[123])


def test_a_mean_step_has_length_1_and_counts_flipped_pairs_backwards():
    steps = np.array([[2.0, 0], [0, 2], [0, 1]])
    found = module.mean_steps(steps, np.array([[1.0, 1, 1], [-1, 1, -1]]))
    np.testing.assert_allclose(found[0], np.array([2, 3]) / np.sqrt(13))
    np.testing.assert_allclose(found[1], np.array([-2, 1]) / np.sqrt(5))


def test_the_value_is_the_mean_of_the_halves_and_the_null_that_of_the_other_draws():
    found = module._over_halves([np.array([0.2, 0.0, 0.1]), np.array([0.6, 0.4, 0.1])])
    assert found["value"] == pytest.approx(0.4)
    assert (found["low"], found["high"]) == (0.2, 0.6)
    assert found["null"] == pytest.approx(0.15)


def test_a_step_belongs_to_the_category_of_the_concept_and_not_of_the_related_one():
    relation = module.relations_of(lexicon())[1]
    groups = module._groups(relation, lexicon())
    of = relation.pairs[:, 0] % 8
    names = list(dict.fromkeys(of))
    assert (groups == np.array([of == name for name in names])).all()


def test_halves_of_the_pairs_share_no_concept():
    relation = module.relations_of(lexicon())[1]
    one, other = module.halved(relation, CONCEPTS, np.random.default_rng(0))
    assert one.sum() > 50 and other.sum() > 50
    assert not set(relation.pairs[one].ravel()) & set(relation.pairs[other].ravel())


def test_a_lexicon_without_related_concepts_is_refused_in_one_line(monkeypatch):
    monkeypatch.setattr(module, "_associations", dict)
    monkeypatch.setattr(module, "load_relations", lambda: type("R", (), {"broader": {}}))
    with pytest.raises(MeaningsError, match="relations: lexicon 'made' has fewer than 20 pairs"):
        module.MEASURE.check(module.MEASURE.Settings(), lexicon(), [])
