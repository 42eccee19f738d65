"""Made-up levels of the long run: a trunk checkpoint lies between two finished models."""

import pandas as pd

from meanings.statistics import longer

MODELS = (
    ("long-run-finished", 30, 0.3),
    ("long-run-finished", 75, 0.7),
    ("long-run-trunk", 67, 0.6),
    ("long-run-trunk", 70, 0.5),
)


def stages() -> pd.DataFrame:
    """As `longer.levels` gives them; the direct score is a tenth higher."""
    return pd.DataFrame(
        {
            "model": model,
            "step": step,
            "tokens": 1000 * step,
            "condition": condition,
            "mean": mean + 0.1 * (condition == "src_unpatched"),
            "low": 0.0,
            "high": 1.0,
        }
        for model, step, mean in MODELS
        for condition in longer.CONDITIONS
    )
