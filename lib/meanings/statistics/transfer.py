"""Does a measure go with transfer, over pairs of languages *within* a checkpoint?

    rho(s)   Spearman correlation over pairs of languages at checkpoint s
    within   mean of rho(s) over the checkpoints at which the measure varies between pairs
    pooled   Spearman over the pairs of all checkpoints together

`pooled` is no evidence: it correlates whatever rises in training. The training step itself, which
knows nothing of a pair, is put beside the measures to show it: its `pooled` is high, and it has no
`within`.

Pairs that have a language in common are not independent, so intervals resample languages: a pair
counts as often as its two languages were drawn, multiplied. The null deals the languages out anew
in one of the two matrices (Mantel's test).
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float, Int, Shaped

from meanings.core.errors import MeaningsError

RESAMPLES = 1000
PERMUTATIONS = 1000
FEWEST = 6  # pairs of a checkpoint
STEP = "training step"
WHOLE = ("all", "never", "taught", "held_out")  # sets of concepts that cover a pair together
PLACE = ["training_seed", "step"]
PAIR = ["a", "b"]


def pair_values(companion: pd.DataFrame, variant: str, layer: int) -> pd.DataFrame:
    """One value per checkpoint and unordered pair of languages: `training_seed`, `step`, `a`, `b`,
    `value`.

    Sets of concepts are weighted by their size, the two directions of a pair alike.

    - `companion`: rows of one companion measure.

    Raises MeaningsError where there are none of that variant and layer between two languages.
    """
    rows = companion.astype(
        {name: str for name in ("variant", "split", "language_a", "language_b")}
    )
    rows = rows[(rows["variant"] == variant) & (rows["layer"] == layer)]
    rows = rows[rows["split"].isin(WHOLE) & (rows["language_b"] != "")]
    rows = rows[rows["language_a"] != rows["language_b"]]
    if rows.empty:
        raise MeaningsError(
            f"no rows of variant {variant!r}, layer {layer}, between two languages; there are "
            f"{', '.join(sorted(map(str, companion['variant'].unique())))}; choose one of these"
        )
    ordered = np.sort(rows[["language_a", "language_b"]].to_numpy(), axis=1)
    rows = rows.assign(a=ordered[:, 0], b=ordered[:, 1], total=rows["value"] * rows["n"])
    sums = rows.groupby([*PLACE, *PAIR], observed=True)[["total", "n"]].sum().reset_index()
    return sums.assign(value=sums["total"] / sums["n"])[[*PLACE, *PAIR, "value"]]


def patching_values(table: pd.DataFrame, condition: str = "seen") -> pd.DataFrame:
    """As `pair_values`, of patching: mean P(source concept) over concepts, at the layer that is
    highest over all pairs of the last checkpoint.

    Raises MeaningsError where the table has no rows of the condition.
    """
    rows = table[(table["condition"] == condition) & (table["first_layer"] >= 0)]
    if rows.empty:
        raise MeaningsError(
            f"no patched rows of condition {condition!r}; measure it with 'meanings study'"
        )
    last = rows[rows["step"] == rows["step"].max()]
    layer = last.groupby("first_layer")["p_source"].mean().idxmax()
    rows = rows[rows["first_layer"] == layer]
    means = rows.groupby([*PLACE, "pair"], observed=True)["p_source"].mean().reset_index()
    ordered = np.sort(np.array([str(pair).split("-") for pair in means["pair"]]), axis=1)
    means = means.assign(a=ordered[:, 0], b=ordered[:, 1], value=means["p_source"])
    means = means[means["a"] != means["b"]]
    return means.groupby([*PLACE, *PAIR])["value"].mean().reset_index()


def correlations(
    measures: dict[str, pd.DataFrame], transfer: pd.DataFrame, seed: int = 0
) -> pd.DataFrame:
    """Each measure's correlation with transfer, and that of the training step.

    Columns: `measure`; `scope` (`checkpoint`, `within`, `pooled`); `step`, -1 unless the scope is a
    checkpoint; `rho`, `low`, `high`; `p`, two-sided, of `checkpoint` and `within` only; `n_pairs`,
    `n_languages`, `n_checkpoints`. Where a measure does not vary within checkpoints, rho is NaN.

    - `measures`, `transfer`: as `pair_values` gives them.

    Raises MeaningsError where a measure and transfer share no checkpoint with enough pairs.
    """
    measured = pd.concat(measures.values())[PLACE].drop_duplicates()
    step = transfer.merge(measured, on=PLACE)
    measures = {**measures, STEP: step.assign(value=step["step"].astype(float))}
    rows = []
    for name, values in measures.items():
        joint = values.merge(transfer, on=[*PLACE, *PAIR], suffixes=("_measure", "_transfer"))
        sizes = joint.groupby(PLACE)["a"].transform("size")
        joint = joint[sizes >= FEWEST].reset_index(drop=True)
        if joint.empty:
            raise MeaningsError(
                f"{name}: no checkpoint where {FEWEST} pairs have both this measure and transfer"
                "; measure more pairs"
            )
        rows += [{"measure": name, **row} for row in _of_measure(joint, seed)]
    return pd.DataFrame(rows)


def _of_measure(joint: pd.DataFrame, seed: int) -> list[dict]:
    languages = sorted({*joint["a"], *joint["b"]})
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(len(languages), np.full(len(languages), 1 / len(languages)), RESAMPLES)
    orders = np.argsort(rng.random((PERMUTATIONS, len(languages))), axis=1)
    places = [rows for _, rows in joint.groupby(PLACE, sort=True)]
    parts = [_Checkpoint(rows, languages, drawn, orders) for rows in places]
    found = [
        _row("checkpoint", int(rows["step"].iloc[0]), part.rho, part.draws, part.null, rows)
        for rows, part in zip(places, parts, strict=True)
    ]
    varying = [part for part in parts if np.isfinite(part.rho)] or parts[:1]
    within = [
        np.mean([getattr(part, name) for part in varying], axis=0)
        for name in ("rho", "draws", "null")
    ]
    whole = _Checkpoint(joint, languages, drawn, orders[:0])
    return [
        *found,
        _row("within", -1, *within, joint),
        _row("pooled", -1, whole.rho, whole.draws, whole.null, joint),
    ]


class _Checkpoint:
    """The correlation of some pairs, under resampled and under dealt-out languages."""

    def __init__(
        self,
        rows: pd.DataFrame,
        languages: Sequence[str],
        drawn: Int[np.ndarray, "draw language"],
        orders: Int[np.ndarray, "order language"],
    ) -> None:
        number = {code: place for place, code in enumerate(languages)}
        a, b = (rows[side].map(number).to_numpy() for side in PAIR)
        x, y = (rows[f"value_{of}"].to_numpy(float) for of in ("measure", "transfer"))
        self.rho = float(weighted_spearman(x, y, np.ones(len(x))))
        self.draws = weighted_spearman(x, y, drawn[:, a] * drawn[:, b])
        self.null = weighted_spearman(*_dealt(x, y, a, b, orders))


def _dealt(
    x: Float[np.ndarray, " pair"],
    y: Float[np.ndarray, " pair"],
    a: Int[np.ndarray, " pair"],
    b: Int[np.ndarray, " pair"],
    orders: Int[np.ndarray, "order language"],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The measure with its languages renamed, transfer, and which pairs there still are."""
    matrix = np.full((orders.shape[1], orders.shape[1]), np.nan)
    matrix[a, b] = matrix[b, a] = x
    moved = matrix[orders[:, a], orders[:, b]]
    there = np.isfinite(moved)
    return np.where(there, moved, 0.0), y, there.astype(float)


