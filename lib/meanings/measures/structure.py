"""Structure: whether categories and relations are arranged alike in two languages.

    prototype       mean state of a category's words, states standardised per language
    rsa             Spearman correlation of the distances between prototypes in two languages
    procrustes      1 - disparity of the prototypes after the best rotation (scipy)
    nearest         share of held-out words of b whose nearest prototype of a, after a linear map
                    learnt on other words, is that of their category
    relation        cosine of the mean difference vectors concept - broader concept

Prototypes are of *disjoint* halves of the concepts in the two languages: with the same concepts on
both sides, shared words alone would make the arrangements alike. A few points in many dimensions
always fit a rotation partly, so every value stands beside categories that were exchanged at random;
`same_language` is the upper level, one language's halves against each other.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from meanings.measures.base import About
from meanings.measures.companion import Companion, Null, Request, Source
from meanings.measures.expert_units import Members, memberships
from meanings.measures.word_states import WordStates

HALVES = 5  # random halves of the concepts
CATEGORIES = 5  # at least: the distances of fewer rank in too few ways
RANK = 16  # of the linear map
FOLDS = 5

Prototypes = Float[np.ndarray, "category d_model"]
States = Float[np.ndarray, "concept d_model"]
Orders = Int[np.ndarray, "draw category"]
Draws = Float[np.ndarray, " draw"]


def standardised(states: States) -> States:
    """States with mean 0 and variance 1 in every direction of one language; one in which all words
    are alike is 0.
    """
    spread = np.where((states == states[:1]).all(axis=0), np.inf, states.std(axis=0) + 1e-8)
    return (states - states.mean(axis=0)) / spread


def prototypes(states: States, members: Members) -> Prototypes:
    """The mean state of each category's words."""
    weights = members / np.maximum(members.sum(axis=1, keepdims=True), 1)
    return weights @ states


def distances(points: Prototypes) -> Float[np.ndarray, " pair"]:
    """1 - correlation of every two prototypes."""
    upper = np.triu_indices(len(points), 1)
    return 1 - np.corrcoef(points)[upper]


def ranked(points: Prototypes) -> Float[np.ndarray, "category category"]:
    """Ranks of the distances of every two prototypes, centred and of length 1 over the pairs."""
    from scipy.stats import rankdata

    upper = np.triu_indices(len(points), 1)
    ranks = rankdata(distances(points))
    ranks = ranks - ranks.mean()
    square = np.zeros((len(points), len(points)))
    square[upper] = ranks / max(np.linalg.norm(ranks), 1e-12)
    return square + square.T


def rsa(a: Float[np.ndarray, "c c"], b: Float[np.ndarray, "c c"], orders: Orders) -> Draws:
    """Spearman correlation of two sets of distances, with the categories of b in each order.

    - `a`, `b`: as `ranked` gives them. Source: Kriegeskorte et al. 2008.
    """
    exchanged = b[orders[:, :, None], orders[:, None, :]]
    return (a * exchanged).sum(axis=(1, 2)) / 2


