"""Retrieval: whether a word's translation is its nearest neighbour in the other language.

    x' = x - mean of the language's words          (what all words of a language share is taken off)
    cos(x', y')                                    (`centred`)
    CSLS(x', y') = 2 cos(x', y') - r(x') - r(y')   (r: mean cosine of the 10 nearest neighbours)
    P@1 = share of concepts whose own word is the nearest, both ways

`raw` keeps the mean, as much published code does: in a narrow space every word then seems close to
every other. `separation` says how far the cosine of a pair lies above that of a random pair, in
standard deviations of random pairs. All concepts of a language are candidates, whatever the split.
Source: Conneau et al. 2018 (CSLS).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from jaxtyping import Float

from meanings.measures.base import About
from meanings.measures.companion import Companion, Null, Request, Source, pairs, rng_of
from meanings.measures.word_states import WordStates

NEIGHBOURS = 10
RESAMPLES = 200
Similarity = Float[np.ndarray, "concept concept"]


def unit_rows(
    states: Float[np.ndarray, "concept d_model"], centre: bool = True
) -> Float[np.ndarray, "concept d_model"]:
    """States of length 1, with the language's mean taken off first."""
    shifted = states - states.mean(axis=0) if centre else states
    norms = np.linalg.norm(shifted, axis=1, keepdims=True)
    return shifted / np.where(norms > 0, norms, 1)


def csls(cosines: Similarity, neighbours: int = NEIGHBOURS) -> Similarity:
    """2 cos(x, y) - r(x) - r(y): a word that is near to everything is a neighbour of nothing."""
    k = min(neighbours, len(cosines))
    of_rows = -np.partition(-cosines, k - 1, axis=1)[:, :k].mean(axis=1)
    of_columns = -np.partition(-cosines, k - 1, axis=0)[:k].mean(axis=0)
    return 2 * cosines - of_rows[:, None] - of_columns


def hits(similarity: Similarity) -> Float[np.ndarray, " concept"]:
    """How often a concept's own word is the nearest, over both directions: 0, .5 or 1."""
    own = np.arange(len(similarity))
    return ((similarity.argmax(axis=1) == own) * 0.5) + ((similarity.argmax(axis=0) == own) * 0.5)


def separation(cosines: Similarity) -> Float[np.ndarray, " concept"]:
    """Each pair's cosine above the mean of random pairs, in their standard deviations."""
    others = cosines[~np.eye(len(cosines), dtype=bool)]
    return (np.diag(cosines) - others.mean()) / max(others.std(), 1e-12)


class Retrieval(Companion):
    """Nearest neighbours between two languages' words, by layer."""

    name = "retrieval"
    about = About(
        paper="arXiv 1710.04087",
        sees="a word and its translation lie at one place, up to a shift",
        blind="whether the model uses that",
        needs="20 concepts",
        cost="pairs of languages x layers x concepts squared x width",
    )

    def rows(self, states: WordStates, data: Source, request: Request) -> Iterator[dict[str, Any]]:
        """Variants `csls`, `centred`, `raw` (P@1) and `separation`; see the module."""
        rng = np.random.default_rng([request.seed, 2])
        found = list(pairs(states, data.text))
        draws = {
            (pair.a, pair.b, split): rng_of(pair.a, pair.b, request.seed, 2).integers(
                mask.sum(), size=(RESAMPLES, mask.sum())
            )
            for pair in found
            for split, mask in pair.splits.items()
        }
        orders = [rng.permutation(len(states.concepts)) for _ in range(request.permutations)]
        for layer in range(states.depth):
            rows = {
                (code, centre): unit_rows(each[layer], centre)
                for code, each in states.hidden.items()
                for centre in (True, False)
            }
            for pair in found:
                cosines = rows[pair.a, True] @ rows[pair.b, True].T
                similarities = {
                    "csls": csls(cosines),
                    "centred": cosines,
                    "raw": rows[pair.a, False] @ rows[pair.b, False].T,
                }
                scores = {name: hits(each) for name, each in similarities.items()}
                nulls = {name: _by_chance(each, orders) for name, each in similarities.items()}
                scores["separation"] = separation(cosines)
                for variant, each in scores.items():
                    for split, mask in pair.splits.items():
                        yield {
                            "variant": variant, "layer": layer, "language_a": pair.a,
                            "language_b": pair.b, "split": split, "n": int(mask.sum()),
                            **_summary(each[mask], draws[pair.a, pair.b, split]),
                            **_null(nulls.get(variant), mask),
                        }  # fmt: skip


def _by_chance(
    similarity: Similarity, orders: list[np.ndarray]
) -> Float[np.ndarray, "draw concept"]:
    """Hits of the nearest neighbours found, had the words of the second language been others'."""
    forth, back = similarity.argmax(axis=1), similarity.argmax(axis=0)
    return np.array(
        [
            ((forth == order) * 0.5) + ((back[order] == np.arange(len(order))) * 0.5)
            for order in orders
        ]
    )


def _null(by_chance: np.ndarray | None, mask: np.ndarray) -> dict[str, float]:
    if by_chance is None:
        return {}
    null = Null.of(by_chance[:, mask].mean(axis=1))
    return {"null": null.mean, "null_low": null.low, "null_high": null.high}


def _summary(scores: np.ndarray, draws: np.ndarray) -> dict[str, float]:
    """Mean over concepts, and its 95 % interval over resampled concepts."""
    low, high = np.quantile(scores[draws].mean(axis=1), [0.025, 0.975])
    return {"value": float(scores.mean()), "low": float(low), "high": float(high)}


MEASURE = Retrieval()
