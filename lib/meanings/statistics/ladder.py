"""Several instruments on one training run: onsets against three floors, order, false claims, dose
and response.

    null     a reading above the mean of its own permutation null
    apart    a reading above that of a model whose languages share nothing, at the same step
    level    a reading at least `LEVEL` above its null, an absolute height

Readings are those of `meanings.statistics.instruments`. An onset is that of
`meanings.statistics.onset`: half of the way from the floor to the height at the end, and the moment
at which the absolute level is passed for good.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float, Shaped

from meanings.core.errors import MeaningsError
from meanings.statistics import companions
from meanings.statistics.companions import PAIR, floor_at
from meanings.statistics.effects import SMALLEST_EFFECT
from meanings.statistics.instruments import above_null
from meanings.statistics.onset import HALF, crossing
from meanings.statistics.resampling import SEED_COLUMN


class Delay(NamedTuple):
    """How much later a second onset comes than a first one, in tokens, with its 95 % interval, in
    each training run, and what it rests on.
    """

    later: float
    low: float
    high: float
    by_run: tuple[float, ...]
    n_pairs: int
    n_runs: int


FLOORS = ("null", "apart", "level")
LEVEL = 0.1  # above the null: a tenth of the scale of every instrument
SHUFFLES = 10_000
RESAMPLES = 1000
VALUES = ("value", "low", "high")


def over_floor(
    readings: pd.DataFrame, floor: str, apart: pd.DataFrame | None = None
) -> pd.DataFrame:
    """The readings of one instrument with a floor taken off `value`, `low` and `high`.

    - `floor`: `null`, `apart` or `level`, see the module; `apart`: readings of the same instrument
      in the model that shares nothing, needed for the second.
    """
    if floor != "apart":
        return above_null(readings)
    steps = sorted(readings["step"].unique().tolist())
    levels = floor_at(steps, _means(apart, ["step"])).set_index("step")["floor"]
    below = readings["step"].map(levels)
    return readings.assign(**{name: readings[name] - below for name in VALUES})


def _means(readings: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Means over language pairs, then over training runs."""
    runs = readings.groupby([*by, SEED_COLUMN], observed=True)[list(VALUES)].mean()
    return runs.groupby(list(by)).mean().reset_index()


def onsets(readings: pd.DataFrame, floor: str, apart: pd.DataFrame | None = None) -> pd.DataFrame:
    """The onset of one instrument in each training run, in tokens.

    Columns `training_seed`, `onset`, `low`, `high` (where the upper and the lower ends of the
    intervals cross; inf: not within this training), `final`, the height over the floor.
    """
    above = over_floor(readings, floor, apart)
    shares = (LEVEL, 0.0) if floor == "level" else (0.0, 0.5)
    found = []
    for seed, run in above.groupby(SEED_COLUMN):
        curve = run.groupby("tokens")[list(VALUES)].mean().reset_index()
        onset, low, high = (companions.crossed(curve, *shares, end) for end in VALUES_ENDS)
        found.append(
            {
                SEED_COLUMN: seed, "onset": onset, "low": min(onset, low), "high": max(onset, high),
                "final": float(curve["value"].iloc[-1]),
            }
        )  # fmt: skip
    return pd.DataFrame(found)


VALUES_ENDS = ("value", "high", "low")


