"""Neuron overlap: whether two languages use the same few dimensions to tell categories apart.

    chosen      the tenth of a state's dimensions that an L1 logistic regression weighs most
    probe       accuracy of a plain regression on these dimensions alone, on held-out concepts
    transfer    the same classifier on the other language's words for held-out concepts
    overlap     |chosen in a and in b| / number chosen

By chance a tenth overlaps, and k dimensions of d that are drawn twice do so within the range of a
hypergeometric law; published overlaps of .040 lie at their chance of .049. `transfer` needs no
overlap and overlap no transfer, so the two stand beside each other.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from meanings.measures.base import About
from meanings.measures.companion import Companion, Request, Source
from meanings.measures.expert_units import Members, memberships
from meanings.measures.structure import standardised
from meanings.measures.word_states import WordStates

SHARE = 0.1  # of the dimensions are chosen
FOLDS = 5
STRENGTH = 0.3  # C of the L1 regression: small enough that most weights are 0

States = Float[np.ndarray, "concept d_model"]


def weights_of(states: States, labels: Int[np.ndarray, " concept"]) -> Float[np.ndarray, " d"]:
    """How much an L1 logistic regression, one category against the rest, weighs each dimension:
    the sum of the weights' sizes.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier

    sparse = LogisticRegression(
        C=STRENGTH, l1_ratio=1, solver="liblinear", max_iter=100, tol=1e-2, random_state=0
    )
    model = OneVsRestClassifier(sparse).fit(states, labels)
    return np.sum([np.abs(each.coef_[0]) for each in model.estimators_], axis=0)


def chosen(weights: Float[np.ndarray, " d"], share: float = SHARE) -> Bool[np.ndarray, " d"]:
    """The dimensions with the largest weights, a share of all."""
    count = max(1, round(share * len(weights)))
    found = np.zeros(len(weights), bool)
    found[np.argsort(-weights, kind="stable")[:count]] = True
    return found


def greedily_chosen(
    states: States, labels: Int[np.ndarray, " concept"], count: int
) -> Bool[np.ndarray, " d"]:
    """The dimensions that forward selection takes, one after another, by the accuracy of a linear
    discriminant on the words it was fitted to: slow, and a check of `chosen`.
    """
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    found = np.zeros(states.shape[1], bool)
    for _ in range(count):
        scores = {
            place: LinearDiscriminantAnalysis()
            .fit(states[:, found | (np.arange(len(found)) == place)], labels)
            .score(states[:, found | (np.arange(len(found)) == place)], labels)
            for place in np.flatnonzero(~found)
        }
        found[max(scores, key=scores.__getitem__)] = True
    return found


def overlap_by_chance(d: int, count: int) -> tuple[float, float, float]:
    """Mean and 95 % range of the overlap of two draws of `count` dimensions of `d`."""
    from scipy.stats import hypergeom

    law = hypergeom(d, count, count)
    low, high = law.ppf([0.025, 0.975])
    return count / d, float(low / count), float(high / count)


def fold_scores(
    states: dict[str, States], labels: Int[np.ndarray, " concept"], rng: np.random.Generator
) -> dict[tuple[str, str], Float[np.ndarray, " concept"]]:
    """Whether each held-out concept's word in b gets its category from a classifier of a."""
    from sklearn.linear_model import LogisticRegression

    n = len(labels)
    found = {(a, b): np.zeros(n) for a in states for b in states}
    for test in np.array_split(rng.permutation(n), FOLDS):
        train = np.setdiff1d(np.arange(n), test)
        for a, own in states.items():
            place = chosen(weights_of(own[train], labels[train]))
            model = LogisticRegression(C=1.0, max_iter=200, tol=1e-3)
            model.fit(own[train][:, place], labels[train])
            for b, other in states.items():
                found[a, b][test] = model.predict(other[test][:, place]) == labels[test]
    return found


class NeuronOverlap(Companion):
    """The dimensions that tell categories apart, in two languages, by layer."""

    name = "neuron_overlap"
    about = About(
        paper="arXiv 2406.13229",
        sees="the same few dimensions tell categories apart in two languages",
        blind="categories spread over many dimensions",
        needs="2 categories of 8 words",
    )

    def fits(self, data: Source) -> None:
        """Raises MeaningsError where the items have too few categories."""
        super().fits(data)
        memberships(data.items, self.name)

    def rows(self, states: WordStates, data: Source, request: Request) -> Iterator[dict[str, Any]]:
        """Variants `probe` (one language), `transfer` (trained in a, tested in b) and `overlap`."""
        members, labels = _categorised(data)
        rng = np.random.default_rng([request.seed, 8])
        draws = rng.integers(len(labels), size=(200, len(labels)))
        majority = float(np.bincount(labels).max() / len(labels))
        for layer in range(states.depth):
            ready = {
                code: standardised(each[layer].astype(np.float64))[members]
                for code, each in states.hidden.items()
            }
            hit = fold_scores(ready, labels, np.random.default_rng([request.seed, 9]))
            for (a, b), scores in hit.items():
                low, high = np.quantile(scores[draws].mean(axis=1), [0.025, 0.975])
                yield {
                    "variant": "probe" if a == b else "transfer", "layer": layer,
                    "language_a": a, "language_b": "" if a == b else b, "split": "all",
                    "value": float(scores.mean()), "low": float(low), "high": float(high),
                    "null": majority, "n": len(labels),
                }  # fmt: skip
            picked = {code: chosen(weights_of(each, labels)) for code, each in ready.items()}
            d, count = len(next(iter(picked.values()))), int(next(iter(picked.values())).sum())
            null, null_low, null_high = overlap_by_chance(d, count)
            for a, b in combinations(states.languages, 2):
                yield {
                    "variant": "overlap", "layer": layer, "language_a": a, "language_b": b,
                    "split": "all", "value": float((picked[a] & picked[b]).sum() / count),
                    "null": null, "null_low": null_low, "null_high": null_high, "n": len(labels),
                }  # fmt: skip


def _categorised(data: Source) -> tuple[Bool[np.ndarray, " concept"], Int[np.ndarray, " member"]]:
    """Which concepts have a category with enough words, and the number of that category."""
    _, members = memberships(data.items, NeuronOverlap.name)
    some: Members = members.any(axis=0)
    return some, members.argmax(axis=0)[some]


MEASURE = NeuronOverlap()
