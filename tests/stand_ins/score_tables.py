"""Tables of scores whose truth is known, for claims and permutations."""

import numpy as np
import pandas as pd

CONCEPTS, LAYERS = 40, 3


def cells(effect: float = 0.0, seed: int = 0, conditions=("seen", "null_concept")) -> pd.DataFrame:
    """P(source) of skewed concepts by condition and layer; `effect` is what the first condition has
    more of.
    """
    random = np.random.default_rng(seed)
    concept = random.beta(1, 2, CONCEPTS)
    rows = []
    for name in conditions:
        for layer in range(LAYERS):
            noise = random.normal(0, 0.1, CONCEPTS)
            p = concept + noise + (effect if name == conditions[0] else 0)
            rows.append(
                pd.DataFrame(
                    {
                        "condition": name,
                        "first_layer": layer,
                        "training_seed": 0,
                        "source_concept": [f"c{i}" for i in range(CONCEPTS)],
                        "p_source": p,
                    }
                )
            )
    return pd.concat(rows, ignore_index=True)


def matrix(
    depends: float = 0.0, seed: int = 0, codes=("fr", "de", "es", "pl", "fi")
) -> pd.DataFrame:
    """P(source) by input and output language; `depends` is how much output languages differ."""
    random = np.random.default_rng(seed)
    concept = random.beta(1, 2, CONCEPTS)
    rows = [
        {
            "input": x,
            "output": y,
            "training_seed": 0,
            "source_concept": f"c{i}",
            "p_source": concept[i] + depends * codes.index(y) + random.normal(0, 0.05),
        }
        for x in codes
        for y in codes
        if x != y
        for i in range(CONCEPTS)
    ]
    return pd.DataFrame(rows)