def delay(first: pd.DataFrame, second: pd.DataFrame, seed: int = 0) -> Delay:
    """How much later the onset of the second instrument's mean over language pairs comes than the
    first one's, both above their null, in the pairs and training runs that both have.

    Intervals resample languages and training runs, with the same draws for both: a pair counts as
    often as its two languages were drawn, multiplied.

    Raises MeaningsError where they share no pair, or one has no onset.
    """
    place = [SEED_COLUMN, "step", *PAIR]
    shared = first[place].merge(second[place])
    if shared.empty:
        raise MeaningsError(
            "the two instruments share no language pair and training run"
            "; measure both in the same pairs"
        )
    curves = [_stacked(above_null(each.merge(shared, on=place))) for each in (first, second)]
    (values, tokens, runs, pairs), (other, _, _, _) = curves
    weights, of_run = _weights(pairs, len(runs), np.random.default_rng(seed))
    once = np.ones((1, len(pairs))), np.ones((1, len(runs)))
    with np.errstate(invalid="ignore"):  # neither rises: no delay, NaN
        (point,), drawn = (
            _mean_onsets(other, tokens, *each) - _mean_onsets(values, tokens, *each)
            for each in (once, (weights, of_run))
        )
        each = [
            float(
                _mean_onsets(o[None], tokens, once[0], np.ones((1, 1)))[0]
                - _mean_onsets(v[None], tokens, once[0], np.ones((1, 1)))[0]
            )
            for v, o in zip(values, other, strict=True)
        ]
    drawn = drawn[~np.isnan(drawn)]
    if not np.isfinite(point) or not len(drawn):
        raise MeaningsError(
            "one of the two instruments has no onset within this training"
            "; train longer, or choose another instrument"
        )
    low = float(np.quantile(drawn, 0.025, method="lower"))
    high = float(np.quantile(drawn, 0.975, method="higher"))
    return Delay(float(point), low, high, tuple(each), len(pairs), len(runs))


def _stacked(readings: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, list, list]:
    """Values by training run, language pair and step, the tokens, the runs and the pairs."""
    wide = readings.pivot_table(index=[SEED_COLUMN, *PAIR], columns="tokens", values="value")
    runs = sorted(set(wide.index.get_level_values(0)))
    pairs = sorted({key[1:] for key in wide.index})
    values = wide.reindex([(run, *pair) for run in runs for pair in pairs]).to_numpy(float)
    return values.reshape(len(runs), len(pairs), -1), wide.columns.to_numpy(float), runs, pairs


def _weights(pairs: list, runs: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """How often each pair and each training run counts in each resample."""
    names = sorted({name for pair in pairs for name in pair if name})
    times = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=RESAMPLES)
    place = {name: number for number, name in enumerate(names)}
    weights = np.ones((RESAMPLES, len(pairs)))
    for column, pair in enumerate(pairs):
        for name in filter(None, pair):
            weights[:, column] *= times[:, place[name]]
    drawn = rng.multinomial(runs, np.full(runs, 1 / runs), size=RESAMPLES)
    return weights, drawn.astype(float)


def _mean_onsets(
    values: Float[np.ndarray, "run pair step"],
    tokens: Float[np.ndarray, " step"],
    weights: Float[np.ndarray, "draw pair"],
    of_run: Float[np.ndarray, "draw run"],
) -> Float[np.ndarray, " draw"]:
    """The onset of the weighted mean over pairs in each training run, weighted over these; NaN
    where no pair was drawn.
    """
    total = weights.sum(axis=1)
    kept = total > 0
    found = np.full(len(weights), np.nan)
    if not kept.any():
        return found
    share = weights[kept] / total[kept, None]
    by_run = np.stack([crossing(share @ each, tokens, HALF) for each in values], axis=1)
    times = of_run[kept] if len(of_run) == len(weights) else of_run
    infinite = (np.isinf(by_run) & (times > 0)).any(axis=1)
    mean = (np.where(np.isinf(by_run), 0, by_run) * times).sum(axis=1) / times.sum(axis=1)
    found[kept] = np.where(infinite, np.inf, mean)
    return found


