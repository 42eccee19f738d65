"""Rows of `meaning_in_context` on AM2iCo: words in sentences of two languages, one pair per row.

    auc                    how well the cosine of the two words' states tells pairs of one meaning
                           from others, on dev and on test
    accuracy               on test, with the threshold that is best on dev
    word_only_...          the same of the words alone
    context_only_...       the same of the tokens before the words
    gain                   auc - word_only_auc, pair by pair: what the contexts add to the words

Null: the English contexts are dealt out anew among the pairs. From each state the mean of its
language's dev states of the same kind is subtracted.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from meanings.measures.companion import Null, rng_of
from meanings.measures.discrimination import accuracy, auc, drawn, thresholds
from meanings.measures.word_in_context_data import Am2icoSettings, States, WordsInContext

__all__ = ["Am2icoSettings", "WordsInContext", "word_in_context_rows"]

RESAMPLES = 200
CONDITIONS = {"in_context": "", "word_only": "word_only_", "context_only": "context_only_"}


def word_in_context_rows(states: States, permutations: int, seed: int) -> Iterator[dict[str, Any]]:
    """Rows of every language, by layer; see the module."""
    for code, splits in states.data.am2ico.rows.items():
        same = {split: np.array([row.same for row in rows]) for split, rows in splits.items()}
        n_dev = len(same["dev"])
        read = states.of(code)
        draws = {split: rng_of(code, "en", seed, 32, place) for place, split in enumerate(same)}
        pairs = {
            split: _Pairs(labels, draws[split], permutations) for split, labels in same.items()
        }
        depth = len(read["other"].in_context)
        for layer in range(depth):
            areas: dict[str, dict[str, _Draws]] = {split: {} for split in same}
            for condition, prefix in CONDITIONS.items():
                sides = [
                    _centred(np.asarray(getattr(each, condition)[layer], np.float64), n_dev)
                    for each in read.values()
                ]
                cosines = {
                    "dev": sides[0][:n_dev] @ sides[1][:n_dev].T,
                    "test": sides[0][n_dev:] @ sides[1][n_dev:].T,
                }
                cut = pairs["dev"].threshold(cosines["dev"])
                right = pairs["test"].accuracy(cosines["test"], cut)
                for split, own in areas.items():
                    own[prefix + "auc"] = pairs[split].auc(cosines[split])
                areas["test"][prefix + "accuracy"] = right
            for split, own in areas.items():
                own["gain"] = own["auc"].minus(own["word_only_auc"])
                for variant, found in own.items():
                    yield {
                        "variant": variant, "layer": layer, "language_a": code,
                        "language_b": "en", "split": split, "n": len(same[split]),
                        **found.summary(),
                    }  # fmt: skip


def _centred(
    states: Float[np.ndarray, "context d_model"], n_dev: int
) -> Float[np.ndarray, "context d_model"]:
    """States of length 1, the mean of the first ones, dev, subtracted."""
    shifted = states - states[:n_dev].mean(axis=0)
    norms = np.linalg.norm(shifted, axis=1, keepdims=True)
    return shifted / np.where(norms > 0, norms, 1)


class _Draws(NamedTuple):
    """A value, the same over resampled pairs, and under the null."""

    value: float
    resampled: Float[np.ndarray, " resample"]
    null: Float[np.ndarray, " draw"]

    def minus(self, other: _Draws) -> _Draws:
        """The difference, draw by draw."""
        return _Draws(*(one - two for one, two in zip(self, other, strict=True)))

    def summary(self) -> dict[str, float]:
        """Value, 95 % interval and null."""
        null = Null.of(self.null)
        low, high = np.quantile(self.resampled, [0.025, 0.975])
        return {
            "value": self.value, "low": float(low), "high": float(high),
            "null": null.mean, "null_low": null.low, "null_high": null.high,
        }  # fmt: skip


class _Pairs:
    """Labels of the pairs of a split, with draws of pairs and of English contexts dealt anew."""

    def __init__(
        self, same: Bool[np.ndarray, " pair"], rng: np.random.Generator, permutations: int
    ) -> None:
        self.n = len(same)
        self.same = same.astype(float)[None]
        self.resampled = drawn(np.arange(self.n), rng, RESAMPLES)
        self.orders = [rng.permutation(self.n) for _ in range(permutations)]

    def auc(self, cosines: Float[np.ndarray, "other english"]) -> _Draws:
        """Area under the ROC curve."""

        def of(scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
            return auc(scores, weights * self.same, weights * (1 - self.same))

        return self._draws(cosines, of)

    def threshold(self, cosines: Float[np.ndarray, "other english"]) -> float:
        """The cosine above which most pairs are judged rightly."""
        return float(thresholds(np.diag(cosines), self.same, 1 - self.same)[0])

    def accuracy(self, cosines: Float[np.ndarray, "other english"], cut: float) -> _Draws:
        """Share of pairs judged rightly with a threshold."""

        def of(scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
            cuts = np.full(len(weights), cut)
            return accuracy(scores, weights * self.same, weights * (1 - self.same), cuts)

        return self._draws(cosines, of)

    def _draws(self, cosines: np.ndarray, of: Any) -> _Draws:
        one, own = np.ones((1, self.n)), np.arange(self.n)
        null = np.concatenate([of(cosines[own, order], one) for order in self.orders])
        value = float(of(np.diag(cosines), one)[0])
        return _Draws(value, of(np.diag(cosines), self.resampled), null)
