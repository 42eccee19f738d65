"""CKA against its definition, and on states whose likeness is known."""

from itertools import permutations

import numpy as np
import pytest

from meanings.core.errors import MeaningsError
from meanings.measures import cka

RNG = np.random.default_rng(5)


def states(n=80, width=12, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, width)) * np.linspace(2, 0.3, width)


def rotation(width, seed=1):
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(width, width)))[0]


def whole(n):
    return np.ones((1, n))


def value(a, b, kernel=cka.rbf_kernel):
    return cka.unbiased(kernel(a), kernel(b), whole(len(a)))[0]


def test_a_kernel_by_hand():
    """Words at 0, 1 and 3 have squared distances 1, 4 and 9, of which 4 is the median."""
    found = cka.rbf_kernel(np.array([[0.0], [1], [3]]))
    expected = np.exp([[0, -1 / 8, -9 / 8], [-1 / 8, 0, -4 / 8], [-9 / 8, -4 / 8, 0]])
    np.testing.assert_allclose(found, expected)


def test_the_biased_estimate_is_the_cosine_of_centred_kernels():
    a, b = (cka.linear_kernel(states(12, 3, seed) + 2) for seed in (1, 2))
    centre = np.eye(12) - 1 / 12
    inner = [np.trace(centre @ x @ centre @ y) for x, y in ((a, b), (a, a), (b, b))]
    assert cka.biased(a, b) == pytest.approx(inner[0] / np.sqrt(inner[1] * inner[2]))


def test_the_inner_product_is_the_sum_over_distinct_indices():
    """Song et al.'s statistic by its definition: k_ij l_ij, k_ij l_iq and k_ij l_qr, all indices
    distinct.
    """
    n = 7
    a, b = (cka.rbf_kernel(states(n, 3, seed)) for seed in (1, 2))
    two = np.mean([a[i, j] * b[i, j] for i, j in permutations(range(n), 2)])
    three = np.mean([a[i, j] * b[i, q] for i, j, q in permutations(range(n), 3)])
    four = np.mean([a[i, j] * b[q, r] for i, j, q, r in permutations(range(n), 4)])
    found = cka.inner(a, b, whole(n))[0]
    assert found / (n * (n - 3)) == pytest.approx(two - 2 * three + four, abs=1e-12)


def test_the_inner_product_is_that_of_u_centred_kernels():
    a, b = (cka.rbf_kernel(states(40, 5, seed)) for seed in (1, 2))
    inside = np.vstack([np.ones(40), np.arange(40) % 4 != 0]).astype(float)
    for row, found in zip(inside, cka.inner(a, b, inside), strict=True):
        place = np.ix_(row > 0, row > 0)
        expected = np.vdot(cka.u_centred(a[place]), cka.u_centred(b[place]))
        assert found == pytest.approx(expected)


@pytest.mark.parametrize("kernel", [cka.rbf_kernel, cka.linear_kernel])
def test_a_rotated_shifted_and_stretched_space_has_the_same_shape(kernel):
    a = states()
    assert value(a, 3 * a @ rotation(12) + 7, kernel) == pytest.approx(1, abs=1e-6)


def test_unrelated_states_score_nothing_on_average_and_the_biased_estimate_much():
    found, biased = [], []
    for seed in range(40):
        a, b = states(40, 30, seed), states(40, 30, 1000 + seed)
        found.append(value(a, b, cka.linear_kernel))
        biased.append(cka.biased(cka.linear_kernel(a), cka.linear_kernel(b)))
    assert abs(np.mean(found)) < 3 * np.std(found) / np.sqrt(len(found))
    assert np.mean(biased) > 0.3


def permuted(a, b, orders):
    return cka.permuted(a[None], b[None], orders)[:, 0]


def test_an_order_exchanges_the_words_themselves_in_every_kernel_at_once():
    a, b = (
        np.stack([kernel(states(40, 5, seed)) for kernel in (cka.rbf_kernel, cka.linear_kernel)])
        for seed in (1, 2)
    )
    orders = np.array([RNG.permutation(40) for _ in range(3)])
    found = cka.permuted(a, b, orders)
    for draw, order in enumerate(orders):
        for place in range(2):
            expected = cka.unbiased(a[place], b[place][np.ix_(order, order)], whole(40))[0]
            assert found[draw, place] == pytest.approx(expected, abs=1e-5)


def test_the_null_of_permuted_words_covers_unrelated_states_and_not_a_rotation():
    a, n = states(), 80
    orders = cka.orders_within(np.zeros(n, int), 200, np.random.default_rng(0))
    kernels = [cka.rbf_kernel(x) for x in (a, a @ rotation(12), states(seed=9))]
    turned = permuted(kernels[0], kernels[1], orders)
    assert turned.max() < 0.2 and abs(turned.mean()) < 0.02
    unrelated = permuted(kernels[0], kernels[2], orders)
    seen = cka.unbiased(kernels[0], kernels[2], whole(n))[0]
    assert unrelated.min() <= seen <= unrelated.max()


