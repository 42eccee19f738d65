"""Expert units against scikit-learn, and on units that are planted."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from meanings.core.errors import MeaningsError
from meanings.lexicon.lexicon import Lexicon
from meanings.measures import expert_units as module

CONCEPTS, UNITS = 80, 50
MEMBERS = np.array([np.arange(CONCEPTS) % 4 == place for place in range(4)])


def responses(seed=0):
    return np.random.default_rng(seed).normal(size=(CONCEPTS, UNITS))


def test_average_precision_is_that_of_scikit_learn():
    made = responses()
    found = module.average_precisions(made, MEMBERS)
    for category in range(4):
        for unit in range(0, UNITS, 7):
            expected = average_precision_score(MEMBERS[category], made[:, unit])
            assert found[category, unit] == pytest.approx(expected)


def test_a_planted_unit_is_found():
    made = responses()
    made[:, 17] = MEMBERS[2] + 0.1 * made[:, 17]
    precisions = module.average_precisions(made, MEMBERS)
    assert precisions[2].argmax() == 17 and precisions[2, 17] == pytest.approx(1)
    chosen = module.experts(precisions)
    assert chosen[2, 17] and (chosen.sum(axis=1) == 5).all()


def test_unrelated_units_overlap_by_chance():
    found = [
        module.overlap(
            *(module.experts(module.average_precisions(responses(s), MEMBERS)) for s in (a, a + 99))
        ).mean()
        for a in range(30)
    ]
    assert np.mean(found) == pytest.approx(0.1, abs=0.03)


def test_the_same_shuffle_in_both_languages_reveals_concepts_that_lie_at_one_place():
    """Units that say nothing of a category overlap where they are the same in both languages."""
    made = responses()
    order = np.random.default_rng(1).permutation(CONCEPTS)
    apart = np.random.default_rng(2).permutation(CONCEPTS)

    def chosen(members):
        return module.experts(module.average_precisions(made, members))

    assert module.overlap(chosen(MEMBERS[:, order]), chosen(MEMBERS[:, order])).mean() == 1
    assert module.overlap(chosen(MEMBERS[:, order]), chosen(MEMBERS[:, apart])).mean() < 0.35


def test_a_unit_that_never_varies_is_no_expert_of_the_words_that_come_first():
    """Its words all respond alike: in the lexicon's order the first category would be ranked first,
    in every language.
    """
    members = np.repeat(np.eye(4, dtype=bool), CONCEPTS // 4, axis=1)
    made = responses()
    made[:, :3] = [0.0, 2.5, -1.0]
    precisions = module.average_precisions(made, members)
    assert (precisions[:, :3] == 0).all() and (precisions[:, 3:] > 0).all()
    assert not module.experts(precisions)[:, :3].any()


def test_where_few_units_vary_only_they_are_experts():
    made = np.ones((CONCEPTS, UNITS))
    made[:, :2] = responses()[:, :2]
    chosen = module.experts(module.average_precisions(made, MEMBERS))
    assert (chosen.sum(axis=1) == 2).all() and chosen[:, :2].all()
    none = module.experts(module.average_precisions(np.ones((CONCEPTS, UNITS)), MEMBERS))
    assert not none.any() and (module.overlap(none, none) == 0).all()


def lexicon(categories):
    entries = {f"c{i}": {"en": (f"a{i}",), "fr": (f"b{i}",)} for i in range(40)}
    return Lexicon("small", ("en", "fr"), entries, categories)


def test_categories_with_few_words_are_left_out_and_fewer_than_two_refused():
    sizes = {"big": 10, "small": 7, "other": 8}
    names = [name for name, size in sizes.items() for _ in range(size)]
    made = lexicon({f"c{i}": name for i, name in enumerate(names)})
    found, members = module.memberships(made)
    assert found == ("big", "other") and members.sum(axis=1).tolist() == [10, 8]
    with pytest.raises(MeaningsError, match="has 0 with at least 8 concepts, 2 are needed; add"):
        module.memberships(lexicon({}))
