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

from meanings.measures.base import About
from meanings.measures.companion import Companion, Null, Pair, Request, Source, pairs
from meanings.measures.word_states import WordStates

FOLDS = 10  # of the jackknife
MOST = 256  # concepts of a set that enter: the cost grows with their square
Kernel = Float[np.ndarray, "concept concept"]
Permutations = Int[np.ndarray, "draw concept"]


def rbf_kernel(states: Float[np.ndarray, "concept d_model"]) -> Kernel:
    """exp(-D² / 2σ²), σ² being the median squared distance of two different words.

    Raises ValueError where all words have one state.
    """
    squares = np.einsum("ij,ij->i", states, states, dtype=np.float64)
    products = states.astype(np.float64) @ states.T.astype(np.float64)
    distances = np.maximum(squares[:, None] + squares - 2 * products, 0)
    scale = np.median(distances[np.triu_indices(len(states), 1)])
    if scale <= 0:
        raise ValueError("the states of all words are the same")
    return np.exp(-distances / (2 * scale))


def linear_kernel(states: Float[np.ndarray, "concept d_model"]) -> Kernel:
    """The words' inner products, as float64."""
    return states.astype(np.float64) @ states.T.astype(np.float64)


def u_centred(kernel: Kernel) -> Kernel:
    """The kernel with a zero diagonal, whose rows and columns sum to 0.

    Source: Song et al. 2012, in the form of Székely and Rizzo 2014.
    """
    n = len(kernel)
    bare = kernel - np.diag(np.diag(kernel))
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
    a, b = (kernel - np.diag(np.diag(kernel)) for kernel in (a, b))
    n = inside.sum(axis=1)
    rows_a, rows_b = (inside @ kernel * inside for kernel in (a, b))
    both = (inside @ (a * b) * inside).sum(axis=1)
    crossed = (rows_a * rows_b).sum(axis=1)
    sums = rows_a.sum(axis=1) * rows_b.sum(axis=1)
    return both - 2 * crossed / (n - 2) + sums / ((n - 1) * (n - 2))


def unbiased(
    a: Kernel, b: Kernel, inside: Float[np.ndarray, "subset concept"]
) -> Float[np.ndarray, " subset"]:
    """Unbiased CKA of two kernels in subsets of the concepts; 0 where a kernel has no structure."""
    norms = inner(a, a, inside) * inner(b, b, inside)
    there = norms > 0
    return np.where(there, inner(a, b, inside) / np.sqrt(np.where(there, norms, 1)), 0.0)


def biased(a: Kernel, b: Kernel) -> float:
    """The biased CKA of two kernels: both are centred, and their diagonals stay."""
    a, b = (k - k.mean(axis=0) - k.mean(axis=0)[:, None] + k.mean() for k in (a, b))
    norms = np.vdot(a, a) * np.vdot(b, b)
    return float(np.vdot(a, b) / np.sqrt(norms)) if norms > 0 else 0.0


def permuted(a: Kernel, b: Kernel, draws: Permutations) -> Float[np.ndarray, " draw"]:
    """Unbiased CKA of two kernels with the words of the second in other orders."""
    a, b = u_centred(a), u_centred(b)
    norms = np.sqrt(np.vdot(a, a) * np.vdot(b, b))
    one, other = a.astype(np.float32), b.astype(np.float32)
    sums = [np.vdot(one, other[order][:, order]) for order in draws]
    return np.array(sums, dtype=np.float64) / norms if norms > 0 else np.zeros(len(draws))


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
    )

    def rows(self, states: WordStates, data: Source, request: Request) -> Iterator[dict[str, Any]]:
        """Variants `rbf`, `rbf_regressed`, `linear` and `linear_biased`; see the module."""
        rng = np.random.default_rng([request.seed, 1])
        folds = rng.permutation(len(states.concepts)) % FOLDS
        frequency = log_frequency(states, data)
        tokens = {code: states.tokens(code) for code in states.languages}
        found = [_thinned(pair, rng) for pair in pairs(states, data.text)]
        draws = {
            (pair.a, pair.b, split): orders_within(
                cells_of(tokens[pair.b][mask], frequency[mask]), request.permutations, rng
            )
            for pair in found
            for split, mask in pair.splits.items()
        }
        for layer in range(states.depth):
            kernels = {
                code: _kernels(each[layer], np.column_stack([tokens[code], frequency]))
                for code, each in states.hidden.items()
            }
            for pair in found:
                for split, mask in pair.splits.items():
                    place = np.ix_(mask, mask)
                    for variant, a in kernels[pair.a].items():
                        b = kernels[pair.b][variant]
                        orders = draws[pair.a, pair.b, split]
                        values = _row(variant, a[place], b[place], folds[mask], orders)
                        yield {
                            "variant": variant, "layer": layer, "language_a": pair.a,
                            "language_b": pair.b, "split": split, "n": int(mask.sum()), **values,
                        }  # fmt: skip


def _thinned(pair: Pair, rng: np.random.Generator) -> Pair:
    """The pair with at most `MOST` concepts in each set."""
    order = rng.permutation(len(next(iter(pair.splits.values()))))
    splits = {}
    for name, mask in pair.splits.items():
        chosen = [place for place in order if mask[place]][:MOST]
        splits[name] = np.isin(np.arange(len(mask)), chosen)
    return pair._replace(splits=splits)


def log_frequency(states: WordStates, data: Source) -> Float[np.ndarray, " concept"]:
    """The logarithm of each concept's frequency in the training text; 0 where it is not known."""
    known = dict(data.text.frequency) if data.text is not None else {}
    if not set(states.concepts) <= set(known):
        return np.zeros(len(states.concepts))
    return np.log([known[concept] for concept in states.concepts])


def _kernels(states: np.ndarray, known: np.ndarray) -> dict[str, Kernel]:
    linear = linear_kernel(states)
    return {
        "rbf": rbf_kernel(states),
        "rbf_regressed": rbf_kernel(without(states, known)),
        "linear": linear,
        "linear_biased": linear,
    }


def _row(
    variant: str, a: Kernel, b: Kernel, folds: np.ndarray, orders: Permutations
) -> dict[str, float]:
    """The value with its interval and its null; the twins of `rbf` have no null of their own."""
    if variant == "linear_biased":
        return {"value": biased(a, b)}
    value, low, high = jackknife(a, b, folds)
    found = {"value": value, "low": low, "high": high}
    if variant in ("rbf", "rbf_regressed"):
        null = Null.of(permuted(a, b, orders))
        found |= {"null": null.mean, "null_low": null.low, "null_high": null.high}
    return found


MEASURE = CKA()
