"""The ladder as a table: for each instrument when it rises, by three floors, how much of its height
it reaches where nothing is shared, and how it follows the dose of parallel text.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from meanings.core.errors import MeaningsError
from meanings.statistics import ladder
from meanings.statistics.instruments import PATCHING, Instrument, above_null
from meanings.statistics.resampling import SEED_COLUMN

# Share of the parallel documents that are in two languages, by world.
DOSES = {
    "parallel-0": 0.0,
    "parallel-1": 0.01,
    "parallel-5": 0.05,
    "parallel-20": 0.2,
    "parallel-100": 1.0,
}


def rungs(
    readings: pd.DataFrame,
    apart: pd.DataFrame,
    parallel: pd.DataFrame,
    instruments: Sequence[Instrument],
) -> pd.DataFrame:
    """A row for each instrument, the latest onset first: `name`, `label`, `kind`; `onset`, `low`,
    `high` over its null, in tokens (inf: none), and `runs`, that of each training run; the same
    over the model that shares nothing (`apart_onset`, ...) and at the absolute level
    (`level_onset`, ...); `final`, the height above the null; `share`, the height where nothing is
    shared over that where all is parallel, after the same training (NaN where that is not known, or
    there is no height).
    """
    found = []
    for instrument in instruments:
        own = readings[readings["instrument"] == instrument.name]
        other = apart[apart["instrument"] == instrument.name]
        row = {"name": instrument.name, "label": instrument.label, "kind": instrument.kind}
        for floor in ladder.FLOORS:
            if floor == "apart" and other.empty:
                moments = pd.DataFrame({"onset": [np.nan], "low": [np.nan], "high": [np.nan]})
            else:
                moments = ladder.onsets(own, floor, other)
            prefix = "" if floor == "null" else f"{floor}_"
            row |= {
                f"{prefix}onset": float(moments["onset"].mean()),
                f"{prefix}low": float(moments["low"].min()),
                f"{prefix}high": float(moments["high"].max()),
            }
            if floor == "null":
                row |= {"runs": moments["onset"].tolist(), "final": moments["final"].mean()}
        whole = parallel[parallel["instrument"] == instrument.name]
        known = len(other) > 0 and len(whole) > 0 and ladder.rises(whole)
        row["share"] = ladder.share_at_floor(whole, other)[0] if known else np.nan
        found.append(row)
    return pd.DataFrame(found).sort_values("onset", ascending=False, kind="stable")


def band(table: pd.DataFrame) -> tuple[float, float] | None:
    """The interval of patching's onset in a table of rungs; None where it has none."""
    rows = table[table["name"] == PATCHING.name]
    if rows.empty or not np.isfinite(rows[["low", "high"]].to_numpy(float)).all():
        return None
    return float(rows["low"].iloc[0]), float(rows["high"].iloc[0])


def delays(
    readings: pd.DataFrame, pairs: Sequence[tuple[Instrument, Instrument]], last: float
) -> pd.DataFrame:
    """How much later the second of two instruments rises, as shares of the training: `first`,
    `second` (labels), `later`, `low`, `high`, `by_run`, `n_pairs`; pairs of which one has no onset
    are left out.
    """
    found = []
    for first, second in pairs:
        one, other = (readings[readings["instrument"] == each.name] for each in (first, second))
        try:
            delay = ladder.delay(one, other)
        except MeaningsError:
            continue
        found.append(
            {
                "first": first.label, "second": second.label, "later": delay.later / last,
                "low": delay.low / last, "high": delay.high / last,
                "by_run": [each / last for each in delay.by_run], "n_pairs": delay.n_pairs,
            }
        )  # fmt: skip
    return pd.DataFrame(found)


def responses(
    doses: pd.DataFrame, apart: pd.DataFrame, instruments: Sequence[Instrument]
) -> pd.DataFrame:
    """How each instrument follows the dose: `label`, `kind`; a column `at X` of means above the
    null for each dose; `trend` and `p` (see `ladder.jonckheere`), `told_apart`, the smallest dose
    from which on every run lies above every run without one; `apart`, the height where nothing is
    shared.

    - `doses`: readings with a column `dose`.
    """
    found = []
    for instrument in instruments:
        own = doses[doses["instrument"] == instrument.name]
        if own["dose"].nunique() < 2:
            continue
        runs = by_run(own)
        groups = {dose: part.to_numpy() for dose, part in runs.groupby("dose")}
        trend, p = ladder.jonckheere(list(groups.values()))
        other = apart[apart["instrument"] == instrument.name]
        found.append(
            {
                "name": instrument.name, "label": instrument.label, "kind": instrument.kind,
                **{f"at {dose:g}": values.mean() for dose, values in groups.items()},
                "trend": trend, "p": p, "told_apart": ladder.smallest_told_apart(groups),
                "apart": height(other), "n_runs": len(runs),
            }
        )  # fmt: skip
    return pd.DataFrame(found)


def by_run(readings: pd.DataFrame) -> pd.Series:
    """Means over language pairs above the null, by dose and training run."""
    return above_null(readings).groupby(["dose", SEED_COLUMN])["value"].mean()


def height(readings: pd.DataFrame) -> float:
    """The mean above the null at the last step; NaN where there is none."""
    if readings.empty:
        return float("nan")
    last = readings[readings["step"] == readings["step"].max()]
    return float(above_null(last).groupby(SEED_COLUMN)["value"].mean().mean())