def shape(points: Prototypes) -> Float[np.ndarray, "category category"]:
    """The square root of the points' inner products, after shift and scale are taken off."""
    centred = points - points.mean(axis=0)
    centred = centred / max(np.linalg.norm(centred), 1e-12)
    values, vectors = np.linalg.eigh(centred @ centred.T)
    return (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T


def procrustes_fit(
    a: Float[np.ndarray, "c c"], b: Float[np.ndarray, "c c"], orders: Orders
) -> Draws:
    """1 - the squared distance left after the best shift, scale and rotation, of 0 to 1, with the
    categories of b in each order.

    It is the square of the nuclear norm of A'B, which is that of the square roots of AA' and BB'.

    - `a`, `b`: as `shape` gives them.
    """
    products = a @ b[orders[:, :, None], orders[:, None, :]]
    return np.linalg.svd(products, compute_uv=False).sum(axis=1) ** 2


def reduced_rank_map(x: States, y: States, rank: int = RANK) -> Float[np.ndarray, "d d"]:
    """The linear map of a rank that takes x to y with the least squared error (a little ridge)."""
    width = x.shape[1]
    ridge = 1e-2 * len(x)
    weights = np.linalg.solve(x.T @ x + ridge * np.eye(width), x.T @ y)
    fitted = x @ weights
    _, directions = np.linalg.eigh(fitted.T @ fitted)  # in rising order
    kept = directions[:, -rank:]
    return weights @ kept @ kept.T


def nearest_rate(a: States, b: States, members: Members, rng: np.random.Generator) -> np.ndarray:
    """Whether each categorised concept's word in b, mapped to a, is nearest to its category's
    prototype there; map and prototypes are learnt on other concepts.
    """
    concepts = np.flatnonzero(members.any(axis=0))
    label = members.argmax(axis=0)
    found = np.zeros(len(concepts))
    for fold in np.array_split(rng.permutation(len(concepts)), FOLDS):
        test = concepts[fold]
        train = np.setdiff1d(concepts, test)
        points = prototypes(a[train], members[:, train])
        mapped = b[test] @ reduced_rank_map(b[train], a[train])
        gaps = np.square(mapped[:, None] - points).sum(axis=-1)
        found[fold] = gaps.argmin(axis=1) == label[test]
    return found


def split_members(members: Members, rng: np.random.Generator) -> tuple[Members, Members]:
    """The categories on two halves of the concepts that share none; each category is halved."""
    one = np.zeros_like(members)
    for place, each in enumerate(members):
        own = rng.permutation(np.flatnonzero(each))
        one[place, own[: len(own) // 2]] = True
    return one, members & ~one


# How prototypes are brought into a form that two languages can be compared by, and the comparison.
ARRANGED = {"rsa": (ranked, rsa), "procrustes": (shape, procrustes_fit)}


class Structure(Companion):
    """Arrangement of categories in two languages, by layer."""

    name = "structure"
    about = About(
        paper="arXiv 2310.12794",
        sees="categories are arranged alike in two languages",
        blind="single words",
        needs="5 categories of 8 words",
        cost="pairs of languages x layers x permutations x categories cubed",
    )

    def fits(self, data: Source) -> None:
        """Raises MeaningsError where the items have too few categories."""
        super().fits(data)
        memberships(data.items, self.name, CATEGORIES)

    def rows(self, states: WordStates, data: Source, request: Request) -> Iterator[dict[str, Any]]:
        """Variants `rsa`, `procrustes`, `nearest`; one language's halves have `language_b` equal to
        `language_a`.
        """
        _, members = memberships(data.items, self.name, CATEGORIES)
        rng = np.random.default_rng([request.seed, 6])
        halves = [split_members(members, rng) for _ in range(HALVES)]
        same = np.arange(len(members))
        orders = np.array([same, *(rng.permutation(same) for _ in range(request.permutations))])
        n = int(members.any(axis=0).sum())
        draws = rng.integers(n, size=(200, n))
        majority = float(members.sum(axis=1).max() / n)
        for layer in range(states.depth):
            ready = {
                code: standardised(each[layer].astype(np.float64))
                for code, each in states.hidden.items()
            }
            for variant, form, score in (
                ("rsa", ranked, rsa),
                ("procrustes", shape, procrustes_fit),
            ):
                sides = {
                    code: [tuple(form(prototypes(each, half)) for half in both) for both in halves]
                    for code, each in ready.items()
                }
                for a, b in _language_pairs(states):
                    yield {
                        "variant": variant, "layer": layer, "language_a": a, "language_b": b,
                        "split": "all", "n": n, **_of_halves(sides[a], sides[b], score, orders),
                    }  # fmt: skip
            for a, b in combinations(states.languages, 2) if data.paired else ():
                hit = nearest_rate(ready[a], ready[b], members, np.random.default_rng(7))
                low, high = np.quantile(hit[draws].mean(axis=1), [0.025, 0.975])
                yield {
                    "variant": "nearest", "layer": layer, "language_a": a, "language_b": b,
                    "split": "all", "n": n, "value": float(hit.mean()), "low": float(low),
                    "high": float(high), "null": majority,
                }  # fmt: skip


def _language_pairs(states: WordStates) -> list[tuple[str, str]]:
    """Every two languages, and every language with itself: the upper level."""
    return [*combinations(states.languages, 2), *((code, code) for code in states.languages)]


def _of_halves(a, b, score, orders: Orders) -> dict[str, float]:
    """Mean over halves, their range, and the null of exchanged categories."""
    draws = [score(one[0], other[1], orders) for one, other in zip(a, b, strict=True)]
    values = [float(each[0]) for each in draws]
    null = Null.of(np.mean([each[1:] for each in draws], axis=0))
    return {
        "value": float(np.mean(values)), "low": min(values), "high": max(values),
        "null": null.mean, "null_low": null.low, "null_high": null.high,
    }  # fmt: skip


MEASURE = Structure()
