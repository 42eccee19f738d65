"""How much later an ability comes across languages than inside one: paired onsets.

    inside       onset of the probe that is trained and tested in language b
    across       onset of the probe that is trained in a and tested in b
    later        across - inside, in steps; inf = across never rises, inside does

Both curves are read above their own null, and each has its onset by the book's rule
(`meanings.statistics.onset`): half of the way from the null to its height at the end, and no onset
where it ends less than .05 above the null. Pairs in which the ability never rises inside b say
nothing of a delay, and are counted apart. Means of infinite values say nothing, so pairs are summed
up by their median: it is infinite, `never`, where across does not rise in more than half of them.
Intervals resample languages, and training seeds: a pair counts as often as its two languages were
drawn, multiplied.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float

from meanings.core.errors import MeaningsError
from meanings.statistics.onset import HALF, Rule, crossing

RESAMPLES = 1000
NEVER, LATER, EARLIER, UNDECIDED, NOTHING = "never", "later", "earlier", "undecided", "nothing"


class Names(NamedTuple):
    """Variants of a companion table that hold the two curves."""

    inside: str = "probe"
    across: str = "transfer"


NAMES = Names()


def paired_onsets(companion: pd.DataFrame, names: Names = NAMES, rule: Rule = HALF) -> pd.DataFrame:
    """Onsets of every pair of languages and layer: columns `training_seed`, `layer`, `language_a`,
    `language_b`, `inside`, `across`, `later` (NaN where `inside` has no onset).

    - `companion`: rows of `abilities` or `neuron_overlap`: `variant`, `layer`, `language_a`,
      `language_b`, `value`, `null`, `training_seed`, `step`.

    Raises MeaningsError where a variant is missing or curves have fewer than two steps.
    """
    text = {name: str for name in ("variant", "language_a", "language_b")}
    rows = companion.astype(text)
    rows = rows.assign(excess=rows["value"] - rows["null"].fillna(0.0))
    inside = _onsets(rows, names.inside, ["training_seed", "layer", "language_a"], rule)
    across = _onsets(
        rows, names.across, ["training_seed", "layer", "language_a", "language_b"], rule
    )
    inside = inside.rename(columns={"language_a": "language_b", "onset": "inside"})
    found = across.rename(columns={"onset": "across"}).merge(
        inside, on=["training_seed", "layer", "language_b"]
    )
    found = found[found["language_a"] != found["language_b"]].reset_index(drop=True)
    rises = np.isfinite(found["inside"])
    later = np.subtract(
        found["across"], found["inside"], where=rises, out=np.full(len(found), np.nan)
    )
    return found.assign(later=later)


def _onsets(rows: pd.DataFrame, variant: str, by: list[str], rule: Rule) -> pd.DataFrame:
    chosen = rows[rows["variant"] == variant]
    if chosen.empty:
        raise MeaningsError(
            f"no rows of variant {variant!r}; there are {', '.join(sorted(set(rows['variant'])))}"
            "; choose one of these"
        )
    table = chosen.pivot_table(index=by, columns="step", values="excess", aggfunc="mean")
    if table.shape[1] < 2:
        raise MeaningsError(f"{variant}: curves of one step; an onset needs two or more")
    if table.isna().any(axis=None):
        raise MeaningsError(f"{variant}: not every curve has every step; measure the same steps")
    steps = table.columns.to_numpy(float)
    return table.assign(onset=crossing(table.to_numpy(float), steps, rule)).reset_index()[
        [*by, "onset"]
    ]


def delays(paired: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """The median delay by layer: columns `layer`, `inside`, `across` (medians), `later`, `low`,
    `high` in steps (inf = never), `share_never`, `n_pairs`, `n_left_out` (the ability does not rise
    inside the language), `n_languages`, `n_seeds`, `verdict`.

    The verdict is `later` or `earlier` where the interval excludes 0, `never` where its lower end
    is infinite, `nothing` where no pair has an onset inside, else `undecided`.

    - `paired`: as `paired_onsets` gives it.
    """
    return pd.DataFrame(
        [{"layer": layer, **_delay(rows, seed)} for layer, rows in paired.groupby("layer")]
    )


def _delay(rows: pd.DataFrame, seed: int) -> dict:
    kept = rows[rows["later"].notna()]
    n = {
        "n_pairs": len(kept.drop_duplicates(["language_a", "language_b"])),
        "n_left_out": len(rows) - len(kept),
        "n_languages": len({*rows["language_a"], *rows["language_b"]}),
        "n_seeds": rows["training_seed"].nunique(),
    }
    if kept.empty:
        nan = dict.fromkeys(("inside", "across", "later", "low", "high", "share_never"), np.nan)
        return {**nan, **n, "verdict": NOTHING}
    once = np.ones(len(kept))
    middle = {
        name: float(weighted_median(kept[name].to_numpy(float), once))
        for name in ("inside", "across", "later")
    }
    drawn = np.array([
        weighted_median(kept["later"].to_numpy(float), weights)
        for weights in _weights(rows, kept, np.random.default_rng(seed)) if weights.any()
    ])  # fmt: skip
    low = float(np.quantile(drawn, 0.025, method="lower"))
    high = float(np.quantile(drawn, 0.975, method="higher"))
    return {
        **middle, "low": low, "high": high, "share_never": float(np.isinf(kept["later"]).mean()),
        **n, "verdict": _verdict(low, high),
    }  # fmt: skip


def _verdict(low: float, high: float) -> str:
    if np.isinf(low):
        return NEVER
    return LATER if low > 0 else EARLIER if high < 0 else UNDECIDED


def _weights(rows: pd.DataFrame, kept: pd.DataFrame, rng: np.random.Generator):
    """How often each pair counts in each resample of languages and seeds."""
    languages = sorted({*rows["language_a"], *rows["language_b"]})
    seeds = sorted(set(rows["training_seed"]))
    place = {code: i for i, code in enumerate(languages)}
    a, b = (kept[side].map(place).to_numpy() for side in ("language_a", "language_b"))
    run = kept["training_seed"].map({each: i for i, each in enumerate(seeds)}).to_numpy()
    for _ in range(RESAMPLES):
        times = rng.multinomial(len(languages), np.full(len(languages), 1 / len(languages)))
        of_seed = rng.multinomial(len(seeds), np.full(len(seeds), 1 / len(seeds)))
        yield times[a] * times[b] * of_seed[run]


def weighted_median(values: Float[np.ndarray, " row"], weights: np.ndarray) -> float:
    """The lowest value at which half of the weight is reached; values may be infinite."""
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(np.asarray(weights, float)[order])
    return float(values[order][np.searchsorted(reached, reached[-1] / 2)])
