"""Onsets of several conditions side by side: at several heights, and which needs less training."""

from collections.abc import Sequence

import pandas as pd

from meanings.statistics.onset import OWN, Rule, earlier_by, onset
from meanings.statistics.summaries import in_order, onsets, over_null

FRACTIONS = (0.25, 0.5, 0.75)
DIRECT = "src_unpatched"
LEVEL = 0.25  # the absolute level of the chapter: P(source concept)


def onset_table(chosen: pd.DataFrame, conditions: Sequence[str]) -> pd.DataFrame:
    """Onsets at `FRACTIONS` of each condition's own final height and of the direct score's, and at
    the absolute level `LEVEL`.

    Columns: `height` (own, direct, level), `fraction`, and those of `summaries.onsets`. Without the
    direct score among the conditions there are no rows of it.
    """
    parts = []
    for height, of in (("own", OWN), ("direct", DIRECT)):
        if of == OWN or of in conditions:
            parts += [
                onsets(chosen, conditions, fraction, of).assign(height=height, fraction=fraction)
                for fraction in FRACTIONS
            ]
    level = onsets_at_level(chosen, conditions, LEVEL).assign(height="level", fraction=LEVEL)
    return pd.concat([*parts, level], ignore_index=True)


def onsets_at_level(chosen: pd.DataFrame, conditions: Sequence[str], level: float) -> pd.DataFrame:
    """The moment from which on P(source) of each condition stays above an absolute level: as
    `summaries.onsets`.
    """
    rows, _ = over_null(chosen, conditions)
    table = onset(rows, "p_source", ["condition"], step="tokens", rule=Rule(level, 0.0, OWN, 0.0))
    return in_order(table, conditions)


def needs_less_training(
    chosen: pd.DataFrame,
    first: str,
    second: str,
    conditions: Sequence[str],
    fraction: float = 0.5,
    height_of: str = OWN,
) -> tuple[float, float, float]:
    """Share of training that the onset of `first` comes before that of `second`, with its interval:
    `meanings.statistics.onset.earlier_by`, over the cells that all `conditions` share.
    """
    rows, floor = over_null(chosen, conditions)
    return earlier_by(rows, "p_source", first, second, rule=Rule(floor, fraction, height_of))
