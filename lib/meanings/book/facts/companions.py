"""Words that the chapters on companion measures share."""

from __future__ import annotations

import numpy as np
import pandas as pd

from meanings.book.tables.companions import SPLITS
from meanings.core.formatting import amount, span
from meanings.statistics.companions import PAIR


def words(rows: pd.DataFrame) -> str:
    """What the rows rest on: concepts and languages."""
    languages = set(rows[PAIR].astype(str).to_numpy().ravel()) - {""}
    return f"{int(rows['n'].max())} concepts in {len(languages)} languages"


def counted(curves: pd.DataFrame, unit: str = "language pair") -> str:
    """What a figure rests on: concepts of a pair, language pairs, training runs.

    - `unit`: what is counted as a pair; `language` where rows are of one language.
    """
    low, high = int(curves["n"].min()), int(curves["n"].max())
    several = f"{low} to {high}" if low < high else f"{low}"
    pairs, runs = int(curves["n_pairs"].max()), int(curves["n_seeds"].max())
    return (
        f"{several} concepts per {unit}, {pairs} {unit}{'s' * (pairs > 1)}, "
        f"{runs} training run{'s' * (runs > 1)}"
    )


def at_end(curves: pd.DataFrame, of: str = "split") -> str:
    """Each curve's value at the last checkpoint with its interval: `taught 0.61 [0.55, 0.67]`."""
    last = curves[curves["tokens"] == curves["tokens"].max()]
    places = {name: place for place, name in enumerate(SPLITS)}
    last = last.sort_values(of, key=lambda names: names.astype(str).map(places))
    said = [
        f"{SPLITS.get(str(row[of]), row[of])} {span(row['value'], row['low'], row['high'])}"
        for _, row in last.iterrows()
    ]
    return ", ".join(said)


def floor_at_end(floor: pd.DataFrame | None) -> str:
    """The level of a model with nothing to share, beside the end of the page's training."""
    if floor is None:
        return "(no floor is published for this model)"
    last = floor.sort_values("tokens").iloc[-1]
    later = ", measured at its own last step" if bool(last["beyond"]) else ""
    return f"{last['floor']:z.2f}{later}"


def onset(found: pd.DataFrame, rows: pd.DataFrame) -> str:
    """An onset as a share of the training, with its interval."""
    moment, low, high = (float(found[name].iloc[0]) for name in ("onset", "low", "high"))
    if not np.isfinite(moment):
        return "it has no onset within this training"
    last = rows["tokens"].max()
    ends = f"{low / last:.0%} to {high / last:.0%}" if np.isfinite(high) else "no upper end"
    return f"after {moment / last:.0%} of the training ({ends}; {amount(moment)} tokens)"


def before(found: pd.DataFrame, band: tuple[float, float] | None) -> str:
    """Whether the interval of an onset lies before, after or across that of patching's onset."""
    if band is None:
        return "The onset of patching is not published for this model."
    low, high = float(found["low"].iloc[0]), float(found["high"].iloc[0])
    where = f"the interval of the onset of patching, {amount(band[0])} to {amount(band[1])} tokens"
    if high < band[0]:
        return f"This interval lies before {where}."
    if low > band[1]:
        return f"This interval lies after {where}."
    return f"This interval overlaps {where}: the order of the two is not decided here."
