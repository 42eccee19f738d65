"""CKA: whether two languages arrange their words alike, up to a rotation of the space.

    K = exp(-D² / 2σ²)       D²: squared distances of one language's words; σ²: their median
    <K, L>                   sum over i, j of the U-centred kernels' products
    CKA = <K, L> / sqrt(<K, K> <L, L>)

U-centring makes the estimate unbiased: unrelated words score 0 on average. The biased estimate,
which much published code computes, scores .24 for the words of an untrained network; it is here as
`linear_biased`. CKA sees that two languages have the same *shape*, wherever they lie. Words of like
length and frequency give two languages a like shape, so `rbf_regressed` takes both out first.
Sources: Kornblith et al. 2019 (CKA), Song et al. 2012 (unbiased HSIC), Nguyen et al. 2021.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from meanings.core.errors import MeaningsError
from meanings.measures.base import About
from meanings.measures.companion import Companion, Null, Request, Source, pairs, rng_of
from meanings.measures.word_states import WordStates

FOLDS = 10  # of the jackknife
MOST = 256  # concepts of a set that enter: the cost grows with their square
Kernel = Float[np.ndarray, "concept concept"]
Kernels = Float[np.ndarray, "kernel concept concept"]
Permutations = Int[np.ndarray, "draw concept"]


def rbf_kernel(states: Float[np.ndarray, "concept d_model"]) -> Kernel:
    """exp(-D² / 2σ²), σ² being the median squared distance of two different words; where that is 0,
    the median of those that are not.

    Raises MeaningsError where all words have one state.
    """
    squares = np.einsum("ij,ij->i", states, states, dtype=np.float64)
    products = states.astype(np.float64) @ states.T.astype(np.float64)
    distances = np.maximum(squares[:, None] + squares - 2 * products, 0)
    between = distances[~np.tri(len(states), dtype=bool)]
    apart = between > 1e-12 * squares.max()  # beyond rounding
    if not apart.any():
        raise MeaningsError(
            "cka: the states of all words are the same, so that there is no shape to compare; "
            "measure another checkpoint"
        )
    scale = np.median(between)
    if scale <= 1e-12 * squares.max():
        scale = np.median(between[apart])
    return np.exp(-distances / (2 * scale))


def linear_kernel(states: Float[np.ndarray, "concept d_model"]) -> Kernel:
    """The words' inner products, as float64."""
    return states.astype(np.float64) @ states.T.astype(np.float64)


def u_centred(kernel: Kernel) -> Kernel:
    """The kernel with a zero diagonal, whose rows and columns sum to 0.

    Source: Song et al. 2012, in the form of Székely and Rizzo 2014.
    """
    n = len(kernel)
    bare = without_diagonal(kernel)
    rows = bare.sum(axis=0) / (n - 2)
    centred = bare - rows - rows[:, None] + bare.sum() / ((n - 1) * (n - 2))
    np.fill_diagonal(centred, 0)
    return centred


def inner(
    a: Kernel, b: Kernel, inside: Float[np.ndarray, "subset concept"]
) -> Float[np.ndarray, " subset"]:
    """<K, L> of two U-centred kernels, for several subsets of the concepts at once.

        sum of K ∘ L  -  2 / (n - 2) · rows of K · rows of L  +  sum K · sum L / ((n - 1)(n - 2))

    - `inside`: 1 where a concept is in the subset, 0 where it is not; diagonals are left out.
    """
    a, b = without_diagonal(a), without_diagonal(b)
    return _inner(a, b, *(inside @ kernel * inside for kernel in (a, b)), inside)


def without_diagonal(kernel: Kernel) -> Kernel:
    """The kernel with zeros in its diagonal."""
    return kernel - np.diag(np.diag(kernel))


def _inner(
    a: Kernel, b: Kernel, rows_a: np.ndarray, rows_b: np.ndarray, inside: np.ndarray
) -> Float[np.ndarray, " subset"]:
    """As `inner`, of kernels with empty diagonals and the sums of their rows in each subset."""
    n = inside.sum(axis=1)
    both = (inside @ (a * b) * inside).sum(axis=1)
    crossed = (rows_a * rows_b).sum(axis=1)
    sums = rows_a.sum(axis=1) * rows_b.sum(axis=1)
    return both - 2 * crossed / (n - 2) + sums / ((n - 1) * (n - 2))