def share_at_floor(readings: pd.DataFrame, apart: pd.DataFrame) -> tuple[float, float, float]:
    """The share of its height at the end of one training that an instrument reaches, above its
    null, at the end of another in which nothing is shared; with the lowest and the highest share of
    single training seeds.

    Trainings of different length have no common height: compare such that end at the same step.

    Raises MeaningsError where there is no height.
    """
    ends = above_null(_last(readings)).groupby(SEED_COLUMN)["value"].mean()
    end = ends.mean()
    if not end > 0:
        raise MeaningsError(
            "the instrument ends no higher than its null: it has no height"
            "; choose an instrument that rises"
        )
    runs = above_null(_last(apart)).groupby(SEED_COLUMN)["value"].mean()
    own = runs / ends.reindex(runs.index).fillna(
        end
    )  # of the same training seed, where there is one
    share = float(runs.mean() / end)
    return share, min(share, float(own.min())), max(share, float(own.max()))


def rises(readings: pd.DataFrame) -> bool:
    """Whether one instrument ends high enough above its null to have an onset at all."""
    return bool(above_null(_last(readings))["value"].mean() >= HALF.minimum_rise)


def _last(readings: pd.DataFrame) -> pd.DataFrame:
    return readings[readings["step"] == readings.groupby(SEED_COLUMN)["step"].transform("max")]


def false_claims(rows: pd.DataFrame) -> dict[str, float]:
    """How often single cells of a layer, a language pair and a training run say that something is
    shared.

    `face`: share whose interval lies above the smallest effect, no null asked; `above`: above the
    range of its own null; `beyond`: above it by more than the smallest effect; each with the lowest
    and the highest training run, and `n` cells.

    - `rows`: with `low`, `null_high` and `training_seed`; the mean of the null stands in for a
      range that was not measured. Rows without either are left out.
    """
    top = rows["null_high"].fillna(rows["null"])
    rows, top = rows[rows["low"].notna() & top.notna()], top[rows["low"].notna() & top.notna()]
    found: dict[str, float] = {"n": float(len(rows))}
    if rows.empty:
        return found
    excess = {"face": rows["low"], "above": rows["low"] - top, "beyond": rows["low"] - top}
    for name, smallest in (("face", SMALLEST_EFFECT), ("above", 0.0), ("beyond", SMALLEST_EFFECT)):
        claimed = excess[name] > smallest
        runs = claimed.groupby(rows[SEED_COLUMN]).mean()
        found |= {
            name: float(claimed.mean()),
            f"{name}_lowest": float(runs.min()),
            f"{name}_highest": float(runs.max()),
        }
    return found


def jonckheere(
    groups: Sequence[Float[np.ndarray, " _"]], seed: int = 0, shuffles: int = SHUFFLES
) -> tuple[float, float]:
    """Whether values rise from group to group: the share of pairs of runs with different doses in
    which the higher dose has the higher value (ties count half), and its one-sided p.

    p is exact but for the number of shuffles: the runs are dealt out anew to the doses. Source:
    Jonckheere 1954.
    """
    values = np.concatenate(groups)
    dose = np.repeat(np.arange(len(groups)), [len(each) for each in groups])
    rng = np.random.default_rng(seed)
    found = float(share_in_order(values[None], dose)[0])
    orders = np.argsort(rng.random((shuffles, len(values))), axis=1)
    shuffled = share_in_order(values[orders], dose)
    return found, float((1 + (shuffled >= found - 1e-12).sum()) / (1 + shuffles))


def share_in_order(
    values: Float[np.ndarray, "draw run"], dose: Shaped[np.ndarray, " run"]
) -> Float[np.ndarray, " draw"]:
    """The share of pairs of runs with different doses in which the higher dose has the higher
    value, with ties counted half.
    """
    lower, higher = np.nonzero(dose[:, None] < dose[None])
    difference = values[..., higher] - values[..., lower]
    return (np.sign(difference) * 0.5 + 0.5).mean(axis=-1)


def smallest_told_apart(runs: Mapping[float, Float[np.ndarray, " _"]]) -> float:
    """The smallest dose from which on every run lies above every run without a dose; inf where
    there is none.
    """
    none = max(runs[0.0])
    found = np.inf
    for dose in sorted(runs, reverse=True):
        if dose == 0.0 or min(runs[dose]) <= none:
            break
        found = dose
    return found