def weighted_spearman(
    x: Float[np.ndarray, "... pair"],
    y: Float[np.ndarray, " pair"],
    weights: Shaped[np.ndarray, "... pair"],
) -> Shaped[np.ndarray, "..."]:
    """Spearman's correlation of pairs that count as often as their weight; NaN where one side does
    not vary among those that count.
    """
    weights = np.asarray(weights, float)
    ranks = [_centred_ranks(each, weights) for each in (x, y)]
    (one, other), total = ranks, weights.sum(axis=-1)
    sizes = np.sqrt((weights * one**2).sum(-1) * (weights * other**2).sum(-1))
    found = np.divide(
        (weights * one * other).sum(-1), sizes, out=np.full(sizes.shape, np.nan), where=sizes > 1e-9
    )
    return np.where(total < 3, np.nan, found)


def _centred_ranks(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean ranks among rows repeated as often as their weight, less their mean."""
    below = (values[..., None, :] < values[..., :, None]).astype(float)
    below += 0.5 * (values[..., None, :] == values[..., :, None])
    if values.ndim == 1:
        ranks = weights @ below.T
    else:
        ranks = np.matmul(below, weights[..., None])[..., 0]
    total = np.maximum(weights.sum(axis=-1, keepdims=True), 1e-12)
    return ranks - (weights * ranks).sum(axis=-1, keepdims=True) / total


def _row(scope: str, step: int, rho: float, draws, null, rows: pd.DataFrame) -> dict:
    there, null = draws[np.isfinite(draws)], null[np.isfinite(null)]
    some = np.isfinite(rho) and len(there) > 0
    low, high = np.quantile(there, [0.025, 0.975]) if some else (np.nan, np.nan)
    tested = some and len(null) > 0
    return {
        "scope": scope,
        "step": step,
        "rho": float(rho),
        "low": float(low),
        "high": float(high),
        "p": float((1 + (np.abs(null) >= abs(rho) - 1e-12).sum()) / (1 + len(null)))
        if tested
        else np.nan,
        "n_pairs": len(rows.drop_duplicates(PAIR)),
        "n_languages": len({*rows["a"], *rows["b"]}),
        "n_checkpoints": len(rows.drop_duplicates(PLACE)),
    }
