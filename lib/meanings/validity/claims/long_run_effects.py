"""The effects behind the claims on the long run: models that are finished after trainings of
different lengths, and the trunk that they branch off.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from meanings.statistics import longer
from meanings.statistics.bootstrap import paired_difference
from meanings.statistics.effects import Effect
from meanings.statistics.resampling import RESAMPLES, point_means, resampled_means, to_grid
from meanings.validity.claims.claim import Tables
from meanings.validity.claims.estimates import from_row

Means = Mapping[tuple, np.ndarray]  # by what the rows are grouped by, one of each resample


def longer_training(tables: Tables) -> Effect:
    """The last finished model minus the first that was trained for at least 2,000 steps."""
    first, last = longer.compared_steps(tables["long_run"])
    return _difference(tables, (longer.FINISHED, last), (longer.FINISHED, first))


def decay(tables: Tables) -> Effect:
    """The last finished model minus the checkpoint that it branched off."""
    start, end = longer.branched_off(tables["long_run"])
    return _difference(tables, (longer.FINISHED, end), (longer.TRUNK, start))


def second_half(tables: Tables) -> Effect:
    """The last finished model minus the one before it."""
    *_, before, last = longer.finished_steps(tables["long_run"])
    return _difference(tables, (longer.FINISHED, last), (longer.FINISHED, before))


def share_of_height(tables: Tables) -> Effect:
    """P(source) of `seen` in the first model of `longer_training`, as a share of the last one's."""
    first, last = longer.compared_steps(tables["long_run"])
    return _of_means(tables, lambda p: p["seen", first] / p["seen", last])


def shares_apart(tables: Tables) -> Effect:
    """The same share, minus that of the direct score."""
    first, last = longer.compared_steps(tables["long_run"])

    def difference(p: Means) -> np.ndarray:
        seen, direct = (p[name, first] / p[name, last] for name in ("seen", "src_unpatched"))
        return seen - direct

    return _of_means(tables, difference)


def beyond_self(tables: Tables) -> Effect:
    """The rise of `seen` between the models of `longer_training`, minus that of `self`."""
    first, last = longer.compared_steps(tables["long_run"])

    def difference(p: Means) -> np.ndarray:
        seen, own = (p[name, last] - p[name, first] for name in ("seen", "self"))
        return seen - own

    return _of_means(tables, difference)


def share_at_full_rate(tables: Tables) -> Effect:
    """P(source) of `seen` in the shipped run at the last checkpoint that is no longer trained than
    the first model of `longer_training`, as a share of the trunk's late checkpoints. None of them
    decayed.
    """
    rows = longer.chosen(tables["long_run"])
    first, _ = longer.compared_steps(rows)
    early = longer.shipped_cells(tables["miniature"], rows, until=first)
    trunk = rows[(rows["model"] == longer.TRUNK) & (rows["condition"] == "seen")]
    late = trunk[trunk["step"].isin(longer.late_steps(rows))]
    both = pd.concat([early.assign(moment="early"), late.assign(moment="late")])
    return _of_grid(both, ["moment"], lambda p: p["early",] / p["late",])


def _difference(tables: Tables, late: tuple[str, int], early: tuple[str, int]) -> Effect:
    """P(source) of `seen` in one model of the long run minus another, within concepts."""
    rows = longer.chosen(tables["long_run"])
    rows = rows[rows["condition"] == "seen"]
    names = {late: "late", early: "early"}
    places = zip(rows["model"], rows["step"], strict=True)
    rows = rows.assign(moment=[names.get((model, int(step))) for model, step in places])
    rows = rows.dropna(subset="moment").drop(columns=["model", "step", "tokens"])
    found = paired_difference(rows, "p_source", "late", "early", between="moment", n=RESAMPLES)
    return from_row(found.iloc[0])


def _of_means(tables: Tables, value: Callable[[Means], np.ndarray]) -> Effect:
    """What is computed of the finished models' means, with an interval over concepts."""
    rows = longer.chosen(tables["long_run"])
    return _of_grid(rows[rows["model"] == longer.FINISHED], ["condition", "step"], value)


def _of_grid(rows: pd.DataFrame, by: Sequence[str], value: Callable[[Means], np.ndarray]) -> Effect:
    grid = to_grid(rows, "p_source", by, "source_concept")
    places = list(grid.groups.itertuples(index=False, name=None))

    def computed(means: np.ndarray) -> np.ndarray:
        return value(dict(zip(places, np.moveaxis(np.atleast_2d(means), -1, 0), strict=True)))

    (point,) = computed(point_means(grid.values))
    low, high = np.quantile(computed(resampled_means(grid.values, RESAMPLES)), [0.025, 0.975])
    counts = rows["source_concept"].nunique(), rows["pair"].nunique(), len(grid.seeds)
    return Effect(float(point), *(float(end) for end in (low, high)), *counts)
