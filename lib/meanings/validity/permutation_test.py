"""A claim of the book under permuted labels, and how often its rule still makes it."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest

from meanings.validity.permuted_claims import Outcomes


@dataclass(frozen=True)
class PermutationTest:
    """A claim of the book, what is permuted, and the rule that may still make the claim.

    - `chapter`: where it is made; `rule`: in short; `version`: `now`, `before` (a rule the book had
      and gave up), `spared` (one it never had), or `shown` (no claim of the book: what choosing a
      layer does by itself).
    - `nominal`: the share of false claims that the rule promises.
    - `outcomes`: what the rule says of each permutation.
    - `most`: permutations at most, for rules that take a fit for each.
    """

    claim: str
    chapter: str
    shuffled: str
    rule: str
    version: str
    nominal: float
    outcomes: Outcomes
    most: int = 10_000


def false_positives(test: PermutationTest, n: int, seed: int = 0) -> dict:
    """Over `n` permutations (or the test's most): `rate` with its Wilson interval `low`, `high`,
    and `mean`, the mean of the number that the claim is made of.
    """
    n = min(n, test.most)
    randoms = [np.random.Generator(np.random.PCG64([seed, i])) for i in range(n)]
    # In parts, so that the resamples of many permutations do not fill the memory.
    parts = [test.outcomes(randoms[start : start + 200]) for start in range(0, n, 200)]
    made, numbers = (np.concatenate(each) for each in zip(*parts, strict=True))
    count = int(np.sum(made))
    low, high = binomtest(count, n).proportion_ci(method="wilson")
    fields = ("claim", "chapter", "shuffled", "rule", "version", "nominal")
    return {name: getattr(test, name) for name in fields} | {
        "rate": count / n,
        "low": max(0.0, float(low)),
        "high": float(high),
        "shuffles": n,
        "mean": float(np.mean(numbers)),
    }
