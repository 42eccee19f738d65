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

STEPS = 200  # towards the weights of all concepts
STEPS_ON = 60  # from there to those of a fold

Weights = Float[np.ndarray, "language fold column category"]
States = Float[np.ndarray, "concept d_model"]


def sparse_weights(
    states: Float[np.ndarray, "language concept d_model"],
    labels: Int[np.ndarray, " concept"],
    inside: Float[np.ndarray, "fold concept"],
    start: Float[np.ndarray, "language 1 column category"] | None = None,
    steps: int = STEPS,
) -> Weights:
    """Weights of L1 logistic regressions, one category against the rest, and last the constant.

        |w|_1 + C Σ log(1 + exp(-y w·x))     y: 1 in the category, -1 elsewhere; over the fold

    All languages, folds and categories take the same steps together (FISTA, Beck and Teboulle
    2009), which is several times as fast as one fit after the other.

    - `inside`: 1 where a concept is in the fold; `start`: weights of one fold from which all begin,
      0 without them.
    """
    n_languages, n, d = states.shape
    x = np.concatenate([states, np.ones((n_languages, n, 1))], axis=2).astype(np.float32)
    across = np.ascontiguousarray(x.transpose(0, 2, 1))
    signs = np.where(labels[:, None] == np.arange(labels.max() + 1), 1, -1).astype(np.float32)
    folds, categories = len(inside), signs.shape[1]
    wide = np.tile(signs, folds)
    pull = STRENGTH * wide * np.repeat(inside.T, categories, axis=1).astype(np.float32)
    shrink = 4 / STRENGTH / np.linalg.eigvalsh(across @ x)[:, -1, None, None]
    weights = np.zeros((n_languages, d + 1, folds * categories), np.float32)
    if start is not None:
        weights += np.tile(start[:, 0], folds)
    ahead, pace = weights, 1.0
    for _ in range(steps):
        slope = across @ (pull / (1 + np.exp(wide * (x @ ahead))))
        moved = ahead + shrink * slope
        moved -= np.clip(moved, -shrink, shrink)
        faster = (1 + np.sqrt(1 + 4 * pace**2)) / 2
        ahead = moved + np.float32((pace - 1) / faster) * (moved - weights)
        weights, pace = moved, faster
    return weights.reshape(n_languages, d + 1, folds, categories).transpose(0, 2, 1, 3)


def weighed(weights: Weights) -> Float[np.ndarray, "language fold d"]:
    """How much each dimension is weighed: the sum over categories of the weights' sizes."""
    return np.abs(weights[:, :, :-1]).sum(axis=-1)


def chosen(weights: Float[np.ndarray, " d"], share: float = SHARE) -> Bool[np.ndarray, " d"]:
    """The dimensions with the largest weights, a share of all. One in which all words are alike has
    no weight, so it is not chosen before any that has some.
    """
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
    states: dict[str, States],
    labels: Int[np.ndarray, " concept"],
    rng: np.random.Generator,
    whole: Weights | None = None,
) -> dict[tuple[str, str], Float[np.ndarray, " concept"]]:
    """Whether each held-out concept's word in b gets its category from a classifier of a.

    - `whole`: `sparse_weights` of all concepts, to begin from.
    """
    from sklearn.linear_model import LogisticRegression

    n, stacked = len(labels), np.stack(list(states.values()))
    tests = np.array_split(rng.permutation(n), FOLDS)
    inside = np.array([~np.isin(np.arange(n), test) for test in tests])
    start, steps = (None, STEPS) if whole is None else (whole, STEPS_ON)
    weights = weighed(sparse_weights(stacked, labels, inside.astype(float), start, steps))
    found = {(a, b): np.zeros(n) for a in states for b in states}
    for fold, test in enumerate(tests):
        train = inside[fold]
        for language, (a, own) in enumerate(states.items()):
            place = chosen(weights[language, fold])
            model = LogisticRegression(C=1.0, max_iter=200, tol=1e-3)
            model.fit(own[train][:, place], labels[train])
            words = stacked[:, test][:, :, place].reshape(-1, place.sum())
            right = model.predict(words).reshape(len(states), -1) == labels[test]
            for b, each in zip(states, right, strict=True):
                found[a, b][test] = each
    return found


class NeuronOverlap(Companion):
    """The dimensions that tell categories apart, in two languages, by layer."""

    name = "neuron_overlap"
    about = About(
        paper="arXiv 2406.13229",
        sees="the same few dimensions tell categories apart in two languages",
        blind="categories spread over many dimensions",
        needs="2 categories of 8 words",
        cost="languages x layers x concepts x width x categories",
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
            whole = sparse_weights(
                np.stack(list(ready.values())), labels, np.ones((1, len(labels)))
            )
            hit = fold_scores(ready, labels, np.random.default_rng([request.seed, 9]), whole)
            for (a, b), scores in hit.items():
                low, high = np.quantile(scores[draws].mean(axis=1), [0.025, 0.975])
                yield {
                    "variant": "probe" if a == b else "transfer", "layer": layer,
                    "language_a": a, "language_b": "" if a == b else b, "split": "all",
                    "value": float(scores.mean()), "low": float(low), "high": float(high),
                    "null": majority, "n": len(labels),
                }  # fmt: skip
            picked = dict(zip(ready, map(chosen, weighed(whole)[:, 0]), strict=True))
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
