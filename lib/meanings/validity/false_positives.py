"""How often the book's claims are made where there is nothing to claim: labels permuted at analysis
time, the same rules applied.

    false positives of a claim = share of permutations in which its rule makes it
    nominal                    = the share that the rule promises not to exceed

A claim that two labels differ is tested by exchanging them within a random half of the concepts
(the unit of every interval), in all layers, checkpoints, pairs and training runs alike: afterwards
neither label has more of anything. What is permuted is written beside each claim. The measured
probabilities stay as they are, with the noise, skew and dependence that they have; only their
labels are drawn again.

`meanings validity false-positives` writes data/published/false_positives.csv.
"""

import pandas as pd
from tqdm import tqdm

from meanings.validity.book_claims import all_tests
from meanings.validity.permutation_test import false_positives


def table(n: int = 1000, seed: int = 0, progress: bool = False) -> pd.DataFrame:
    """False positives of every claim: a row per claim and rule, the columns of `PermutationTest`,
    and those of `false_positives`.
    """
    return pd.DataFrame(
        [false_positives(test, n, seed) for test in tqdm(all_tests(), disable=not progress)]
    )
