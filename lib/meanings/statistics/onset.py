"""Onset: the moment of training from which a curve has come half of its way and stays there.

    onset   = first step from which on  m(s) >= floor + half * (plateau - floor)
    plateau = mean of the last checkpoints

Why this one: a first checkpoint at which the curve differs significantly from its null comes
earlier the more concepts are measured, so it says as much about the sample as about the model. Half
of the way is where a rising curve is steepest, so the moment is sharpest there; it can be compared
between conditions whose ceilings differ; and "stays there" asks for the last crossing, so that a
lucky checkpoint is no onset. Between the two checkpoints around the crossing the step is
interpolated in log(1 + step), since checkpoints are log-spaced from step 0. The interval is a
percentile bootstrap over concepts and training seeds in which curve, plateau and crossing are made
anew, all checkpoints with the same draws.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float

from meanings.core.errors import MeaningsError
from meanings.statistics.resampling import point_means, resampled_means, to_grid


def onset(
    df: pd.DataFrame,
    value: str,
    by: Sequence[str] = (),
    *,
    step: str = "step",
    unit: str = "source_concept",
    floor: float = 0.0,
    fraction: float = 0.5,
    plateau_checkpoints: int = 3,
    minimum_rise: float = 0.05,
    n: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Onset of the curve of `value` over `step` in each group of `by`, with its interval.

    - `floor`: what the curve would be without the effect, such as its null's mean.
    - `fraction`: how much of the way from floor to plateau it must have come, 0.5 = half.
    - `minimum_rise`: a plateau less than this above the floor is no rise, and has no onset.

    Columns: `by`; `onset`, `low`, `high` in steps (inf = not within the training measured);
    `checkpoint`, the first measured step at or after the onset (-1 = none); `plateau`;
    `share_reached`, the share of resamples with an onset; `n_units`, and `n_language_pairs` where
    the table has pairs.

    Raises MeaningsError where a group has fewer than two steps.
    """
    if df.empty:
        raise MeaningsError("no rows to find an onset in; widen the selection")
    groups = list(df.groupby(list(by), observed=True, sort=True)) if by else [((), df)]
    settings = (floor, fraction, plateau_checkpoints, minimum_rise)
    rows = []
    for name, group in groups:
        grid = to_grid(group, value, [step], unit)
        steps = grid.groups[step].to_numpy(dtype=float)
        if len(steps) < 2:
            raise MeaningsError(
                f"{dict(zip(by, name, strict=True))}: a curve of {len(steps)} {step}; an onset "
                "needs two or more"
            )
        drawn = crossing(resampled_means(grid.values, n, seed), steps, *settings)
        mean = point_means(grid.values)
        point = crossing(mean[None], steps, *settings)[0]
        rows.append(
            dict(zip(by, name, strict=True))
            | _onset_row(point, drawn, steps, level)
            | {"plateau": mean[-plateau_checkpoints:].mean(), "n_units": len(grid.units)}
            | ({"n_language_pairs": group["pair"].nunique()} if "pair" in group else {})
        )
    return pd.DataFrame(rows)


def _onset_row(
    point: float,
    drawn: Float[np.ndarray, " resample"],
    steps: Float[np.ndarray, " step"],
    level: float,
) -> dict[str, float]:
    # Percentiles among draws, not between them: an infinite draw must not make a finite neighbour
    # infinite.
    low = np.quantile(drawn, (1 - level) / 2, method="lower")
    high = np.quantile(drawn, (1 + level) / 2, method="higher")
    reached = steps[steps >= point * (1 - 1e-12)] if np.isfinite(point) else []
    return {
        "onset": point,
        "low": low,
        "high": high,
        "checkpoint": int(reached[0]) if len(reached) else -1,
        "share_reached": np.isfinite(drawn).mean(),
    }


def crossing(
    curves: Float[np.ndarray, "curve step"],
    steps: Float[np.ndarray, " step"],
    floor: float = 0.0,
    fraction: float = 0.5,
    plateau_checkpoints: int = 3,
    minimum_rise: float = 0.05,
) -> Float[np.ndarray, " curve"]:
    """Step at which each curve last crosses its threshold upwards; the first step where it is never
    below; inf where none.

    Raises MeaningsError where steps do not rise.
    """
    if np.any(np.diff(steps) <= 0):
        raise MeaningsError("steps must rise from one checkpoint to the next")
    plateau = curves[:, -plateau_checkpoints:].mean(axis=1)
    threshold = floor + fraction * (plateau - floor)
    below = ~(curves >= threshold[:, None])
    last_below = np.where(below.any(axis=1), below.shape[1] - 1 - below[:, ::-1].argmax(axis=1), -1)
    none = (plateau - floor < minimum_rise) | (last_below == below.shape[1] - 1) | np.isnan(plateau)
    before = np.clip(last_below, 0, curves.shape[1] - 2)
    rows = np.arange(len(curves))
    low, high = curves[rows, before], curves[rows, before + 1]
    crosses = ~none & (last_below >= 0)
    way = np.divide(threshold - low, high - low, out=np.zeros(len(curves)), where=crosses)
    time = np.log1p(steps)
    found = np.expm1(time[before] + way * (time[before + 1] - time[before]))
    return np.where(none, np.inf, np.where(crosses, found, steps[0]))