def unbiased(
    a: Kernel, b: Kernel, inside: Float[np.ndarray, "subset concept"]
) -> Float[np.ndarray, " subset"]:
    """Unbiased CKA of two kernels in subsets of the concepts; 0 where a kernel has no structure."""
    a, b = without_diagonal(a), without_diagonal(b)
    x, y = (inside @ kernel * inside for kernel in (a, b))
    norms = _inner(a, a, x, x, inside) * _inner(b, b, y, y, inside)
    there = norms > 0
    return np.where(there, _inner(a, b, x, y, inside) / np.sqrt(np.where(there, norms, 1)), 0.0)


def biased(a: Kernel, b: Kernel) -> float:
    """The biased CKA of two kernels: both are centred, and their diagonals stay."""
    a, b = (k - k.mean(axis=0) - k.mean(axis=0)[:, None] + k.mean() for k in (a, b))
    norms = np.vdot(a, a) * np.vdot(b, b)
    return float(np.vdot(a, b) / np.sqrt(norms)) if norms > 0 else 0.0


def permuted(a: Kernels, b: Kernels, draws: Permutations) -> Float[np.ndarray, "draw kernel"]:
    """Unbiased CKA of pairs of kernels with the words of the second in other orders.

    All kernels of two languages take an order at once, and of a symmetric matrix only the part
    above the diagonal is summed: both together are three times as fast as one kernel at a time.
    """
    a, b = (np.stack([u_centred(each) for each in kernels]) for kernels in (a, b))
    norms = np.sqrt(np.square(a).sum(axis=(1, 2)) * np.square(b).sum(axis=(1, 2)))
    n = a.shape[1]
    first, second = np.triu_indices(n, 1)
    one = np.ascontiguousarray(a[:, first, second].T, dtype=np.float32)
    other = np.ascontiguousarray(b.reshape(len(b), n * n).T, dtype=np.float32)
    sums = [
        2 * np.einsum("pk,pk->k", one, np.take(other, order[first] * n + order[second], axis=0))
        for order in draws
    ]
    return np.array(sums, dtype=np.float64) / np.where(norms > 0, norms, np.inf)


def jackknife(
    a: Kernel, b: Kernel, folds: Int[np.ndarray, " concept"]
) -> tuple[float, float, float]:
    """Unbiased CKA of two kernels, and its 95 % interval from leaving out a tenth of the words at
    a time.

    Drawing words twice, as a bootstrap does, would give both languages a like shape.
    """
    inside = np.vstack([np.ones(len(folds)), *(folds != fold for fold in range(FOLDS))])
    whole, *parts = unbiased(a, b, inside.astype(float))
    error = np.sqrt((FOLDS - 1) / FOLDS * np.sum((np.array(parts) - np.mean(parts)) ** 2))
    return float(whole), float(whole - 1.96 * error), float(whole + 1.96 * error)


def without(
    states: Float[np.ndarray, "concept d_model"], known: Float[np.ndarray, "concept property"]
) -> Float[np.ndarray, "concept d_model"]:
    """The states without what is linear in some properties of the words (least squares)."""
    design = np.column_stack([np.ones(len(states)), known])
    weights, *_ = np.linalg.lstsq(design, states.astype(np.float64), rcond=None)
    return states - design @ weights


def cells_of(
    tokens: Int[np.ndarray, " concept"], frequency: Float[np.ndarray, " concept"]
) -> Int[np.ndarray, " concept"]:
    """Which words may change places: those with as many tokens, of a like frequency (thirds)."""
    thirds = np.searchsorted(np.quantile(frequency, [1 / 3, 2 / 3]), frequency)
    return np.minimum(tokens, 4) * 3 + thirds


