"""The long run beside the shipped one: training for longer told from lowering the learning rate.

Two finished models of the long run differ in the length of training alone: both decayed over as
many steps. A finished model and the checkpoint of the trunk that it branched off differ in that
decay (and its few steps) alone.
"""

import pandas as pd

from meanings.core.errors import MeaningsError
from meanings.measures.results import published
from meanings.statistics import layer_choice
from meanings.statistics.bootstrap import interval
from meanings.statistics.resampling import RESAMPLES, SEED_COLUMN
from meanings.statistics.selection import last_checkpoint

TRUNK, FINISHED = "long-run-trunk", "long-run-finished"
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


def shipped_level(long_run: pd.DataFrame) -> pd.Series:
    """P(source) of `seen` at the end of the shipped run that the trunk branches off, in the same
    language pairs and of the same seed: `mean`, `low`, `high`.

    - `long_run`: as `chosen` gives it.
    """
    where = {name: sorted(long_run[name].unique()) for name in ("pair", SEED_COLUMN)}
    table = published("miniature", where=where | {"condition": list(CONDITIONS)})
    rows = layer_choice.at_chosen_layer(last_checkpoint(table), conditions=CONDITIONS)
    return interval(rows[rows["condition"] == "seen"], "p_source", n=RESAMPLES).iloc[0]


def finished_steps(rows: pd.DataFrame) -> list[int]:
    """The steps of the finished models, in order.

    Raises MeaningsError where there are fewer than two.
    """
    steps = sorted(int(step) for step in rows.loc[rows["model"] == FINISHED, "step"].unique())
    if len(steps) < 2:
        raise MeaningsError("fewer than two finished models; run 'meanings miniature long-run'")
    return steps


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
