"""Language identity: how much of a word's state says in which language it is written.

    accuracy     a linear classifier names the language of words whose concepts it has not met
    variance     share of the states' variance between languages, and between concepts
    without      retrieval after the directions that tell languages apart are projected out

Languages with one mean cannot be told apart by any linear classifier (Belrose et al. 2023), so the
directions in which their means differ are all there is to project out. A model may keep the
language legible and share concepts all the same: the two lie in different directions, and only then
does `without` cost retrieval nothing.
Source: probing by standardised multinomial logistic regression, C = 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from jaxtyping import Float

from meanings.measures.base import About
from meanings.measures.companion import Companion, Null, Request, Source, pairs
from meanings.measures.retrieval import csls, hits, unit_rows
from meanings.measures.word_states import WordStates

SPLITS = 3  # random halves of the concepts
ITERATIONS = 200  # of the solver, at most
Stacked = Float[np.ndarray, "language concept d_model"]


def accuracies(
    states: Stacked, seed: int, shuffled: bool = False
) -> Float[np.ndarray, "split language concept"]:
    """Whether each word's language is named, NaN where it was trained on, in random halves of the
    concepts.

    - `shuffled`: languages are dealt out anew among a concept's words, which is the null.

    A dimension in which all words that are learnt from are alike is left out.
    """
    from sklearn.linear_model import LogisticRegression

    n_languages, n_concepts, width = states.shape
    rng = np.random.default_rng([seed, 3])
    labels = np.tile(np.arange(n_languages)[:, None], n_concepts)
    if shuffled:
        labels = rng.permuted(labels, axis=0)
    found = np.full((SPLITS, n_languages, n_concepts), np.nan)
    for split in range(SPLITS):
        train, test = np.array_split(rng.permutation(n_concepts), 2)
        rows = states[:, train].reshape(-1, width)
        mean = rows.mean(axis=0)
        spread = np.where((rows == rows[:1]).all(axis=0), np.inf, rows.std(axis=0) + 1e-8)
        model = LogisticRegression(C=1.0, max_iter=ITERATIONS, tol=1e-3)
        model.fit((rows - mean) / spread, labels[:, train].ravel())
        named = model.predict((states[:, test].reshape(-1, width) - mean) / spread)
        found[split][:, test] = named.reshape(n_languages, -1) == labels[:, test]
    return found


def variance_shares(states: Stacked) -> tuple[float, float]:
    """Share of the variance that lies between the means of languages, and of concepts.

    Sums of squares of a two-way layout with one word per cell; the rest is what neither explains.
    """
    grand = states.mean(axis=(0, 1))
    total = np.square(states - grand).sum()
    if total == 0:
        return 0.0, 0.0
    language = np.square(states.mean(axis=1) - grand).sum() * states.shape[1]
    concept = np.square(states.mean(axis=0) - grand).sum() * states.shape[0]
    return float(language / total), float(concept / total)


def language_directions(states: Stacked) -> Float[np.ndarray, "language d_model"]:
    """The directions in which the means of languages differ."""
    return states.mean(axis=1) - states.mean(axis=(0, 1))


def projected_out(states: Stacked, directions: Float[np.ndarray, "direction d_model"]) -> Stacked:
    """The states without their part in the span of some directions."""
    basis = np.linalg.svd(directions, full_matrices=False)
    kept = basis[2][basis[1] > 1e-6 * basis[1].max()]
    return states - states @ kept.T @ kept


class LanguageIdentity(Companion):
    """How well a linear classifier tells languages, and what is left without it, by layer."""

    name = "language_id"
    about = About(
        paper="arXiv 2506.01629",
        sees="the language of a word can be read off its state",
        blind="whether concepts are shared beside it",
        needs="20 concepts",
        cost="layers x languages x concepts x width x languages",
    )

    def rows(self, states: WordStates, data: Source, request: Request) -> Iterator[dict[str, Any]]:
        """Variants `accuracy`, `variance_language`, `variance_concept`, `with` and `without`."""
        found = list(pairs(states, data.text))
        draws = np.random.default_rng([request.seed, 4]).integers(
            len(states.concepts), size=(200, len(states.concepts))
        )
        for layer in range(states.depth):
            stacked = np.stack([each[layer] for each in states.hidden.values()])
            named = accuracies(stacked, request.seed)
            null = accuracies(stacked, request.seed, shuffled=True)
            for place, code in enumerate(states.languages):
                yield _row(
                    "accuracy", layer, code, "", "all", _mean(named[:, place]), draws
                ) | _null(null[:, place])
            language, concept = variance_shares(stacked)
            for variant, share in (("variance_language", language), ("variance_concept", concept)):
                yield _base(variant, layer, "", "", "all", len(states.concepts)) | {"value": share}
            for variant, each in (
                ("with", stacked),
                ("without", projected_out(stacked, language_directions(stacked))),
            ):
                rows = dict(zip(states.languages, map(unit_rows, each), strict=True))
                for pair in found:
                    scores = hits(csls(rows[pair.a] @ rows[pair.b].T))
                    for split, mask in pair.splits.items():
                        yield _base(variant, layer, pair.a, pair.b, split, int(mask.sum())) | {
                            "value": float(scores[mask].mean())
                        }


def _base(variant: str, layer: int, a: str, b: str, split: str, n: int) -> dict[str, Any]:
    return {
        "variant": variant, "layer": layer, "language_a": a, "language_b": b, "split": split, "n": n
    }  # fmt: skip


def _mean(named: Float[np.ndarray, "split concept"]) -> Float[np.ndarray, " concept"]:
    """How often a concept's word was named rightly, where it was tested; NaN where never."""
    tested = (~np.isnan(named)).sum(axis=0)
    return np.where(tested > 0, np.nansum(named, axis=0) / np.maximum(tested, 1), np.nan)


def _row(
    variant: str, layer: int, a: str, b: str, split: str, scores: np.ndarray, draws: np.ndarray
) -> dict[str, Any]:
    means = np.nanmean(scores[draws], axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    n = int((~np.isnan(scores)).sum())
    value = {"value": float(np.nanmean(scores)), "low": float(low), "high": float(high)}
    return _base(variant, layer, a, b, split, n) | value


def _null(named: Float[np.ndarray, "split concept"]) -> dict[str, float]:
    null = Null.of(np.nanmean(named, axis=1))
    return {"null": null.mean, "null_low": null.low, "null_high": null.high}


MEASURE = LanguageIdentity()