def orders_within(
    cells: Int[np.ndarray, " concept"], n: int, rng: np.random.Generator
) -> Permutations:
    """Orders of words that change places within their cells only."""
    orders = np.tile(np.arange(len(cells)), (n, 1))
    for cell in np.unique(cells):
        members = np.flatnonzero(cells == cell)
        for order in orders:
            order[members] = rng.permutation(members)
    return orders


class CKA(Companion):
    """Centred kernel alignment of two languages' words, by layer."""

    name = "cka"
    about = About(
        paper="arXiv 2101.11109",
        sees="two languages arrange their words alike, up to a rotation",
        blind="whether the words lie at one place",
        needs="20 concepts",
        cost="pairs of languages x layers x permutations x concepts squared (at most 256)",
    )

    def rows(self, states: WordStates, data: Source, request: Request) -> Iterator[dict[str, Any]]:
        """Variants `rbf`, `rbf_regressed`, `linear` and `linear_biased`; see the module."""
        rng = np.random.default_rng([request.seed, 1])
        folds = rng.permutation(len(states.concepts)) % FOLDS
        order = rng.permutation(len(states.concepts))
        frequency = log_frequency(states, data)
        tokens = {code: states.tokens(code) for code in states.languages}
        kernels = {
            code: _kernels(each, np.column_stack([tokens[code], frequency]))
            for code, each in states.hidden.items()
        }
        for pair in pairs(states, data.text):
            draw = rng_of(pair.a, pair.b, request.seed, 1)
            for split, mask in pair.splits.items():
                chosen = np.sort([place for place in order if mask[place]][:MOST])
                place = np.ix_(chosen, chosen)
                a, b = (
                    {
                        name: [k[place].astype(np.float64) for k in each]
                        for name, each in own.items()
                    }
                    for own in (kernels[pair.a], kernels[pair.b])
                )
                cells = cells_of(tokens[pair.b][chosen], frequency[chosen])
                orders = orders_within(cells, request.permutations, draw)
                for row in _rows(a, b, folds[chosen], orders):
                    yield row | {
                        "language_a": pair.a, "language_b": pair.b, "split": split,
                        "n": len(chosen),
                    }  # fmt: skip


def log_frequency(states: WordStates, data: Source) -> Float[np.ndarray, " concept"]:
    """The logarithm of each concept's frequency in the training text; 0 where it is not known."""
    known = dict(data.text.frequency) if data.text is not None else {}
    if not set(states.concepts) <= set(known):
        return np.zeros(len(states.concepts))
    return np.log([known[concept] for concept in states.concepts])


def _kernels(
    states: Float[np.ndarray, "depth concept d_model"], known: np.ndarray
) -> dict[str, list[Kernel]]:
    """Each layer's kernels, in float32: those of all languages are kept side by side."""
    made = {
        "rbf": [rbf_kernel(layer) for layer in states],
        "rbf_regressed": [rbf_kernel(without(layer, known)) for layer in states],
        "linear": [linear_kernel(layer - layer.mean(axis=0)) for layer in states],
    }
    return {name: [each.astype(np.float32) for each in kernels] for name, kernels in made.items()}


def _rows(
    a: dict[str, list[Kernel]], b: dict[str, list[Kernel]], folds: np.ndarray, orders: Permutations
) -> Iterator[dict[str, Any]]:
    """Values with intervals, and with nulls those that need one; by variant and layer."""
    nulls = permuted(*(np.array(own["rbf"] + own["rbf_regressed"]) for own in (a, b)), orders).T
    depth = len(a["rbf"])
    for variant, each in a.items():
        for layer, (one, other) in enumerate(zip(each, b[variant], strict=True)):
            value, low, high = jackknife(one, other, folds)
            row = {"variant": variant, "layer": layer, "value": value, "low": low, "high": high}
            if variant == "linear":
                yield row
                yield {
                    "variant": "linear_biased", "layer": layer, "value": biased(one, other)
                }  # fmt: skip
                continue
            null = Null.of(nulls[layer + depth * (variant == "rbf_regressed")])
            yield row | {"null": null.mean, "null_low": null.low, "null_high": null.high}


MEASURE = CKA()
