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
from jaxtyping import Float

from meanings.measures.companion import Companion, Null, Request, Texts
from meanings.measures.expert_units import Members, memberships
from meanings.measures.word_states import WordStates

HALVES = 5  # random halves of the concepts
CATEGORIES = 5  # at least: the distances of fewer rank in too few ways
RANK = 16  # of the linear map
FOLDS = 5

Prototypes = Float[np.ndarray, "category d_model"]
States = Float[np.ndarray, "concept d_model"]


def standardised(states: States) -> States:
    """States with mean 0 and variance 1 in every direction of one language."""
    return (states - states.mean(axis=0)) / (states.std(axis=0) + 1e-8)


def prototypes(states: States, members: Members) -> Prototypes:
    """The mean state of each category's words."""
    weights = members / np.maximum(members.sum(axis=1, keepdims=True), 1)
    return weights @ states


def distances(points: Prototypes) -> Float[np.ndarray, " pair"]:
    """1 - correlation of every two prototypes."""
    upper = np.triu_indices(len(points), 1)
    return 1 - np.corrcoef(points)[upper]


def rsa(a: Prototypes, b: Prototypes) -> float:
    """Spearman correlation of two sets of distances. Source: Kriegeskorte et al. 2008."""
    from scipy.stats import spearmanr

    return float(spearmanr(distances(a), distances(b)).statistic)


def procrustes_fit(a: Prototypes, b: Prototypes) -> float:
    """1 - the squared distance left after the best shift, scale and rotation, of 0 to 1."""
    from scipy.spatial import procrustes

    return float(1 - procrustes(a, b)[2])


def reduced_rank_map(x: States, y: States, rank: int = RANK) -> Float[np.ndarray, "d d"]:
    """The linear map of a rank that takes x to y with the least squared error (a little ridge)."""
    width = x.shape[1]
    ridge = 1e-2 * len(x)
    weights = np.linalg.solve(x.T @ x + ridge * np.eye(width), x.T @ y)
    _, _, directions = np.linalg.svd(x @ weights, full_matrices=False)
    return weights @ directions[:rank].T @ directions[:rank]


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


class Structure(Companion):
    """Arrangement of categories in two languages, by layer."""

    name = "structure"

    def check(self, settings, lexicon, trajectories):
        """Raises MeaningsError where the lexicon has too few categories."""
        memberships(lexicon, self.name, CATEGORIES)
        return super().check(settings, lexicon, trajectories)

    def rows(self, states: WordStates, data: Texts, request: Request) -> Iterator[dict[str, Any]]:
        """Variants `rsa`, `procrustes`, `nearest`; one language's halves have `language_b` equal to
        `language_a`.
        """
        _, members = memberships(data.lexicon, self.name, CATEGORIES)
        rng = np.random.default_rng([request.seed, 6])
        halves = [split_members(members, rng) for _ in range(HALVES)]
        orders = [rng.permutation(len(members)) for _ in range(request.permutations // HALVES)]
        draws = rng.integers(int(members.any(axis=0).sum()), size=(200, members.any(axis=0).sum()))
        for layer in range(states.depth):
            ready = {
                code: standardised(each[layer].astype(np.float64))
                for code, each in states.hidden.items()
            }
            sides = {
                code: [tuple(prototypes(each, half) for half in both) for both in halves]
                for code, each in ready.items()
            }
            n = int(members.any(axis=0).sum())
            for a, b in [*combinations(states.languages, 2), *((c, c) for c in states.languages)]:
                base = {
                    "layer": layer, "language_a": a, "language_b": b, "split": "all", "n": n
                }  # fmt: skip
                for variant, score in (("rsa", rsa), ("procrustes", procrustes_fit)):
                    yield (
                        base | {"variant": variant} | _of_halves(sides[a], sides[b], score, orders)
                    )
                if a != b:
                    hit = nearest_rate(ready[a], ready[b], members, np.random.default_rng(7))
                    low, high = np.quantile(hit[draws].mean(axis=1), [0.025, 0.975])
                    majority = members.sum(axis=1).max() / n
                    yield base | {
                        "variant": "nearest", "value": float(hit.mean()), "low": float(low),
                        "high": float(high), "null": float(majority),
                    }  # fmt: skip


def _of_halves(a, b, score, orders) -> dict[str, float]:
    """Mean over halves, their range, and the null of exchanged categories."""
    values = [score(x[0], y[1]) for x, y in zip(a, b, strict=True)]
    null = Null.of(np.array([score(a[0][0], b[0][1][order]) for order in orders]))
    return {
        "value": float(np.mean(values)), "low": float(min(values)), "high": float(max(values)),
        "null": null.mean, "null_low": null.low, "null_high": null.high,
    }  # fmt: skip


MEASURE = Structure()