def test_the_identity_order_gives_the_value_itself():
    a, b = (cka.rbf_kernel(x) for x in (states(), states() + states(seed=3)))
    found = permuted(a, b, np.arange(80)[None])
    assert found[0] == pytest.approx(cka.unbiased(a, b, whole(80))[0], rel=1e-4)


def test_frequency_alone_makes_shapes_alike_until_it_is_regressed_out():
    frequency = np.linspace(-2, 2, 120)
    a, b = (
        states(120, 12, seed) * 0.4
        + np.outer(frequency, np.random.default_rng(seed).normal(size=12))
        for seed in (1, 2)
    )
    raw = value(a, b)
    known = frequency[:, None]
    regressed = value(cka.without(a, known), cka.without(b, known))
    assert raw > 0.4 and abs(regressed) < 0.05


def test_regression_takes_out_all_that_is_linear_in_a_property():
    known = RNG.normal(size=(60, 2))
    left = cka.without(states(60), known)
    assert np.abs(known.T @ left).max() < 1e-9 and np.abs(left.sum(axis=0)).max() < 1e-9


def test_words_change_places_within_their_cells_only():
    tokens, frequency = RNG.integers(1, 7, 90), RNG.normal(size=90)
    cells = cka.cells_of(tokens, frequency)
    orders = cka.orders_within(cells, 20, np.random.default_rng(0))
    assert (cells[orders] == cells).all() and (np.sort(orders) == np.arange(90)).all()
    assert (orders != np.arange(90)).any()


def test_a_cell_is_a_number_of_tokens_up_to_four_and_a_third_by_frequency():
    tokens = np.tile([1, 2, 4, 7], 9)
    frequency = np.repeat(np.arange(9.0), 4)
    found = cka.cells_of(tokens, frequency)
    kinds = {
        (min(t, 4), int(f // 3)): cell for t, f, cell in zip(tokens, frequency, found, strict=True)
    }
    assert len(kinds) == len(set(kinds.values())) == len(set(found)) == 9
    for t, f, cell in zip(tokens, frequency, found, strict=True):
        assert kinds[min(t, 4), int(f // 3)] == cell


def test_the_jackknife_leaves_out_one_fold_after_another():
    n = 60
    a, b = (cka.rbf_kernel(x) for x in (states(n), states(n) + states(n, seed=3)))
    folds = np.random.default_rng(0).permutation(n) % cka.FOLDS
    parts = []
    for fold in range(cka.FOLDS):
        left = np.flatnonzero(folds != fold)
        parts.append(cka.unbiased(*(k[np.ix_(left, left)] for k in (a, b)), whole(len(left)))[0])
    error = np.sqrt(9 / 10 * np.sum((parts - np.mean(parts)) ** 2))
    value_, low, high = cka.jackknife(a, b, folds)
    assert value_ == pytest.approx(cka.unbiased(a, b, whole(n))[0])
    assert (value_ - low, high - value_) == pytest.approx((1.96 * error, 1.96 * error))


def test_the_jackknife_covers_the_truth_and_shrinks_with_more_words():
    rng, widths, hits = np.random.default_rng(0), {}, 0
    for n in (60, 240):
        found = []
        for _ in range(30):
            shared = rng.normal(size=(n, 4))
            a, b = (shared + rng.normal(size=(n, 4)) for _ in range(2))
            whole_, low, high = cka.jackknife(
                cka.linear_kernel(a), cka.linear_kernel(b), rng.permutation(n) % cka.FOLDS
            )
            assert low <= whole_ <= high
            found.append(high - low)
            hits += n == 240 and low <= 0.25 <= high  # (1/2)² of the variance is shared
        widths[n] = np.mean(found)
    assert widths[240] < 0.7 * widths[60] and hits >= 24


def test_states_that_are_all_the_same_are_refused():
    for state in (np.ones(4), np.random.default_rng(0).normal(size=4)):
        with pytest.raises(MeaningsError, match="cka: the states of all words are the same, so"):
            cka.rbf_kernel(np.tile(state, (30, 1)))


def test_where_most_words_have_one_state_the_others_set_the_width():
    """As in an embedding, where words that end in one token have one state."""
    made = states(30, 4)
    made[:24] = made[0]
    apart = [np.sum((a - b) ** 2) for i, a in enumerate(made) for b in made[:i]]
    width = np.median([each for each in apart if each > 1e-9])
    found = cka.rbf_kernel(made)
    assert found[0, 29] == pytest.approx(np.exp(-np.sum((made[0] - made[29]) ** 2) / (2 * width)))
    assert np.isfinite(cka.unbiased(found, found, whole(30))).all()


def test_a_dimension_without_variance_changes_no_kernel():
    made = states()
    more = np.column_stack([made, np.full(80, 7.0)])
    known = RNG.normal(size=(80, 2))
    np.testing.assert_allclose(cka.rbf_kernel(more), cka.rbf_kernel(made), atol=1e-9)
    np.testing.assert_allclose(cka.without(more, known)[:, -1], 0, atol=1e-9)
