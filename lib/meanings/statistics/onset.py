"""Onset: the moment of training from which on a curve stays above a threshold.

    onset     = first moment from which on  m(s) >= threshold
    threshold = floor + fraction * (height - floor)
    height    = the curve at the end of training, or another curve there, such as the direct score

The rule names moments of training and no checkpoints, so it does not depend on which checkpoints
were measured: the height is that at the end, and between two checkpoints the curve is a straight
line in log(1 + step), since checkpoints are log-spaced from step 0. "Stays" asks for the last
crossing, so that a lucky checkpoint is no onset. For an absolute level take it as `floor`, with
`fraction` 0.

The first checkpoint at which a curve differs significantly from its null would come earlier the
more concepts are measured, so it would say as much about the sample as about the model.

An interval is a percentile bootstrap over concepts and training seeds in which curve, height and
crossing are made anew, all curves and checkpoints with the same draws.
"""

from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float

from meanings.core.errors import MeaningsError
from meanings.statistics.resampling import (
    RESAMPLES,
    point_means,
    resampled_means,
    to_array,
)

LEVEL = 0.95
OWN = "own"


class Rule(NamedTuple):
    """What a curve must stay above.

    - `floor`: what the curve would be without the effect, such as its null's mean.
    - `fraction`: how much of the way from floor to height it must have come, 0.5 = half.
    - `height_of`: the group whose height at the end it is; `own`, that of the curve itself.
    - `minimum_rise`: a curve that ends less than this above the floor has no onset.
    """

    floor: float = 0.0
    fraction: float = 0.5
    height_of: Hashable = OWN
    minimum_rise: float = 0.05


HALF = Rule()


def onset(
    df: pd.DataFrame,
    value: str,
    by: Sequence[str] = (),
    *,
    step: str = "step",
    unit: str = "source_concept",
    rule: Rule = HALF,
    n: int = RESAMPLES,
    seed: int = 0,
) -> pd.DataFrame:
    """Onset of the curve of `value` over `step` in each group of `by`, with its interval.

    Columns: `by`; `onset`, `low`, `high` in steps (inf = not within the training measured);
    `checkpoint`, the first measured step at or after the onset (-1 = none); `final`, the height at
    the last step; `share_reached`, the share of resamples with an onset; `n_units`, and
    `n_language_pairs` where the table has pairs.

    Raises MeaningsError where a group has fewer than two steps, or no group has the rule's height.
    """
    if df.empty:
        raise MeaningsError("no rows to find an onset in; widen the selection")
    groups = {
        name if len(by) > 1 else name[0]: rows
        for name, rows in (df.groupby(list(by), observed=True, sort=True) if by else [((OWN,), df)])
    }
    rows = []
    for name, group in groups.items():
        steps, values = _stacked([group, _height_rows(groups, name, rule)], value, step, unit)
        point = _crossings(point_means(values)[None], steps, rule)[0]
        drawn = _crossings(resampled_means(values, n, seed), steps, rule)
        labels = name if len(by) > 1 else [name] if by else []
        rows.append(
            dict(zip(by, labels, strict=True))
            | _onset_row(point, drawn, steps)
            | {"final": point_means(values)[0, -1], "n_units": group[unit].nunique()}
            | ({"n_language_pairs": group["pair"].nunique()} if "pair" in group else {})
        )
    return pd.DataFrame(rows)


