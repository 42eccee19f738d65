"""The long run beside the shipped one: training for longer told from lowering the learning rate.

Two finished models of the long run differ in the length of training alone: both decayed over as
many steps. A finished model and the checkpoint of the trunk that it branched off differ in that
decay (and its few steps) alone.
"""

from numbers import Real

import numpy as np
import pandas as pd

from meanings.core.errors import MeaningsError
from meanings.measures.results import published
from meanings.statistics import layer_choice
from meanings.statistics.bootstrap import interval
from meanings.statistics.resampling import RESAMPLES, SEED_COLUMN
from meanings.statistics.selection import last_checkpoint

TRUNK, FINISHED = "long-run-trunk", "long-run-finished"
LONG_ENOUGH = 2000  # steps after which a finished model counts as trained
CONDITIONS = ("seen", "self", "null_concept", "src_unpatched")


def published_long_run() -> pd.DataFrame:
    """`data/published/long_run.parquet`: cells of the trunk and of the finished models."""
    return published("long_run").astype({"model": str, "condition": str})


def chosen(table: pd.DataFrame) -> pd.DataFrame:
    """The cells of `CONDITIONS` at each model's layers chosen on the other half of the concepts, in
    the language pairs that all of them have. Raises MeaningsError where there is no cell.
    """
    rows = table.astype({"model": str, "condition": str})
    rows = rows[rows["condition"].isin(CONDITIONS)]
    if rows.empty:
        raise MeaningsError("no cells of the long run; run 'meanings miniature long-run'")
    parts = [
        layer_choice.at_chosen_layer(part, conditions=CONDITIONS)
        for _, part in rows.groupby("model")
    ]
    return pd.concat(parts, ignore_index=True)


def levels(rows: pd.DataFrame) -> pd.DataFrame:
    """Means with intervals over concepts by `model`, `step`, `tokens` and `condition`."""
    return interval(rows, "p_source", ["model", "step", "tokens", "condition"], n=RESAMPLES)


def shipped_run(long_run: pd.DataFrame) -> pd.DataFrame:
    """The published cells of the shipped run that the trunk branches off, in the same pairs."""
    where = {name: sorted(long_run[name].unique()) for name in ("pair", SEED_COLUMN)}
    return published("miniature", where=where | {"condition": list(CONDITIONS)})


def shipped_cells(
    table: pd.DataFrame, long_run: pd.DataFrame, until: Real = np.inf
) -> pd.DataFrame:
    """The cells of `seen` in the shipped run that the trunk branches off, at its last checkpoint up
    to step `until`, in the language pairs of the long run, at the chosen layers.

    - `table`: of the miniature; `long_run`: as `chosen` gives it.

    Raises MeaningsError where there is no such cell.
    """
    rows = table[table["condition"].isin(CONDITIONS) & (table["step"] <= until)]
    for name in ("pair", SEED_COLUMN):
        rows = rows[rows[name].isin(long_run[name].unique())]
    if rows.empty:
        raise MeaningsError("no cells of the shipped run; run 'meanings publish miniature'")
    found = layer_choice.at_chosen_layer(last_checkpoint(rows), conditions=CONDITIONS)
    return found[found["condition"] == "seen"]


def shares_by_pair(rows: pd.DataFrame, first: int) -> pd.Series:
    """By language pair, P(source) of `seen` in the finished model of step `first` as a share of the
    last one's.
    """
    done = rows[(rows["model"] == FINISHED) & (rows["condition"] == "seen")]
    means = done.pivot_table(index="pair", columns="step", values="p_source", observed=True)
    return means[first] / means[means.columns.max()]


def share_from_layer(table: pd.DataFrame, first: int, layer: int) -> float:
    """The same over all pairs where layer `layer` and all later ones are overwritten.

    - `table`: as `published_long_run` gives it.
    """
    rows = chosen(table)
    done = table[(table["model"] == FINISHED) & (table["condition"] == "seen")]
    done = done[(done["first_layer"] == layer) & done["pair"].isin(rows["pair"].unique())]
    means = done.groupby("step")["p_source"].mean()
    return float(means[first] / means.iloc[-1])


def finished_steps(rows: pd.DataFrame) -> list[int]:
    """The steps of the finished models, in order.

    Raises MeaningsError where there are fewer than two.
    """
    steps = sorted(int(step) for step in rows.loc[rows["model"] == FINISHED, "step"].unique())
    if len(steps) < 2:
        raise MeaningsError("fewer than two finished models; run 'meanings miniature long-run'")
    return steps


def compared_steps(table: pd.DataFrame) -> tuple[int, int]:
    """The steps of the first finished model that counts as trained, and of the last."""
    steps = finished_steps(table)
    return min(step for step in steps if step >= LONG_ENOUGH), steps[-1]


def late_steps(rows: pd.DataFrame) -> list[int]:
    """The later half of the trunk's checkpoints."""
    trunk = sorted(int(step) for step in rows.loc[rows["model"] == TRUNK, "step"].unique())
    return trunk[len(trunk) // 2 :]


def branched_off(rows: pd.DataFrame) -> tuple[int, int]:
    """The last trunk checkpoint with a finished model behind it, and that model's step.

    Raises MeaningsError where no finished model has its trunk checkpoint in the table.
    """
    trunk = sorted(int(step) for step in rows.loc[rows["model"] == TRUNK, "step"].unique())
    finished = finished_steps(rows)
    behind = [
        (start, min(step for step in finished if step > start))
        for start in trunk
        if any(step > start for step in finished)
    ]
    if not behind:
        raise MeaningsError("no trunk checkpoint before a finished model; publish both")
    return behind[-1]
