"""The gender measure by dose, language and layer: means over layers and over training runs.

Rows are those of `meanings.measures.gender`. A mean over layers or training runs has the mean of
their interval ends: they share the occupations, so their errors do not average out, and this is
conservative for what occupations were drawn. Training runs stand beside it one by one.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd

from meanings.core.errors import MeaningsError
from meanings.statistics.resampling import SEED_COLUMN

DOSES = {"planted-0": 0.0, "planted-10": 0.1, "planted-50": 0.5}  # by world
PLANTED = "en"  # the language whose lines have the bias
NUMBERS = ["value", "low", "high", "null", "null_low", "null_high"]
ANSWER = -1  # the layer of what is read off an answer


def of_variant(rows: pd.DataFrame, variant: str, models: Collection[str]) -> pd.DataFrame:
    """Rows of one variant and some models, above the embedding where it has layers.

    Raises MeaningsError where there are none.
    """
    chosen = rows[rows["variant"].astype(str).eq(variant) & rows["model"].isin(models)]
    chosen = chosen[chosen["layer"] != 0].astype({"model": str, "language_a": str})
    if chosen.empty:
        raise MeaningsError(
            f"no rows of {variant!r} of {', '.join(sorted(models))}; measure and publish them"
        )
    return chosen


def at_end(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of each model's and run's last step."""
    last = rows.groupby(["model", SEED_COLUMN])["step"].transform("max")
    return rows[rows["step"] == last]


def relative(rows: pd.DataFrame) -> pd.DataFrame:
    """Values, interval ends and the null's range over the null's mean."""
    return rows.assign(**{name: rows[name] / rows["null"] for name in NUMBERS})


def over_layers(rows: pd.DataFrame) -> pd.DataFrame:
    """Means over layers: a row per model, training run, step and language."""
    keys = ["model", SEED_COLUMN, "step", "tokens", "language_a"]
    return rows.groupby(keys, observed=True)[[*NUMBERS, "n"]].mean().reset_index()


def over_runs(rows: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Means over training runs, and their number `n_seeds`."""
    found = rows.groupby(list(by), observed=True)
    return found[[*NUMBERS, "n"]].mean().join(found[SEED_COLUMN].nunique().rename("n_seeds"))


def by_dose(rows: pd.DataFrame, variant: str, normalised: bool = False) -> pd.DataFrame:
    """Each training run of the planted worlds at its end: `dose`, `language_a`, the training seed
    and the numbers, means over layers.

    - `normalised`: as multiples of the null's mean.
    """
    chosen = at_end(of_variant(rows, variant, DOSES))
    found = over_layers(relative(chosen) if normalised else chosen)
    return found.assign(dose=found["model"].map(DOSES))


def differences(
    runs: pd.DataFrame, dose: float, languages: Collection[str]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean over languages at a dose minus at dose 0, in each training run that has both: values,
    lower and upper ends.

    The half widths of the two sides are combined as those of independent estimates: they are
    trained apart.
    """
    one, base = (
        runs[runs["dose"].eq(level) & runs["language_a"].isin(languages)]
        .groupby(SEED_COLUMN)[["value", "low", "high"]]
        .mean()
        for level in (dose, 0.0)
    )
    both = one.index.intersection(base.index)
    if not len(both):
        raise MeaningsError(
            f"no training run of dose {dose:g} has one of dose 0 beside it"
            "; train and measure it with 'meanings miniature worlds'"
        )
    one, base = one.loc[both], base.loc[both]
    value = (one["value"] - base["value"]).to_numpy()
    down = np.hypot(one["value"] - one["low"], base["high"] - base["value"])
    up = np.hypot(one["high"] - one["value"], base["value"] - base["low"])
    return value, value - down.to_numpy(), value + up.to_numpy()
