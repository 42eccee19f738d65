"""What resetting a block costs the other languages more than the language trained in.

    loss(A) = score(A, control) - score(A, block reset)          on the same held-out concepts
    gap     = mean of loss over the other languages - loss(source)

Above 0, the block holds something that the other languages need and one language's training does
not bring back. Every concept gives one gap, so intervals resample concepts; of a concept that two
draws hold out the mean is taken.
"""

from collections.abc import Sequence

import pandas as pd

from meanings.core.errors import MeaningsError
from meanings.statistics.bootstrap import interval

CONTROL = 0


def losses(table: pd.DataFrame, value: str = "auc") -> pd.DataFrame:
    """Loss of every block, source, draw, language and concept.

    Raises MeaningsError where a source and draw has no control.
    """
    place = ["model", "training_seed", "source", "draw", "language", "concept"]
    control = table[table["block"] == CONTROL].set_index(place)[value]
    blocks = table[table["block"] != CONTROL].set_index([*place, "block"])[value]
    lost = control.reindex(blocks.index.droplevel("block")).to_numpy() - blocks
    if lost.isna().any():
        source, draw = lost[lost.isna()].index[0][2:4]
        raise MeaningsError(
            f"source {source!r}, draw {draw}: no training without a reset block to compare with"
            "; run 'meanings miniature reinitialise' again"
        )
    return lost.rename("loss").reset_index()


def gaps(table: pd.DataFrame, value: str = "auc") -> pd.DataFrame:
    """Columns `source`, `block`, `part`, `mean`, `low`, `high`, with a row per part: `source`, the
    loss in the language trained in; `others`, the mean of the other languages'; `gap`.
    """
    lost = losses(table, value)
    place = ["model", "training_seed", "source", "draw", "concept", "block"]
    own = lost["language"] == lost["source"]
    parts = pd.DataFrame(
        {
            "source_loss": lost[own].groupby(place)["loss"].mean(),
            "others": lost[~own].groupby(place)["loss"].mean(),
        }
    )
    parts["gap"] = parts["others"] - parts["source_loss"]
    long = parts.reset_index().melt(place, var_name="part", value_name="loss")
    long["part"] = long["part"].replace("source_loss", "source")
    return _with_intervals(long, ["source", "block", "part"])


def _with_intervals(long: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    return interval(long, "loss", by, unit="concept")
