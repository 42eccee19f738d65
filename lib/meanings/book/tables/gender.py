"""Tables of the chapter Gender."""

from __future__ import annotations

import pandas as pd

from meanings.lexicon.languages import LANGUAGES
from meanings.statistics import gender
from meanings.statistics.resampling import SEED_COLUMN

QUANTITIES = {
    "said": "answers (nats)",
    "signed": "signed (centred)",
    "raw": "in-bias (raw)",
    "centred": "in-bias (centred)",
    "ratio": "in-bias (centred) / null",
}


def by_dose(rows: pd.DataFrame, language: str) -> pd.DataFrame:
    """Each quantity at each dose in one language, with intervals; columns are doses."""
    found = {}
    for variant, name in QUANTITIES.items():
        ratio = variant == "ratio"
        runs = gender.by_dose(rows, "centred" if ratio else variant, normalised=ratio)
        means = gender.over_runs(runs[runs["language_a"] == language], ["dose"])
        found[name] = {
            f"dose {dose:g}": _span(row, 2 if variant in ("said", "ratio") else 3)
            for dose, row in means.iterrows()
        }
    return pd.DataFrame(found).T.rename_axis("quantity")


def _span(row: pd.Series, digits: int = 3) -> str:
    value, low, high = (f"{row[name]:z.{digits}f}" for name in ("value", "low", "high"))
    return f"{value} [{low}, {high}]"


def in_gemma(rows: pd.DataFrame) -> pd.DataFrame:
    """Gemma's languages at its embedding, half of the depth and the last layer."""
    last = int(rows["layer"].max())
    found = []
    for code in dict.fromkeys(rows["language_a"].astype(str)):
        own = rows[rows["language_a"] == code].set_index(["variant", "layer"])
        for layer in (0, last // 2, last):
            raw, centred, forms = (
                own.loc[(variant, layer)] for variant in ("raw", "centred", "forms")
            )
            found.append(
                {
                    "language": LANGUAGES[code].name,
                    "layer": layer,
                    "raw": f"{raw['value']:.3f}",
                    "centred": f"{centred['value']:.3f}",
                    "raw / null": f"{raw['value'] / raw['null']:.2f}",
                    "centred / null": f"{centred['value'] / centred['null']:.2f}",
                    "forms": f"{forms['value']:.3f} (null up to {forms['null_high']:.3f})",
                }
            )
    return pd.DataFrame(found).set_index("language")


def by_language(rows: pd.DataFrame, model: str) -> pd.DataFrame:
    """A model without planted bias at its end: `signed` with its null, means over layers and runs,
    and the number of training runs outside their null.
    """
    runs = gender.over_layers(gender.at_end(gender.of_variant(rows, "signed", (model,))))
    means = gender.over_runs(runs, ["language_a"])
    outside = runs[(runs["value"] > runs["null_high"]) | (runs["value"] < runs["null_low"])]
    counts = outside.groupby("language_a")[SEED_COLUMN].nunique()
    return pd.DataFrame(
        {
            "signed": [_span(row) for _, row in means.iterrows()],
            "null": [f"{r['null_low']:z.3f} to {r['null_high']:z.3f}" for _, r in means.iterrows()],
            "runs outside": [
                f"{counts.get(code, 0)} of {row['n_seeds']:.0f}" for code, row in means.iterrows()
            ],
        },
        index=pd.Index([LANGUAGES[code].name for code in means.index], name="language"),
    )