def earlier_by(
    df: pd.DataFrame,
    value: str,
    first: str,
    second: str,
    *,
    column: str = "condition",
    step: str = "tokens",
    unit: str = "source_concept",
    rule: Rule = HALF,
    n: int = RESAMPLES,
    seed: int = 0,
) -> tuple[float, float, float]:
    """How much less training one curve needs than another, as a share, with its interval.

        1 - onset(first) / onset(second)        both curves from the same draws

    0.3 = the first comes after 30 % fewer steps; negative, it comes later.

    Raises MeaningsError where one of the two has no onset, or too few draws have both.
    """
    (point_one, point_other), (one, other) = onsets_together(
        df, value, (first, second), column=column, step=step, unit=unit, rule=rule, n=n, seed=seed
    )
    with np.errstate(invalid="ignore"):
        point, drawn = 1 - point_one / point_other, 1 - one / other
    there = drawn[np.isfinite(drawn)]
    if not np.isfinite([point_one, point_other]).all() or len(there) < LEVEL * n:
        raise MeaningsError(
            f"{first} and {second} do not both rise within the training measured; measure more of "
            "it, or take a lower threshold"
        )
    low, high = np.quantile(there, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(point), float(low), float(high)


def onsets_together(
    df: pd.DataFrame,
    value: str,
    names: Sequence[str],
    *,
    height_of: Hashable = "",
    column: str = "condition",
    step: str = "step",
    unit: str = "source_concept",
    rule: Rule = HALF,
    n: int = RESAMPLES,
    seed: int = 0,
) -> tuple[Float[np.ndarray, " curve"], Float[np.ndarray, "curve draw"]]:
    """Onsets of some curves, and the same in `n` resamples in which all have the same draws; inf
    where there is none.

    - `height_of`: the curve whose height the thresholds are shares of; empty: the rule's.

    Raises MeaningsError where a curve has fewer than two steps, or the height's is not there.
    """
    if height_of:
        rule = rule._replace(height_of=height_of)
    groups = dict(iter(df.groupby(column, observed=True)))
    heights = [_height_rows(groups, name, rule) for name in names]
    steps, values = _stacked([*(groups[name] for name in names), *heights], value, step, unit)
    k = len(names)
    points, drawn = (
        np.stack([_crossings(means[:, [place, place + k]], steps, rule) for place in range(k)])
        for means in (point_means(values)[None], resampled_means(values, n, seed))
    )
    return points[:, 0], drawn


def _height_rows(groups: dict[Hashable, pd.DataFrame], name: Hashable, rule: Rule) -> pd.DataFrame:
    """The rows of the curve whose height the rule names."""
    wanted = name if rule.height_of == OWN else rule.height_of
    if wanted not in groups:
        raise MeaningsError(
            f"height_of {wanted!r} is not among the groups; they are {', '.join(map(str, groups))}"
        )
    return groups[wanted]


def _stacked(
    curves: Sequence[pd.DataFrame], value: str, step: str, unit: str
) -> tuple[Float[np.ndarray, " step"], Float[np.ndarray, "curve step seed unit"]]:
    """Curves over the same steps, seeds and units, so that one draw serves all."""
    joint = pd.concat([rows.assign(_curve=place) for place, rows in enumerate(curves)])
    (_, steps), values = to_array(joint, value, ["_curve", step], unit)
    if len(steps) < 2:
        raise MeaningsError(f"a curve of {len(steps)} {step}; an onset needs two or more")
    return np.array(steps, dtype=float), values


def _crossings(
    means: Float[np.ndarray, "draw 2 step"], steps: Float[np.ndarray, " step"], rule: Rule
) -> Float[np.ndarray, " draw"]:
    """Onsets of the first curve of each draw; the second's last value is the height."""
    return crossing(means[:, 0], steps, rule, means[:, 1, -1])


def _onset_row(
    point: float, drawn: Float[np.ndarray, " draw"], steps: Float[np.ndarray, " step"]
) -> dict[str, float]:
    # Percentiles among draws, not between them: an infinite draw must not make a finite neighbour
    # infinite.
    low = np.quantile(drawn, (1 - LEVEL) / 2, method="lower")
    high = np.quantile(drawn, (1 + LEVEL) / 2, method="higher")
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
    rule: Rule = HALF,
    heights: Float[np.ndarray, " curve"] | None = None,
) -> Float[np.ndarray, " curve"]:
    """Step at which each curve last crosses its threshold upwards; the first step where it is never
    below; inf where none.

    - `heights`: of which the threshold is a share; without them each curve's own last value.

    Raises MeaningsError where steps do not rise.
    """
    if np.any(np.diff(steps) <= 0):
        raise MeaningsError("steps must rise from one checkpoint to the next; sort them, each once")
    final = curves[:, -1]
    threshold = rule.floor + rule.fraction * ((final if heights is None else heights) - rule.floor)
    below = ~(curves >= threshold[:, None])
    last_below = np.where(below.any(axis=1), below.shape[1] - 1 - below[:, ::-1].argmax(axis=1), -1)
    none = (final - rule.floor < rule.minimum_rise) | (last_below == below.shape[1] - 1)
    none |= np.isnan(final)
    before = np.clip(last_below, 0, curves.shape[1] - 2)
    rows = np.arange(len(curves))
    low, high = curves[rows, before], curves[rows, before + 1]
    crosses = ~none & (last_below >= 0)
    way = np.divide(threshold - low, high - low, out=np.zeros(len(curves)), where=crosses)
    time = np.log1p(steps)
    found = np.expm1(time[before] + way * (time[before + 1] - time[before]))
    return np.where(none, np.inf, np.where(crosses, found, steps[0]))
